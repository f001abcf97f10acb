import { isUint8Array } from 'node:util/types'
import { BencodeError, optionError } from '../errors.ts'
import { refuseReentry } from './bencode-encode.ts'
import {
  Bytes,
  bencodeDecode,
  copyIn,
  copyOf,
  FIELD_WORDS,
  INPUT,
  MAX_INPUT,
  memory,
  OUTPUT,
  OUTPUT_SIZE,
  TABLE_WORDS,
  words,
} from './instance.ts'
import { DECODE_ERRORS, Reader } from './plain/reader.ts'

/** What `decode` gives; `Text` is what byte strings become. */
export type BencodeValue<Text = Buffer> =
  | Text
  | number
  | bigint
  | BencodeValue<Text>[]
  | { [key: string]: BencodeValue<Text> }

/** The same with `dictionaries: 'map'`. */
export type BencodeMapValue<Text = Buffer> =
  | Text
  | number
  | bigint
  | BencodeMapValue<Text>[]
  | Map<string, BencodeMapValue<Text>>

export interface DecodeOptions {
  /** Makes byte strings JavaScript strings. Without it they become Buffers. Keys are always read as UTF-8. */
  readonly encoding?: BufferEncoding | undefined
  /** What dictionaries become: plain objects (default), objects without a prototype (`null`), or Maps. */
  readonly dictionaries?: 'object' | 'null' | 'map' | undefined
  /** How deep lists and dictionaries may nest, 1 to 512. Default 64. */
  readonly maxDepth?: number | undefined
  /** Largest input, in bytes. Default 65,535. What is larger is decoded in JavaScript, some ten times as slowly. */
  readonly maxBytes?: number | undefined
  /**
   * Takes what rtpengine takes from its clients: whatever stands behind the value, the `e` of lists and dictionaries missing at the end,
   * and integers with spaces or `+` in front, `-0`, `-05`, and beyond 64 bits (the nearest there is). Of a key that comes twice the first
   * value counts. Default false.
   */
  readonly tolerant?: boolean | undefined
}

const DEFAULT_DEPTH = 64
const DEEPEST = 512
const DICTIONARIES: readonly string[] = ['object', 'null', 'map']
const NO_OPTIONS: DecodeOptions = {}

// The layout that assembly/bencode.ts describes.
const ERROR_AT = FIELD_WORDS + 1
const ASCII = FIELD_WORDS + 3
const TOKEN_WORDS = 4
const STRING = 1
const INTEGER = 2
const LIST = 3
const SLOTS = 512
const SLOT_SIZE = 48
const SLOT_TEXT = 16
const DECODE_SLOTS = OUTPUT + OUTPUT_SIZE

/** Encodings that read ASCII bytes as ASCII characters. */
const ASCII_LIKE = new Set<BufferEncoding>(['utf8', 'utf-8', 'latin1', 'binary', 'ascii'])

/** The key in each slot of the core. */
const keys: string[] = new Array(SLOTS).fill('')

let cursor = 0
let asMap = false
let readAs: BufferEncoding = 'utf8'
/** Where the input stands in memory the caller will own, if byte strings stay bytes. */
let owned: ArrayBufferLike | undefined
let ownedStart = 0
/** The input as a string with its characters where the bytes are, if the strings in it read so. */
let whole: string | undefined
/** The last key met that its slot does not hold, and its token. */
let newKey = ''
let newKeyToken = 0

/**
 * The one value that `bytes` are, strictly: no leading zeros, nothing behind the value. Byte strings become Buffers of
 * the caller's own (that share one copy of the input), or strings where an encoding is given: `decode(bytes, 'utf8')`.
 * Integers are numbers where those are exact, and bigints beyond. Of a key that comes twice the last value counts.
 *
 * @throws BencodeError with the byte offset, for anything that is not bencode, nests deeper than `maxDepth`, or is
 *   larger than `maxBytes`.
 */
export function decode(bytes: Uint8Array, options: BufferEncoding): BencodeValue<string>
export function decode(
  bytes: Uint8Array,
  options: DecodeOptions & { encoding: BufferEncoding; dictionaries: 'map' },
): BencodeMapValue<string>
export function decode(
  bytes: Uint8Array,
  options: DecodeOptions & { encoding: BufferEncoding; dictionaries?: 'object' | 'null' | undefined },
): BencodeValue<string>
export function decode(
  bytes: Uint8Array,
  options: DecodeOptions & { encoding?: undefined; dictionaries: 'map' },
): BencodeMapValue
export function decode(
  bytes: Uint8Array,
  options?: DecodeOptions & { encoding?: undefined; dictionaries?: 'object' | 'null' | undefined },
): BencodeValue
export function decode(
  bytes: Uint8Array,
  options?: DecodeOptions | BufferEncoding,
): BencodeValue<Buffer | string> | BencodeMapValue<Buffer | string>
export function decode(bytes: Uint8Array, options?: DecodeOptions | BufferEncoding): unknown {
  refuseReentry()
  const settings: DecodeOptions =
    typeof options === 'string' ? { encoding: options } : (options ?? NO_OPTIONS)
  const maxDepth = settings.maxDepth ?? DEFAULT_DEPTH
  checkOptions(settings, maxDepth)
  if (!isUint8Array(bytes)) throw new BencodeError('decode takes a Uint8Array')
  const length = bytes.length
  if (settings.tolerant || settings.dictionaries === 'null' || length > MAX_INPUT)
    return readPlain(bytes, settings, maxDepth)
  if (settings.maxBytes !== undefined) checkSize(length, settings.maxBytes)
  copyIn(bytes, INPUT)
  const tokens = bencodeDecode(length, maxDepth)
  if (tokens < 0) throw new BencodeError(DECODE_ERRORS[-tokens - 1]!, words[ERROR_AT]!)

  prepare(settings, bytes)
  const value = take()
  if (newKeyToken !== 0) learn()
  return value
}

function readPlain(given: Uint8Array, settings: DecodeOptions, maxDepth: number): unknown {
  const { encoding, dictionaries = 'object', tolerant = false, maxBytes = MAX_INPUT } = settings
  checkSize(given.length, maxBytes)
  // Byte strings are views into a copy of the caller's own, as they are without this.
  const bytes = encoding === undefined ? copyOf(given) : bufferOf(given)
  const string =
    encoding === undefined
      ? (from: Buffer, start: number, end: number) => from.subarray(start, end)
      : (from: Buffer, start: number, end: number) => from.toString(encoding, start, end)
  return new Reader(bytes, { string, dictionaries, maxDepth, tolerant }).whole()
}

function checkSize(length: number, maxBytes: number): void {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw optionError('maxBytes', 'maxBytes must be a whole number from 1')
  if (length > maxBytes) throw new BencodeError(`bencode of more than ${maxBytes} bytes`)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function checkOptions({ encoding, dictionaries, tolerant }: DecodeOptions, maxDepth: number): void {
  if (tolerant !== undefined && typeof tolerant !== 'boolean')
    throw optionError('tolerant', 'tolerant must be true or false')
  if (dictionaries !== undefined && !DICTIONARIES.includes(dictionaries)) {
    throw optionError('dictionaries', `there are no dictionaries '${dictionaries}'`)
  }
  if (encoding !== undefined && encoding !== 'utf8' && !Buffer.isEncoding(encoding)) {
    throw optionError('encoding', `unknown encoding ${encoding}`)
  }
  if (!Number.isInteger(maxDepth) || maxDepth < 1 || maxDepth > DEEPEST) {
    throw optionError('maxDepth', `maxDepth must be from 1 to ${DEEPEST}`)
  }
}

function prepare(settings: DecodeOptions, bytes: Uint8Array): void {
  owned = undefined
  whole = undefined
  cursor = TABLE_WORDS
  newKeyToken = 0
  asMap = settings.dictionaries === 'map'
  if (settings.encoding === undefined) {
    const copy = copyOf(bytes)
    owned = copy.buffer
    ownedStart = copy.byteOffset
  } else {
    readAs = settings.encoding
    const inPlace = words[ASCII] === 1 ? ASCII_LIKE.has(readAs) : readAs === 'latin1' || readAs === 'binary'
    if (inPlace) whole = memory.latin1Slice(INPUT, INPUT + bytes.length)
  }
}

/** The value whose token is next. The core has limited the depth. */
function take(): unknown {
  const token = cursor
  const kind = words[token]!
  const first = words[token + 1]!
  cursor += TOKEN_WORDS
  if (kind === STRING) {
    const end = words[token + 2]!
    if (owned !== undefined) return new Bytes(owned, ownedStart + first, end - first)
    if (whole !== undefined) return whole.substring(first, end)
    return readAs === 'utf8'
      ? memory.utf8Slice(INPUT + first, INPUT + end)
      : memory.toString(readAs, INPUT + first, INPUT + end)
  }
  if (kind === INTEGER) {
    const high = words[token + 2]!
    const value = high * 0x100000000 + (first >>> 0)
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(first >>> 0)
  }
  if (kind === LIST) {
    const list: unknown[] = []
    for (let i = 0; i < first; i++) list.push(take())
    return list
  }
  return asMap ? takeMap(first) : takeObject(first)
}

function takeObject(count: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let i = 0; i < count; i += 2) {
    const key = takeKey()
    const value = take()
    if (key === '__proto__') {
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
    } else object[key] = value
  }
  return object
}

function takeMap(count: number): Map<string, unknown> {
  const map = new Map<string, unknown>()
  for (let i = 0; i < count; i += 2) map.set(takeKey(), take())
  return map
}

function takeKey(): string {
  const token = cursor
  const slot = words[token + 3]!
  cursor += TOKEN_WORDS
  if (slot > 0) return keys[slot - 1]!
  const key = memory.utf8Slice(INPUT + words[token + 1]!, INPUT + words[token + 2]!)
  if (slot < 0) {
    newKey = key
    newKeyToken = token
  }
  return key
}

/**
 * Puts one new key into its slot, in place of another. Later tokens rely on the slots as they were during the scan, so
 * this waits for the end; one key a call is enough to learn all that come often, whatever the others are.
 */
function learn(): void {
  const index = -words[newKeyToken + 3]! - 1
  const start = words[newKeyToken + 1]!
  const end = words[newKeyToken + 2]!
  const from = start - `${end - start}:`.length
  const slot = DECODE_SLOTS + index * SLOT_SIZE
  words[slot >> 2] = end - from
  memory.copyWithin(slot + SLOT_TEXT, INPUT + from, INPUT + end)
  keys[index] = newKey
}
