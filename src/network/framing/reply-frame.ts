/** Largest reply of one dictionary alone, as from a datagram. */
const MAX_REPLY = 65535
const MAX_DEPTH = 64
/** Longest string: beyond this a stream is out of step, whatever it says. */
export const MAX_STRING: number = 1 << 20

/** The dictionary goes on behind the bytes that are there. */
export const INCOMPLETE = -1
/** What is there is no dictionary. */
export const MALFORMED = -2

/**
 * Finds where one bencoded dictionary ends, however its bytes are cut. Bencode delimits itself; form is checked only as far
 * as that needs, the decoder does the rest. Strings are jumped over.
 */
export class DictionaryEnd {
  #depth = 0
  /** What the next byte belongs to. */
  #state: 'value' | 'integer' | 'length' | 'string' = 'value'
  /** Digits of a length so far, then bytes of the string still to come. */
  #count = 0

  /** Goes on at `from` of `bytes`. Returns the index behind the dictionary and is ready for the next, else INCOMPLETE or MALFORMED. */
  find(bytes: Buffer, from: number): number {
    const { length } = bytes
    let state = this.#state
    let depth = this.#depth
    let count = this.#count
    for (let at = from; at < length; at++) {
      if (state === 'string') {
        at += count
        if (at >= length) {
          count = at - length
          break
        }
        state = 'value'
      }
      const byte = bytes[at]!
      const isDigit = byte >= 0x30 && byte <= 0x39
      if (state === 'integer') {
        if (byte === 0x65) state = 'value'
        else if (!isDigit && byte !== 0x2d) return MALFORMED
      } else if (state === 'length') {
        if (byte === 0x3a) state = 'string'
        else if (!isDigit) return MALFORMED
        else count = count * 10 + (byte - 0x30)
        if (count > MAX_STRING) return MALFORMED
      } else if (byte === 0x64 || byte === 0x6c) {
        if (++depth > MAX_DEPTH || (depth === 1 && byte === 0x6c)) return MALFORMED
      } else if (depth === 0) return MALFORMED
      else if (byte === 0x65) {
        if (--depth === 0) {
          this.#state = 'value'
          this.#depth = 0
          return at + 1
        }
      } else if (byte === 0x69) state = 'integer'
      else if (isDigit) {
        state = 'length'
        count = byte - 0x30
      } else return MALFORMED
    }
    this.#state = state
    this.#depth = depth
    this.#count = count
    return INCOMPLETE
  }
}

/** Collects the bytes of one bencoded dictionary from a stream and says when it is complete. */
export class ReplyFrame {
  readonly #chunks: Buffer[] = []
  readonly #end = new DictionaryEnd()
  #length = 0
  #over = false

  get length(): number {
    return this.#length
  }

  bytes(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
  }

  /**
   * Takes the next bytes. Returns all bytes so far once the dictionary is complete, or once it is clear that it is none or
   * too large (what follows will not mend it); undefined while more is needed.
   */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#over) return undefined
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#end.find(chunk, 0) === INCOMPLETE && this.#length <= MAX_REPLY) return undefined
    this.#over = true
    return this.bytes()
  }
}
