import { isUint8Array } from 'node:util/types'
import { BencodeError } from '../../errors.ts'
import { type BencodeInput, encode } from '../bencode.ts'
import { MAX_INPUT } from '../instance.ts'
import { Reader } from '../plain/reader.ts'

/** A value that was decoded outside the core, its strings as Buffers that are views into the input. */
export type LargeValue = Buffer | number | bigint | LargeValue[] | Map<string, LargeValue>

/** Largest message to a stream. */
const MAX_LARGE = 1 << 20

const SETTINGS = {
  string: (bytes: Buffer, start: number, end: number) => bytes.subarray(start, end),
  dictionaries: 'map',
  maxDepth: 64,
  tolerant: false,
} as const

/**
 * Decodes a dictionary of any length from `offset` on: what only streams carry is rare and large, and no hot path, so plain JavaScript
 * serves; the core takes 65,535 bytes.
 *
 * @throws BencodeError
 */
export function decodeLarge(bytes: Buffer, offset: number): Map<string, LargeValue> {
  const value = new Reader(bytes, SETTINGS, offset).whole()
  if (!(value instanceof Map)) throw new BencodeError('not a dictionary', offset)
  return value
}

/**
 * `encode` of a dictionary that may have long strings, such as a file to be played: one that has is encoded outside the core.
 *
 * @throws BencodeError as `encode`, and for more than `MAX_LARGE` bytes.
 */
export function encodeLarge(dictionary: { readonly [key: string]: BencodeInput | null | undefined }): Buffer {
  return Object.values(dictionary).some(isLong)
    ? encode(dictionary, { maxBytes: MAX_LARGE })
    : encode(dictionary)
}

/** Whether a string could make the dictionary too large for the core. */
function isLong(value: BencodeInput | null | undefined): boolean {
  if (typeof value === 'string') return value.length * 3 > MAX_INPUT / 4
  return isUint8Array(value) && value.length > MAX_INPUT / 4
}
