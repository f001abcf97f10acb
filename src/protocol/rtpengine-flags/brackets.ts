import type { BencodeInput } from '../../core/bencode.ts'
import { FlagError } from '../../errors.ts'
import { closingBracket } from './tokens.ts'
import { dictionaryOf, isDictionary, joined } from './values.ts'

/** Brackets inside the outermost ones. */
const MAX_DEPTH = 8
/** Between two brackets. */
const MAX_BYTES = 4096

/**
 * Reads the value in brackets that opens at `at`: a dictionary if there is a `=` in it that stands in no inner bracket,
 * otherwise a list. In texts, `..` stands for a space and `--` for `=`.
 *
 * @throws FlagError also for what the module skips with a warning: an item without a value between keys.
 */
export function readBracket(flags: string, at: number, depth = 0): BencodeInput {
  if (depth > MAX_DEPTH) throw new FlagError(flags, at, `brackets deeper than ${MAX_DEPTH} levels at ${at}`)
  const end = closingBracket(flags, at)
  if (Buffer.byteLength(flags.slice(at + 1, end)) > MAX_BYTES)
    throw new FlagError(flags, at, `more than ${MAX_BYTES} bytes in the bracket at ${at}`)
  return isKeyed(flags, at + 1, end)
    ? readDictionary(flags, at + 1, end, depth)
    : readList(flags, at + 1, end, depth)
}

function isKeyed(flags: string, start: number, end: number): boolean {
  let depth = 0
  for (let i = start; i < end; i++) {
    if (flags[i] === '[') depth++
    else if (flags[i] === ']') depth--
    else if (flags[i] === '=' && depth === 0) return true
  }
  return false
}

function readList(flags: string, start: number, end: number, depth: number): BencodeInput {
  const list: BencodeInput[] = []
  for (let at = nextItem(flags, start, end); at < end; at = nextItem(flags, at, end)) {
    const stop = valueEnd(flags, at, end)
    list.push(readValue(flags, at, stop, depth))
    at = stop
  }
  return list
}

function readDictionary(flags: string, start: number, end: number, depth: number): BencodeInput {
  const pairs = new Map<string, BencodeInput>()
  for (let at = nextItem(flags, start, end); at < end; at = nextItem(flags, at, end)) {
    const key = /^[^ =]*/.exec(flags.slice(at, end))![0]
    const valueAt = at + key.length + 1
    if (key === '') throw new FlagError(flags, at, `nothing stands before the '=' at ${at}`)
    if (valueAt >= end || flags[valueAt - 1] !== '=' || flags[valueAt] === ' ')
      throw new FlagError(flags, at, `'${key}' at ${at} has no value, but stands between keys`)
    const stop = valueEnd(flags, valueAt, end)
    pairs.set(key, joined(pairs.get(key), readValue(flags, valueAt, stop, depth)))
    at = stop
  }
  return dictionaryOf(pairs)
}

function nextItem(flags: string, at: number, end: number): number {
  while (at < end && flags[at] === ' ') at++
  return at
}

function valueEnd(flags: string, at: number, end: number): number {
  if (flags[at] === '[') {
    const close = closingBracket(flags, at)
    if (close >= end) throw new FlagError(flags, at, `the bracket at ${at} is not closed`)
    return close + 1
  }
  const space = flags.indexOf(' ', at)
  return space < 0 ? end : Math.min(space, end)
}

function readValue(flags: string, at: number, end: number, depth: number): BencodeInput {
  if (flags[at] === '[') return readBracket(flags, at, depth + 1)
  return flags.slice(at, end).replace(/--|\.\./g, (written) => (written === '--' ? '=' : ' '))
}

/** The value as it stands in a flag string; undefined for what no brackets can hold. */
export function writeBracket(value: BencodeInput, depth = 0): string | undefined {
  if (typeof value === 'string' && depth > 0) return value.replaceAll('=', '--').replaceAll(' ', '..')
  if (depth > MAX_DEPTH) return undefined
  const items = Array.isArray(value)
    ? value.map((item) => writeBracket(item, depth + 1))
    : isDictionary(value)
      ? Object.entries(value).map(([key, item]) => `${key}=${writeBracket(item, depth + 1)}`)
      : [undefined]
  return items.includes(undefined) ? undefined : `[${items.join(' ')}]`
}
