import type { BencodeInput } from '../../core/bencode.ts'

export interface Dictionary {
  readonly [key: string]: BencodeInput
}

/** Whether it is a plain object. */
export function isDictionary(value: BencodeInput | undefined): value is Dictionary {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A key such as `__proto__` becomes a key like any other. */
export function dictionaryOf(pairs: ReadonlyMap<string, BencodeInput>): Dictionary {
  return Object.fromEntries(pairs)
}

/**
 * One value for a key given twice. The modules write both pairs, and rtpengine reads one after the other: lists add up
 * (text in place of a list is one with commas), dictionaries too, and of anything else the last one stands.
 */
export function joined(first: BencodeInput | undefined, second: BencodeInput): BencodeInput {
  if (Array.isArray(first) || Array.isArray(second)) {
    const [head, tail] = [listOf(first), listOf(second)]
    return head && tail ? [...head, ...tail] : second
  }
  if (!isDictionary(first) || !isDictionary(second)) return second
  const pairs = new Map(Object.entries(first))
  for (const [key, value] of Object.entries(second)) pairs.set(key, joined(pairs.get(key), value))
  return dictionaryOf(pairs)
}

function listOf(value: BencodeInput | undefined): readonly BencodeInput[] | undefined {
  if (typeof value === 'string') return value === '' ? [] : value.split(',')
  return Array.isArray(value) ? value : undefined
}

/** Freezes it and all in it. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const item of Object.values(Object.freeze(value))) frozen(item)
  return value
}
