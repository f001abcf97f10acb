import { isDeepStrictEqual } from 'node:util'
import type { BencodeInput } from '../../core/bencode.ts'
import { FlagError } from '../../errors.ts'
import type { RtpengineFlags } from './flags.ts'
import { isDictionary } from './values.ts'
import { isTransportName } from './words.ts'

/** How one of the modules reads and writes. */
export interface Grammar {
  /** For messages. */
  readonly name: string
  readonly parse: (text: string, command: string) => RtpengineFlags
  /** The items for a list or dictionary, or an empty text for what has none. */
  readonly write: (key: string, value: BencodeInput, flags: RtpengineFlags) => string
}

/** What stands in the string for one property, or one pair of the dictionary. */
interface Part {
  readonly name: string
  readonly text: string
}

/**
 * Prints in a grammar, and reads the text again: whatever the grammar lacks shows then, without rules of its own.
 *
 * @throws FlagError with the text that comes closest, and the place in it where something else is meant.
 */
export function printFlags(flags: RtpengineFlags, grammar: Grammar): string {
  const parts = partsOf(flags, grammar)
  const text = parts.map((part) => part.text).join(' ')
  const read = readAgain(text, grammar)
  if (!(read instanceof FlagError) && isDeepStrictEqual(comparable(read), comparable(flags))) return text
  const wrong = read instanceof FlagError ? partAt(parts, read.offset) : changedIn(flags, read)
  const at = startOf(parts, wrong)
  throw new FlagError(text, at, `flags of ${grammar.name} cannot say ${wrong} as it is`)
}

function partsOf(flags: RtpengineFlags, grammar: Grammar): Part[] {
  const { parameters, viaBranch } = flags
  const parts: Part[] = []
  const put = (name: string, text: string) => {
    if (text !== '') parts.push({ name, text })
  }
  for (const [key, value] of Object.entries(parameters)) put(key, wordFor(key, value, flags, grammar))
  if (typeof viaBranch === 'string') put('via-branch', `via-branch=${viaBranch}`)
  else if (viaBranch !== undefined) put('via-branch', `via-branch-param=${viaBranch.value}`)
  for (const name of ['call-id', 'from-tag', 'received-from'] as const) {
    const value = flags[PROPERTIES[name]]
    if (value !== undefined) put(name, `${name}=${value}`)
  }
  if (flags.toTag !== undefined) put('to-tag', `to-tag=${flags.toTag}`)
  else if (flags.sendsToTag) put('to-tag', 'to-tag')
  if (flags.forceAnswer) put('force-answer', 'force-answer')
  return parts
}

const PROPERTIES = { 'call-id': 'callId', 'from-tag': 'fromTag', 'received-from': 'receivedFrom' } as const

function wordFor(key: string, value: BencodeInput, flags: RtpengineFlags, grammar: Grammar): string {
  if (key === 'transport-protocol' && isTransportName(value)) return value
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  return isScalar ? `${key}=${value}` : grammar.write(key, value, flags)
}

function readAgain(text: string, { parse }: Grammar): RtpengineFlags | FlagError {
  try {
    // Nothing but an offer may be forced to be an answer, and nothing is left out of one.
    return parse(text, 'offer')
  } catch (error) {
    if (error instanceof FlagError) return error
    throw error
  }
}

/** The order of pairs says nothing to rtpengine; objects without a prototype are like any other. */
function comparable({ parameters, ...others }: RtpengineFlags): unknown {
  return [plain(parameters), others.viaBranch, { ...others, viaBranch: undefined }]
}

function plain(value: BencodeInput): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isDictionary(value)) return typeof value === 'bigint' ? Number(value) : value
  return new Map(
    Object.entries(value)
      .map(([key, item]): [string, unknown] => [key, plain(item)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The first pair or property that was read as something else. */
function changedIn(flags: RtpengineFlags, read: RtpengineFlags): string {
  const [before, after] = [flags.parameters, read.parameters]
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    if (!isDeepStrictEqual(plain(before[key] ?? NOTHING), plain(after[key] ?? NOTHING))) return key
  const names = Object.keys(flags) as (keyof RtpengineFlags)[]
  return names.find((name) => name !== 'parameters' && !isDeepStrictEqual(flags[name], read[name]))!
}

/** No value of a flag string is an empty list: its items have texts. */
const NOTHING: readonly string[] = []

/** Name of the part in which the character at `offset` stands. */
function partAt(parts: readonly Part[], offset: number): string {
  const isBefore = ({ name, text }: Part) => startOf(parts, name) + text.length < offset
  return parts.find((part) => !isBefore(part))!.name
}

/** Where the part called so begins; one that is not there, at the end. */
function startOf(parts: readonly Part[], name: string): number {
  const index = parts.findIndex((part) => part.name === name)
  const before = index < 0 ? parts : parts.slice(0, index)
  return before.reduce((at, { text }) => at + text.length + 1, 0)
}
