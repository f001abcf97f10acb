/** Longest string a stream may bring: beyond this it is out of step, whatever it says. */
export const MAX_STRING: number = 1 << 20

/** The value goes on behind the bytes that are there. */
export const INCOMPLETE = -1
/** What is there is no such value. */
export const MALFORMED = -2

/** What `ValueEnd` takes for a value. */
export interface ValueEndSettings {
  /** Whether anything but a dictionary is MALFORMED. */
  readonly onlyDictionary: boolean
  readonly maxDepth: number
  readonly maxString: number
}

const DICTIONARIES: ValueEndSettings = { onlyDictionary: true, maxDepth: 64, maxString: MAX_STRING }

/**
 * Finds where one bencoded value ends, however its bytes are cut. Bencode delimits itself; form is checked only as far as that needs,
 * the decoder does the rest. Strings are jumped over.
 */
export class ValueEnd {
  readonly #settings: ValueEndSettings
  #depth = 0
  /** What the next byte belongs to. */
  #state: 'value' | 'integer' | 'length' | 'string' = 'value'
  /** Digits of a length so far, then bytes of the string still to come. */
  #count = 0

  constructor(settings: ValueEndSettings = DICTIONARIES) {
    this.#settings = settings
  }

  /** Goes on at `from` of `bytes`. Returns the index behind the value and is ready for the next, else INCOMPLETE or MALFORMED. */
  find(bytes: Uint8Array, from: number): number {
    const { onlyDictionary, maxDepth, maxString } = this.#settings
    const { length } = bytes
    let state = this.#state
    let depth = this.#depth
    let count = this.#count
    for (let at = from; at < length; at++) {
      if (state === 'string') {
        at += count
        if (at > length || (at === length && depth > 0)) {
          count = at - length
          break
        }
        if (depth === 0) return this.#ended(at)
        state = 'value'
      }
      const byte = bytes[at]!
      const isDigit = byte >= 0x30 && byte <= 0x39
      if (state === 'integer') {
        if (byte === 0x65) {
          if (depth === 0) return this.#ended(at + 1)
          state = 'value'
        } else if (!isDigit && byte !== 0x2d) return MALFORMED
      } else if (state === 'length') {
        if (byte === 0x3a) {
          if (count === 0 && depth === 0) return this.#ended(at + 1)
          state = 'string'
        } else if (!isDigit) return MALFORMED
        else count = count * 10 + (byte - 0x30)
        if (count > maxString) return MALFORMED
      } else if (byte === 0x64 || byte === 0x6c) {
        if (++depth > maxDepth || (onlyDictionary && depth === 1 && byte === 0x6c)) return MALFORMED
      } else if (byte === 0x65) {
        if (depth === 0) return MALFORMED
        if (--depth === 0) return this.#ended(at + 1)
      } else if (onlyDictionary && depth === 0) return MALFORMED
      else if (byte === 0x69) state = 'integer'
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

  #ended(at: number): number {
    this.#state = 'value'
    this.#depth = 0
    this.#count = 0
    return at
  }
}
