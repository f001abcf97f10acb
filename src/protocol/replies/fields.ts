import type { BencodeValue } from '../../core/bencode.ts'
import type { NgReply } from '../commands/replies.ts'

export type { NgReply } from '../commands/replies.ts'

export type NgValue = BencodeValue<string> | undefined

/** Longest integer of 64 bits, with its sign. */
const INTEGER = /^-?\d{1,19}$/
const DECIMAL = /^-?\d{1,19}(\.\d{1,19})?$/
/** Last moment a Date can tell, in milliseconds. */
const END_OF_TIME = 8.64e15

export function dictionary(value: unknown): NgReply | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as NgReply) : undefined
}

/** The value of a key; what objects inherit is no part of a reply. */
export function field(of: NgReply | undefined, key: string): NgValue {
  return of !== undefined && Object.hasOwn(of, key) ? of[key] : undefined
}

export function child(of: NgReply | undefined, key: string): NgReply | undefined {
  return dictionary(field(of, key))
}

export function list(of: NgReply | undefined, key: string): readonly NgValue[] {
  const value = field(of, key)
  return Array.isArray(value) ? value : []
}

/** The dictionaries in a list. */
export function children(of: NgReply | undefined, key: string): NgReply[] {
  return list(of, key)
    .map(dictionary)
    .filter((one) => one !== undefined)
}

/** The dictionaries a dictionary holds with their keys, or those a list holds, with no key. */
export function entries(of: NgReply | undefined, key: string): [key: string | undefined, value: NgReply][] {
  const value = field(of, key)
  if (Array.isArray(value)) return children(of, key).map((one) => [undefined, one])
  return Object.entries(dictionary(value) ?? {}).flatMap(([name, one]): [string, NgReply][] => {
    const found = dictionary(one)
    return found === undefined ? [] : [[name, found]]
  })
}

export function text(of: NgReply | undefined, key: string): string | undefined {
  const value = field(of, key)
  return typeof value === 'string' ? value : undefined
}

export function texts(of: NgReply | undefined, key: string): string[] {
  return list(of, key).filter((one) => typeof one === 'string')
}

/** A number where it is exact, else a bigint. */
export function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** An integer, also one sent as text. */
export function integer(of: NgReply | undefined, key: string): number | bigint | undefined {
  const value = field(of, key)
  if (typeof value === 'bigint') return exact(value)
  if (typeof value === 'string') return INTEGER.test(value) ? exact(BigInt(value)) : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

/** An integer that a number can tell exactly. */
export function whole(of: NgReply | undefined, key: string): number | undefined {
  const value = integer(of, key)
  return typeof value === 'number' ? value : undefined
}

/** An integer from 0 to `max`. */
export function unsigned(of: NgReply | undefined, key: string, max: number): number | undefined {
  const value = whole(of, key)
  return value !== undefined && value >= 0 && value <= max ? value : undefined
}

/** A number, also one sent as text: rtpengine has no other way to send fractions in bencode. */
export function decimal(of: NgReply | undefined, key: string): number | undefined {
  const value = field(of, key)
  if (typeof value === 'string') return DECIMAL.test(value) ? Number(value) : undefined
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A moment, sent as seconds since 1970. Zero stands for never. */
export function moment(of: NgReply | undefined, key: string, extraMs = 0): Date | undefined {
  const seconds = whole(of, key)
  if (seconds === undefined || seconds <= 0) return undefined
  const ms = seconds * 1000 + extraMs
  return ms <= END_OF_TIME ? new Date(ms) : undefined
}
