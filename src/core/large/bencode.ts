import { isUint8Array } from 'node:util/types'
import { BencodeError } from '../../errors.ts'
import { type BencodeInput, encode } from '../bencode.ts'
import { MAX_INPUT } from '../instance.ts'

/** Longest string, and deepest nesting, of a value that comes over a stream. */
const MAX_STRING = 1 << 20
const MAX_DEPTH = 64
const COLON = 0x3a
const E = 0x65

/** A value that was decoded outside the core, its strings as Buffers that are views into the input. */
export type LargeValue = Buffer | number | bigint | LargeValue[] | Map<string, LargeValue>

/**
 * Decodes a dictionary of any length from `offset` on: what only streams carry is rare and large, and no hot path, so plain JavaScript
 * serves; the core takes 65,535 bytes.
 *
 * @throws BencodeError
 */
export function decodeLarge(bytes: Buffer, offset: number): Map<string, LargeValue> {
  const cursor = { bytes, at: offset }
  const value = read(cursor, 0)
  if (!(value instanceof Map)) throw new BencodeError('not a dictionary', offset)
  if (cursor.at !== bytes.length) throw new BencodeError('the input goes on behind the value', cursor.at)
  return value
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function read(cursor: Cursor, depth: number): LargeValue {
  if (depth > MAX_DEPTH) throw new BencodeError('nested too deeply', cursor.at)
  const { bytes } = cursor
  switch (bytes[cursor.at]) {
    case 0x69:
      return readInteger(cursor)
    case 0x6c: {
      const list: LargeValue[] = []
      for (cursor.at++; bytes[cursor.at] !== E; ) list.push(read(cursor, depth + 1))
      cursor.at++
      return list
    }
    case 0x64: {
      const dictionary = new Map<string, LargeValue>()
      for (cursor.at++; bytes[cursor.at] !== E; ) {
        const key = readString(cursor).toString()
        dictionary.set(key, read(cursor, depth + 1))
      }
      cursor.at++
      return dictionary
    }
    default:
      return readString(cursor)
  }
}

function readInteger(cursor: Cursor): number | bigint {
  const end = cursor.bytes.indexOf(E, cursor.at)
  const text = cursor.bytes.toString('latin1', cursor.at + 1, Math.min(end, cursor.at + 22))
  if (end < 0 || !/^-?(?:0|[1-9][0-9]{0,18})$/.test(text)) throw new BencodeError('not an integer', cursor.at)
  cursor.at = end + 1
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}

function readString(cursor: Cursor): Buffer {
  const { bytes, at } = cursor
  const colon = bytes.indexOf(COLON, at)
  const digits = colon < 0 ? '' : bytes.toString('latin1', at, Math.min(colon, at + 9))
  const length = Number(digits)
  if (!/^(?:0|[1-9][0-9]*)$/.test(digits) || colon - at > 8 || length > MAX_STRING)
    throw new BencodeError('no value begins', at)
  const start = colon + 1
  if (start + length > bytes.length) throw new BencodeError('a string is longer than what is left', at)
  cursor.at = start + length
  return bytes.subarray(start, start + length)
}

/**
 * `encode` of a dictionary that may have long strings, such as a file to be played: those of its values are joined here, the rest goes
 * through the core.
 *
 * @throws BencodeError as `encode`.
 */
export function encodeLarge(dictionary: { readonly [key: string]: BencodeInput | null | undefined }): Buffer {
  const long = Object.entries(dictionary).filter(([, value]) => isLong(value))
  if (long.length === 0) return encode(dictionary)
  const rest: Record<string, BencodeInput | null | undefined> = Object.assign(Object.create(null), dictionary)
  const parts: Buffer[] = [Buffer.from('d')]
  for (const [key, value] of long) {
    delete rest[key]
    const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value as Uint8Array)
    if (bytes.length > MAX_STRING) throw new BencodeError(`${key}: longer than ${MAX_STRING} bytes`)
    parts.push(encode(key), Buffer.from(`${bytes.length}:`), bytes)
  }
  parts.push(encode(rest).subarray(1))
  return Buffer.concat(parts)
}

/** Whether a string could make the dictionary too large for the core. */
function isLong(value: BencodeInput | null | undefined): boolean {
  if (typeof value === 'string') return value.length * 3 > MAX_INPUT / 4
  return isUint8Array(value) && value.length > MAX_INPUT / 4
}
