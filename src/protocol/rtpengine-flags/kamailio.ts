import type { BencodeInput } from '../../core/bencode.ts'
import { FlagDraft } from './draft.ts'
import type { RtpengineFlags, ViaBranchChoice } from './flags.ts'
import { type Grammar, printFlags } from './print.ts'
import { sharedWords, type Word } from './shared-words.ts'
import { addressOf, failure, integerOf, type Token, textValue, tokensOf } from './tokens.ts'
import { isDictionary } from './values.ts'
import { TRANSPORT_WORDS } from './words.ts'

/** `PREFIX-value` and `PREFIX=value` add to a list. The first prefix of a list is the one printed. */
const LIST_PREFIXES = [
  ['replace', 'replace'],
  ['SDES', 'SDES'],
  ['T.38', 'T.38'],
  ['T38', 'T.38'],
  ['rtcp-mux', 'rtcp-mux'],
] as const

/** The same for the lists in `codec`. */
const CODEC_PREFIXES = [
  ['transcode', 'transcode'],
  ['codec-transcode', 'transcode'],
  ['codec-strip', 'strip'],
  ['codec-offer', 'offer'],
  ['codec-mask', 'mask'],
  ['codec-set', 'set'],
  ['codec-except', 'except'],
  ['codec-accept', 'accept'],
  ['codec-consume', 'consume'],
] as const

const BRANCHES: readonly ViaBranchChoice[] = [
  'auto',
  'extra',
  'next',
  'auto-next',
  'next-auto',
  'auto-extra',
  'extra-auto',
]

/** rtpengine knows two interfaces: that of the sender, and that of the recipient. */
const MAX_DIRECTIONS = 2

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ...sharedWords(BRANCHES),
  ...TRANSPORT_WORDS.map((key): [string, Word] => [key, transport]),
  ['from-tags', (draft, token) => draft.push('from-tags', textValue(token))],
  ['TOS', integer],
  ['delete-delay', integer],
])

const GRAMMAR: Grammar = { name: 'Kamailio', parse: parseKamailioFlags, write }

/**
 * Reads a flag string as Kamailio's module `rtpengine` does: items without nesting, parted by spaces. What it does not
 * know goes to the list `flags`, or with a value to the dictionary as text.
 *
 * @param command name of the NG command: those without SDP drop what concerns it, and only `offer` can be forced.
 * @throws FlagError with the place of the item that cannot be read.
 */
export function parseKamailioFlags(text: string, command: string): RtpengineFlags {
  const draft = new FlagDraft(command)
  let directions = 0
  for (const token of tokensOf(text, false)) {
    const direction = directionOf(token)
    if (direction === undefined) read(draft, token)
    else {
      if (++directions > MAX_DIRECTIONS) throw failure(token, 'is the third direction')
      draft.push('direction', direction)
    }
  }
  return draft.finish()
}

function directionOf(token: Token): string | undefined {
  if (token.key === 'internal' || token.key === 'external') return token.key
  return token.key === 'direction' ? textValue(token) : undefined
}

function read(draft: FlagDraft, token: Token): void {
  for (const [prefix, list] of LIST_PREFIXES) {
    const value = prefixed(token, prefix)
    if (value !== undefined) {
      draft.push(list, value)
      return
    }
  }
  for (const [prefix, list] of CODEC_PREFIXES) {
    const value = prefixed(token, prefix)
    if (value !== undefined) {
      draft.pushCodec(list, value)
      return
    }
  }
  const source = prefixed(token, 'received-from')
  // The module sends every address given, of which rtpengine reads the first.
  if (source !== undefined) draft.receivedFrom ??= addressOf(token, source)
  else (WORDS.get(token.key) ?? unknown)(draft, token)
}

/** The value behind `PREFIX=` or, whatever value follows then, behind `PREFIX-`. */
function prefixed({ key, value }: Token, prefix: string): string | undefined {
  if (key === prefix) return value || undefined
  return key.startsWith(`${prefix}-`) ? key.slice(prefix.length + 1) || undefined : undefined
}

function unknown(draft: FlagDraft, { key, value }: Token): void {
  if (value === undefined) draft.push('flags', key)
  else draft.add(key, value)
}

function transport(draft: FlagDraft, token: Token): void {
  if (token.value === undefined) draft.addTransport(token.key)
  else unknown(draft, token)
}

function integer(draft: FlagDraft, token: Token): void {
  if (token.value === undefined) unknown(draft, token)
  else draft.add(token.key, integerOf(token))
}

/**
 * A flag string that Kamailio's module reads as `flags`.
 *
 * @throws FlagError naming what its grammar cannot say: nested dictionaries, lists without a word, spaces in a value.
 */
export function printKamailioFlags(flags: RtpengineFlags): string {
  return printFlags(flags, GRAMMAR)
}

function write(key: string, value: BencodeInput): string {
  if (key === 'codec' && isDictionary(value))
    return Object.entries(value)
      .map(([list, names]) => writeList(CODEC_PREFIXES.find(([, known]) => known === list)?.[0], names))
      .join(' ')
  if (key === 'flags' && Array.isArray(value)) return value.join(' ')
  if (key === 'direction' || key === 'from-tags') return writeList(key, value, '=')
  return writeList(LIST_PREFIXES.find(([, known]) => known === key)?.[0], value)
}

/** Written `PREFIX-value` where that can be; behind `PREFIX=` there may be one more `=`. */
function writeList(prefix: string | undefined, values: BencodeInput, sign?: '='): string {
  if (prefix === undefined || !Array.isArray(values)) return ''
  return values
    .map((value) => `${prefix}${sign ?? (String(value).includes('=') ? '=' : '-')}${value}`)
    .join(' ')
}
