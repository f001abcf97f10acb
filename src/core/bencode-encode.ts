import { isMap, isUint8Array } from 'node:util/types'
import { BencodeError, optionError } from '../errors.ts'
import {
  bencodeEncode,
  copyIn,
  copyOutput,
  INPUT,
  MAX_INPUT,
  memory,
  OUTPUT,
  OUTPUT_SIZE,
  TABLE_WORDS,
  words,
} from './instance.ts'
import { Writer } from './plain/writer.ts'

/** What `encode` takes. `undefined` and `null` are left out of dictionaries and refused anywhere else. */
export type BencodeInput =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | readonly BencodeInput[]
  | { readonly [key: string]: BencodeInput | null | undefined }
  | ReadonlyMap<string | Uint8Array, BencodeInput | null | undefined>

// The layout that assembly/bencode.ts describes.
const KEY = 0x40000000
const OPEN_LIST = 0x20000000
const OPEN_DICTIONARY = 0x20000001
const CLOSE = 0x20000002
const SLOTS = 512
const SLOT_SIZE = 48
const SLOT_TEXT = 16
const SLOT_ROOM = 32
const ENCODE_SLOTS = OUTPUT + OUTPUT_SIZE + SLOTS * SLOT_SIZE

const MAX_DEPTH = 64
/** Every token makes a byte at least; the table has room for some tokens beyond. */
const LAST_TOKEN = TABLE_WORDS + MAX_INPUT

// Strings are joined to one, which enters the core in one call: that is faster than a call, or a loop over characters,
// for each. They are taken for ASCII first; if the bytes written say otherwise, all is done again with exact lengths.
let text = ''
let textBytes = 0
let exact = false
let asExpected = true
let staged = 0
let tape = 0

/** Which slot of the core holds which key. */
const slots = new Map<string, number>()
// Keys mostly come in the order of the last time, so the one that followed then is tried first: a comparison of pointers
// instead of a look-up.
let names: string[] = []
const followers = new Int32Array(SLOTS)
let last = 0
// What cannot be encoded is told by `Writer`, which knows the way to it: to keep track of that costs each value something.
const REFUSED = new Error('refused')

// A value that is being encoded may have getters, and those may call this package; its memory holds one call at a time.
let encoding = false

export interface EncodeOptions {
  /** Sorts the keys of dictionaries by their bytes, as BEP 3 wants it: the same value always gives the same bytes. Default false. */
  readonly sorted?: boolean | undefined
  /** Largest result, in bytes. Default 65,535, what a datagram can carry. */
  readonly maxBytes?: number | undefined
}

/**
 * Bencode of `value`, in a Buffer of its own. Strings are written as UTF-8, booleans as 1 and 0, dictionaries in the
 * order of their keys in the object or Map (BEP 3 wants them sorted, and NG does not: option `sorted`).
 *
 * @throws BencodeError with the path of the culprit (`flags[2].x`) for fractions, unsafe integers, bigints beyond
 *   signed 64 bits, functions, symbols, class instances, `null` and `undefined` outside dictionaries, and for
 *   anything cyclic or deeper than 64; and when the result is larger than `maxBytes`.
 */
export function encode(value: BencodeInput, options?: EncodeOptions): Buffer {
  if (options) return written(value, options).bytes()
  refuseReentry()
  encoding = true
  try {
    // Learnt slots must stay as they are until the call ends, so the time to forget is here.
    if (slots.size === SLOTS) {
      slots.clear()
      names = []
    }
    if (!stageAll(value, false)) stageAll(value, true)
  } catch (error) {
    if (error !== REFUSED) throw error
    return written(value, {}).bytes()
  } finally {
    encoding = false
    text = ''
  }
  const length = bencodeEncode(tape - TABLE_WORDS)
  if (length < 0 || length > MAX_INPUT) return written(value, {}).bytes()
  return copyOutput(length)
}

/**
 * Bytes that `encode` would give for `value`.
 *
 * @throws BencodeError as `encode`; there is no limit unless `maxBytes` is given.
 */
export function encodingLength(value: BencodeInput, options: EncodeOptions = {}): number {
  return written(value, { maxBytes: Number.MAX_SAFE_INTEGER, ...options }).length
}

function written(value: BencodeInput, { sorted = false, maxBytes = MAX_INPUT }: EncodeOptions): Writer {
  if (typeof sorted !== 'boolean') throw optionError('sorted', 'sorted must be true or false')
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw optionError('maxBytes', 'maxBytes must be a whole number from 1')
  const writer = new Writer({ sorted, maxBytes })
  writer.write(value)
  return writer
}

/** False: not all was ASCII, so the lengths are wrong. */
function stageAll(value: unknown, exactly: boolean): boolean {
  exact = exactly
  asExpected = true
  text = ''
  textBytes = 0
  staged = 0
  tape = TABLE_WORDS
  put(value, 0)
  stageText()
  return asExpected
}

function stageText(): void {
  if (textBytes > MAX_INPUT - staged) throw REFUSED
  // Room for more than expected, so that text cut off at its end cannot look like what was expected.
  const written = memory.utf8Write(text, INPUT + staged, textBytes + 8)
  if (written !== textBytes) asExpected = false
  text = ''
  textBytes = 0
  staged += written
}

function put(value: unknown, depth: number): void {
  if (typeof value === 'string') putString(value)
  else if (typeof value === 'object' && value !== null) putObject(value, depth)
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw REFUSED
    putReady(`i${value}e`)
  } else if (typeof value === 'boolean') putReady(value ? 'i1e' : 'i0e')
  else if (typeof value === 'bigint') {
    if (value !== BigInt.asIntN(64, value)) throw REFUSED
    putReady(`i${value}e`)
  } else throw REFUSED
}

function putString(value: string): void {
  const length = exact ? Buffer.byteLength(value) : value.length
  words[tape++] = length
  putText(value, length)
}

function putReady(bencode: string): void {
  words[tape++] = -bencode.length
  putText(bencode, bencode.length)
}

function putText(piece: string, length: number): void {
  textBytes += length
  if (textBytes > MAX_INPUT) throw REFUSED
  text += piece
}

function putBytes(value: Uint8Array): void {
  if (text !== '') stageText()
  if (value.length > MAX_INPUT - staged) throw REFUSED
  copyIn(value, INPUT + staged)
  staged += value.length
  words[tape++] = value.length
}

function putObject(value: object, depth: number): void {
  if (Array.isArray(value)) {
    open(OPEN_LIST, depth)
    for (let i = 0; i < value.length; i++) {
      put(value[i], depth + 1)
      checkRoom()
    }
    words[tape++] = CLOSE
    return
  }
  const prototype = Object.getPrototypeOf(value)
  const plain = prototype === Object.prototype || prototype === null
  if (!plain && isUint8Array(value)) {
    putBytes(value)
    return
  }
  open(OPEN_DICTIONARY, depth)
  if (!plain && isMap(value)) {
    for (const [key, item] of value) {
      if (item === undefined || item === null) continue
      if (typeof key === 'string') putKey(key)
      else if (isUint8Array(key)) putBytes(key)
      else throw REFUSED
      put(item, depth + 1)
      checkRoom()
    }
  } else {
    // Objects of another realm (vm, test runners) have an Object.prototype of their own.
    if (!plain && Object.getPrototypeOf(prototype) !== null) {
      throw REFUSED
    }
    const dictionary = value as Record<string, unknown>
    // for-in is faster than Object.keys, but would show what someone has put on Object.prototype.
    if (isBare(prototype)) for (const key in dictionary) putEntry(key, dictionary[key], depth)
    else for (const key of Object.keys(dictionary)) putEntry(key, dictionary[key], depth)
  }
  words[tape++] = CLOSE
}

function open(mark: number, depth: number): void {
  if (depth === MAX_DEPTH) throw REFUSED
  words[tape++] = mark
}

function isBare(prototype: object | null): boolean {
  for (const _ in prototype) return false
  return true
}

function putEntry(key: string, item: unknown, depth: number): void {
  if (item === undefined || item === null) return
  putKey(key)
  put(item, depth + 1)
  checkRoom()
}

function putKey(key: string): void {
  const guess = followers[last]!
  if (names[guess] === key) {
    last = guess
    words[tape++] = KEY + guess
  } else putOtherKey(key)
}

function putOtherKey(key: string): void {
  const slot = slots.get(key) ?? learn(key)
  if (slot === undefined) {
    putString(key)
    return
  }
  followers[last] = slot
  last = slot
  words[tape++] = KEY + slot
}

function learn(key: string): number | undefined {
  const bencode = `${key.length}:${key}`
  const slot = slots.size
  if (slot === SLOTS || bencode.length > SLOT_ROOM || Buffer.byteLength(key) !== key.length) return undefined
  const at = ENCODE_SLOTS + slot * SLOT_SIZE
  words[at >> 2] = bencode.length
  memory.write(bencode, at + SLOT_TEXT, 'latin1')
  slots.set(key, slot)
  names.push(key)
  return slot
}

function checkRoom(): void {
  if (tape > LAST_TOKEN) throw REFUSED
}

/** For decoding too. */
export function refuseReentry(): void {
  if (encoding) throw new BencodeError('a getter of a value being encoded must not encode or decode')
}
