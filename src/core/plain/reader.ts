import { BencodeError } from '../../errors.ts'

/** What can be wrong with bencode: by error number of the core, from -1 down. */
export const DECODE_ERRORS = [
  'the input ends early',
  'no value begins',
  'a number has a leading zero',
  'minus zero',
  'not an integer',
  'an integer does not fit in 64 bits',
  'not the length of a string',
  'a string is longer than what is left',
  'a dictionary key is not a string',
  'a dictionary key has no value',
  'the input goes on behind the value',
  'nested too deeply',
] as const
const [
  ENDS_EARLY,
  NO_VALUE,
  LEADING_ZERO,
  NEGATIVE_ZERO,
  NO_INTEGER,
  OUT_OF_RANGE,
  NO_LENGTH,
  TOO_LONG,
  NO_KEY,
  KEY_ALONE,
  TRAILING,
  TOO_DEEP,
] = DECODE_ERRORS

/** What a reader makes of what it finds. */
export interface ReaderSettings {
  /** What the string from `start` to `end` becomes. */
  readonly string: (bytes: Buffer, start: number, end: number) => unknown
  /** What dictionaries become; `null` objects have no prototype. */
  readonly dictionaries: 'object' | 'map' | 'null'
  readonly maxDepth: number
  /** Takes what rtpengine takes: see `DecodeOptions.tolerant`. */
  readonly tolerant: boolean
}

/** Largest and smallest of the integers that 64 bits hold. */
const MOST = 2n ** 63n - 1n
const LEAST = -(2n ** 63n)
const DIGIT = { zero: 0x30, nine: 0x39 }
const I = 0x69
const L = 0x6c
const D = 0x64
const E = 0x65
const COLON = 0x3a

/**
 * Decodes without the core, in plain JavaScript: values of any size, and those that are not quite bencode. Errors are those of the core,
 * at the same offsets.
 */
export class Reader {
  readonly #bytes: Buffer
  readonly #settings: ReaderSettings
  #at: number

  constructor(bytes: Buffer, settings: ReaderSettings, at = 0) {
    this.#bytes = bytes
    this.#settings = settings
    this.#at = at
  }

  /** The one value that the bytes are. */
  whole(): unknown {
    const value = this.#value(0)
    if (this.#at !== this.#bytes.length && !this.#settings.tolerant) throw this.#error(TRAILING)
    return value
  }

  #error(reason: string, at = this.#at): BencodeError {
    return new BencodeError(reason, at)
  }

  #value(depth: number): unknown {
    const { maxDepth } = this.#settings
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw this.#error(ENDS_EARLY)
    if (isDigit(byte)) return this.#settings.string(this.#bytes, ...this.#string())
    if (byte === I) return this.#integer()
    if (byte !== L && byte !== D) throw this.#error(NO_VALUE)
    if (depth === maxDepth) throw this.#error(TOO_DEEP)
    this.#at++
    return byte === L ? this.#list(depth + 1) : this.#dictionary(depth + 1)
  }

  /** Whether the list or dictionary ends here; rtpengine does not miss the `e` at the end of the input. */
  #ends(): boolean {
    if (this.#bytes[this.#at] === E) {
      this.#at++
      return true
    }
    return this.#settings.tolerant && this.#at === this.#bytes.length
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = []
    while (!this.#ends()) list.push(this.#value(depth))
    return list
  }

  #dictionary(depth: number): unknown {
    const { dictionaries, tolerant } = this.#settings
    const map = new Map<string, unknown>()
    while (!this.#ends()) {
      const key = this.#key()
      if (this.#bytes[this.#at] === E) throw this.#error(KEY_ALONE)
      const value = this.#value(depth)
      // rtpengine looks for a key from the front.
      if (!tolerant || !map.has(key)) map.set(key, value)
    }
    if (dictionaries === 'map') return map
    const object = Object.fromEntries(map)
    return dictionaries === 'null' ? Object.setPrototypeOf(object, null) : object
  }

  #key(): string {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw this.#error(ENDS_EARLY)
    if (!isDigit(byte)) throw this.#error(NO_KEY)
    const [start, end] = this.#string()
    return this.#bytes.toString('utf8', start, end)
  }

  /** Where the string that begins here has its bytes. */
  #string(): [start: number, end: number] {
    const bytes = this.#bytes
    const first = this.#at
    let at = first
    let length = 0
    for (let byte = bytes[at]; byte !== undefined && isDigit(byte); byte = bytes[++at]) {
      if (at > first && length === 0) throw this.#error(LEADING_ZERO, first)
      // A length of more digits is too long, whatever it is.
      if (length < Number.MAX_SAFE_INTEGER / 100) length = length * 10 + byte - DIGIT.zero
    }
    if (at === bytes.length) throw this.#error(ENDS_EARLY, at)
    if (bytes[at] !== COLON) throw this.#error(NO_LENGTH, at)
    const start = at + 1
    if (length > bytes.length - start) throw this.#error(TOO_LONG, first)
    this.#at = start + length
    return [start, start + length]
  }

  #integer(): number | bigint {
    return this.#settings.tolerant ? this.#tolerantInteger() : this.#strictInteger()
  }

  #strictInteger(): number | bigint {
    const bytes = this.#bytes
    const begin = this.#at
    const negative = bytes[begin + 1] === 0x2d
    const first = begin + (negative ? 2 : 1)
    let at = first
    for (let byte = bytes[at]; byte !== undefined && isDigit(byte); byte = bytes[++at]) {
      const isZero = bytes[first] === DIGIT.zero
      if (at > first && isZero) throw this.#error(LEADING_ZERO, first)
      if (negative && isZero) throw this.#error(NEGATIVE_ZERO, begin)
      // A number of twenty digits is out of range: no need to read on.
      if (at - first >= 19) throw this.#error(OUT_OF_RANGE, begin)
    }
    const value = at === first ? 0n : BigInt(bytes.toString('latin1', begin + 1, at))
    if (value > MOST || value < LEAST) throw this.#error(OUT_OF_RANGE, begin)
    if (at === bytes.length) throw this.#error(ENDS_EARLY, at)
    if (at === first || bytes[at] !== E) throw this.#error(NO_INTEGER, at)
    this.#at = at + 1
    return exact(value)
  }

  /** As C's `strtoll` reads it, but for a zero in front. */
  #tolerantInteger(): number | bigint {
    const begin = this.#at
    const end = this.#bytes.indexOf(E, begin)
    if (end < 0) throw this.#error(ENDS_EARLY, this.#bytes.length)
    const text = this.#bytes.toString('latin1', begin + 1, end)
    if (/^0./.test(text)) throw this.#error(LEADING_ZERO, begin + 1)
    const [, sign = '', digits] = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(text) ?? []
    if (digits === undefined) throw this.#error(NO_INTEGER, begin + 1)
    this.#at = end + 1
    const size = digits.length > 40 ? MOST + 1n : BigInt(digits)
    const value = sign === '-' ? -size : size
    return exact(value > MOST ? MOST : value < LEAST ? LEAST : value)
  }
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT.zero && byte <= DIGIT.nine
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
