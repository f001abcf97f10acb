/** Largest reply taken from a stream, as from a datagram. */
const MAX_REPLY = 65535
const MAX_DEPTH = 64

/**
 * Collects the bytes of one bencoded dictionary from a stream and says when it is complete. Bencode delimits itself; form
 * is checked only as far as that needs, the decoder does the rest.
 */
export class ReplyFrame {
  readonly #chunks: Buffer[] = []
  #length = 0
  #depth = 0
  /** What the next byte belongs to. */
  #state: 'value' | 'integer' | 'length' | 'string' | 'over' = 'value'
  /** Digits of a length so far, then bytes of the string still to come. */
  #count = 0

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
    if (this.#state === 'over') return undefined
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (!this.#scan(chunk) && this.#length <= MAX_REPLY) return undefined
    this.#state = 'over'
    return this.bytes()
  }

  /** True when the end, or an error, lies in `chunk`. */
  #scan(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; at++) {
      if (this.#state === 'string') {
        const taken = Math.min(this.#count, chunk.length - at)
        this.#count -= taken
        at += taken
        if (this.#count > 0) return false
        this.#state = 'value'
        if (at === chunk.length) return false
      }
      const byte = chunk[at]!
      const isDigit = byte >= 0x30 && byte <= 0x39
      if (this.#state === 'integer') {
        if (byte === 0x65) this.#state = 'value'
        else if (!isDigit && byte !== 0x2d) return true
      } else if (this.#state === 'length') {
        if (byte === 0x3a) this.#state = 'string'
        else if (!isDigit) return true
        else this.#count = this.#count * 10 + (byte - 0x30)
        if (this.#count > MAX_REPLY) return true
      } else if (byte === 0x64 || byte === 0x6c) {
        if (++this.#depth > MAX_DEPTH) return true
      } else if (byte === 0x65) {
        if (--this.#depth <= 0) return true
      } else if (this.#depth === 0) return true
      else if (byte === 0x69) this.#state = 'integer'
      else if (isDigit) {
        this.#state = 'length'
        this.#count = byte - 0x30
      } else return true
    }
    return false
  }
}
