import { isIPv6 } from 'node:net'
import { isMap } from 'node:util/types'
import type { BencodeInput } from '../../core/bencode.ts'
import { ParameterError } from '../../errors.ts'
import { checkGiven } from './given.ts'
import { keyOf } from './keys.ts'
import type { NgParameters } from './types.ts'
import type { Value } from './values.ts'

/**
 * What goes into the dictionary of a command: `null` and `undefined` left out, booleans as the words rtpengine knows for them, single
 * values and text with commas as lists where 10.5 passes over anything else, lists of one as text where it wants text. Keys are spelled as
 * every release knows them: 10.5 does not know all spellings of later ones.
 *
 * @throws ParameterError for the same key in two spellings, and for what are no parameters.
 */
export function wireParameters(command: string, parameters: NgParameters): Record<string, BencodeInput> {
  checkGiven(command, parameters)
  const entries = new Map<string, BencodeInput>()
  const seen = new Map<string, string>()
  for (const [spelling, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || spelling === 'command') continue
    const key = keyOf(spelling)
    const name = key?.name ?? spelling
    const other = seen.get(name)
    if (other !== undefined)
      throw new ParameterError(command, spelling, `'${other}' and '${spelling}' are the same parameter`)
    seen.set(name, spelling)
    entries.set(name, key === undefined ? value : wired(key.value, value))
  }
  return Object.fromEntries(entries)
}

function wired(value: Value, given: BencodeInput): BencodeInput {
  switch (value.kind) {
    case 'text':
      return typeof given === 'number' ? String(given) : given
    case 'choice':
      if (typeof given !== 'boolean' || value.on === undefined) return given
      return given ? value.on : value.off!
    case 'pause':
      return given === true ? 'yes' : given
    case 'digit':
      return typeof given === 'string' ? given.toUpperCase() : given
    case 'source':
      return typeof given === 'string' ? [isIPv6(given) ? 'IP6' : 'IP4', given] : given
    case 'list': {
      const items = listOf(given)
      const [only] = Array.isArray(items) && items.length === 1 ? items : []
      return value.single === 'text' && typeof only === 'string' ? only : items
    }
    case 'flags':
      return listOf(given)
    case 'dictionary':
      return dictionaryOf(value.entries, given)
    case 'dictionaries':
      return Array.isArray(given) ? given : [given]
    default:
      return given
  }
}

function listOf(given: BencodeInput): BencodeInput {
  if (typeof given !== 'string') return given
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function dictionaryOf(entries: { readonly [key: string]: Value }, given: BencodeInput): BencodeInput {
  const wiredItem = (key: unknown, item: BencodeInput | null | undefined) => {
    const value = typeof key === 'string' && Object.hasOwn(entries, key) ? entries[key] : undefined
    return value === undefined || item === undefined || item === null ? item : wired(value, item)
  }
  if (isMap(given)) return new Map([...given].map(([key, item]) => [key, wiredItem(key, item)]))
  // What is no plain object is left for `encode` to refuse.
  if (!isPlain(given)) return given
  return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, wiredItem(key, item)]))
}

function isPlain(given: BencodeInput): given is { readonly [key: string]: BencodeInput | null | undefined } {
  if (typeof given !== 'object' || Array.isArray(given)) return false
  const prototype = Object.getPrototypeOf(given)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
