/** The release of rtpengine that is the first known to have something: 10.5 or one before it, or one after it. */
export type Since = '10.5' | 'later'

/** What a key takes. `on` and `off` are the words that true and false stand for. */
export type Value =
  | { readonly kind: 'text' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'integer'; readonly least: number }
  | { readonly kind: 'integers' }
  | { readonly kind: 'digit' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'source' }
  | {
      readonly kind: 'choice'
      readonly values: readonly string[]
      readonly on?: string
      readonly off?: string
    }
  | {
      readonly kind: 'list'
      /** All there are; none: any. */
      readonly values: readonly string[]
      /** Beginnings of further values. */
      readonly prefixes: readonly string[]
      /** What may stand behind a beginning, several with `;` between them; none: anything. */
      readonly ends: readonly string[]
      /** Those of `values` and `prefixes` that 10.5 does not know. */
      readonly later: readonly string[]
      /** How a single value is sent: 10.5 reads some keys from a text alone, and the others from a list alone. */
      readonly single: 'list' | 'text'
    }
  | { readonly kind: 'flags' }
  | {
      readonly kind: 'dictionary'
      readonly entries: { readonly [key: string]: Value }
      /** Those of `entries` that 10.5 does not know. */
      readonly later: readonly string[]
    }
  | { readonly kind: 'dictionaries' }
  | { readonly kind: 'pairs' }
  | { readonly kind: 'attributes' }

export const TEXT = { kind: 'text' } as const
export const BYTES = { kind: 'bytes' } as const
/** A whole number from 0 on. */
export const COUNT = { kind: 'integer', least: 0 } as const
export const NUMBER = { kind: 'integer', least: Number.MIN_SAFE_INTEGER } as const
/** One number, several, or several in a string with commas. */
export const NUMBERS = { kind: 'integers' } as const
/** 0 to 15, or one of `0123456789*#ABCD`. */
export const DIGIT = { kind: 'digit' } as const
/** Milliseconds between digits, or `yes`, `on`, `true`. */
export const PAUSE = { kind: 'pause' } as const
/** `IP4` or `IP6` and an address, or an address alone. */
export const SOURCE = { kind: 'source' } as const
/** Any strings. */
export const NAMES = {
  kind: 'list',
  values: [],
  prefixes: [],
  ends: [],
  later: [],
  single: 'list',
} as const
export const FLAG_LIST = { kind: 'flags' } as const
export const DICTIONARIES = { kind: 'dictionaries' } as const
/** By section of the SDP: `ATTRIBUTE_CHANGES`. */
export const ATTRIBUTES = { kind: 'attributes' } as const
/** What becomes of attributes of the SDP: lists of those to add and to remove, and of pairs of what is there and what is to stand there. */
export const ATTRIBUTE_CHANGES = { add: NAMES, remove: NAMES, substitute: { kind: 'pairs' } } as const

export function choice<const V extends readonly string[], const On extends string, const Off extends string>(
  values: V,
  on: On,
  off: Off,
): { readonly kind: 'choice'; readonly values: V; readonly on: On; readonly off: Off }
export function choice<const V extends readonly string[]>(
  values: V,
): { readonly kind: 'choice'; readonly values: V }
export function choice(values: readonly string[], on?: string, off?: string): Value {
  return on === undefined || off === undefined
    ? { kind: 'choice', values }
    : { kind: 'choice', values, on, off }
}

export type List = Extract<Value, { kind: 'list' }>
export type Dictionary = Extract<Value, { kind: 'dictionary' }>

export function list<const V extends readonly string[]>(
  values: V,
  { prefixes = [], ends = [], later = [], single = 'list' }: Partial<Omit<List, 'kind' | 'values'>> = {},
): Omit<List, 'values'> & { readonly values: V } {
  return { kind: 'list', values, prefixes, ends, later, single }
}

export function dictionary<const E extends { readonly [key: string]: Value }>(
  entries: E,
  later: readonly string[] = [],
): { readonly kind: 'dictionary'; readonly entries: E; readonly later: readonly string[] } {
  return { kind: 'dictionary', entries, later }
}

interface Rest {
  readonly since?: Since
  /** Whether rtpengine's manual has it, not only its source. Default true. */
  readonly documented?: boolean
}

/** A key, its other spellings, and what it takes. */
export interface Key {
  readonly name: string
  readonly spellings: readonly string[]
  readonly value: Value
  readonly about: string
  readonly since: Since
  readonly documented: boolean
}

export function key<const N extends string, const S extends readonly string[], const V extends Value>(
  name: N,
  spellings: S,
  value: V,
  about: string,
  { since = '10.5', documented = true }: Rest = {},
): Flag & { readonly name: N; readonly spellings: S; readonly value: V } {
  return { name, spellings, value, about, since, documented }
}

/** A value of the list `flags`, and its other spellings. */
export type Flag = Omit<Key, 'value'>

export function flag<const N extends string, const S extends readonly string[]>(
  name: N,
  spellings: S,
  about: string,
  { since = '10.5', documented = true }: Rest = {},
): Flag & { readonly name: N; readonly spellings: S } {
  return { name, spellings, about, since, documented }
}
