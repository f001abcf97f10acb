import type { BencodeInput } from '../../core/bencode.ts'
import { readBracket, writeBracket } from './brackets.ts'
import { FlagDraft } from './draft.ts'
import type { RtpengineFlags } from './flags.ts'
import { type Grammar, printFlags } from './print.ts'
import { setCallId, sharedWords, type Word } from './shared-words.ts'
import { addressOf, failure, integerOf, type Token, textValue, tokensOf } from './tokens.ts'
import { TRANSPORT_WORDS } from './words.ts'

/** Other values of `replace-` and `rtcp-mux-` are flags like any other, which rtpengine takes apart itself. */
const REPLACED = ['origin', 'username', 'SDP-version', 'zero-address', 'session-name', 'session-connection']
const RTCP_MUX = ['demux', 'offer', 'reject', 'accept', 'require']

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ...sharedWords(['auto', 'extra']),
  // Their values, if any, do not count.
  ...TRANSPORT_WORDS.filter((key) => key !== 'DTLS').map((key): [string, Word] => [key, transport]),
  ...REPLACED.map((value): [string, Word] => [`replace-${value}`, (draft) => draft.push('replace', value)]),
  ...RTCP_MUX.map((value): [string, Word] => [`rtcp-mux-${value}`, (draft) => draft.push('rtcp-mux', value)]),
  ['callid', (draft, token) => (token.value === undefined ? unknown : setCallId)(draft, token)],
  [
    'via-branch-param',
    (draft, token) => {
      draft.viaBranch = { value: textValue(token) }
    },
  ],
  [
    'received-from',
    (draft, token) => {
      draft.receivedFrom = addressOf(token, textValue(token))
    },
  ],
  ['delete-delay', (draft, token) => draft.add(token.key, integerOf(token))],
  ['address-family', addressFamily],
  ['media-address', mediaAddress],
])

const GRAMMAR: Grammar = { name: 'OpenSIPS', parse: parseOpenSipsFlags, write }

/**
 * Reads a flag string as OpenSIPS's module `rtpengine` does: items parted by spaces, of which a value in brackets is a
 * list or a dictionary. What it does not know goes to the list `flags`, or with a value to the dictionary.
 *
 * @param command name of the NG command: those without SDP drop what concerns it, and only `offer` can be forced.
 * @throws FlagError with the place of the item that cannot be read.
 */
export function parseOpenSipsFlags(text: string, command: string): RtpengineFlags {
  const draft = new FlagDraft(command)
  const interfaces = new Interfaces()
  for (const token of tokensOf(text, true)) {
    if (!interfaces.take(token)) (WORDS.get(token.key) ?? unknown)(draft, token)
  }
  for (const name of interfaces.pair()) draft.push('direction', name)
  return draft.finish()
}

const INTERFACE_WORDS: ReadonlySet<string> = new Set(['internal', 'external', 'in-iface', 'out-iface'])

/** The two interfaces of `direction`, which must be given both or not at all. */
class Interfaces {
  #inward: Token | undefined
  #outward: Token | undefined

  /** False: the item is about something else. */
  take(token: Token): boolean {
    if (token.key === 'internal' || token.key === 'external') this.#takeNext({ ...token, value: token.key })
    else if (token.key === 'in-iface') this.#inward = token
    else if (token.key === 'out-iface') this.#outward = token
    else return false
    return true
  }

  #takeNext(token: Token): void {
    if (this.#inward === undefined) this.#inward = token
    else if (this.#outward === undefined) this.#outward = token
    else throw failure(token, 'is the third direction')
  }

  pair(): string[] {
    const [inward, outward] = [this.#inward, this.#outward]
    if (inward !== undefined && outward !== undefined) return [textValue(inward), textValue(outward)]
    const single = inward ?? outward
    if (single !== undefined) throw failure(single, 'needs its counterpart: in-iface and out-iface')
    return []
  }
}

function unknown(draft: FlagDraft, { flags, key, value, valueAt }: Token): void {
  if (value === undefined) draft.push('flags', key)
  else draft.add(key, value.startsWith('[') ? readBracket(flags, valueAt) : value)
}

function transport(draft: FlagDraft, { key }: Token): void {
  draft.addTransport(key)
}

function addressFamily(draft: FlagDraft, token: Token): void {
  const family = textValue(token)
  if (family !== 'IP4' && family !== 'IP6') throw failure(token, 'needs IP4 or IP6')
  draft.add(token.key, family)
}

function mediaAddress(draft: FlagDraft, token: Token): void {
  textValue(token)
  unknown(draft, token)
}

/**
 * A flag string that OpenSIPS's module reads as `flags`.
 *
 * @throws FlagError naming what its grammar cannot say: some branches, integers without a word of theirs, texts with
 *   `..` or `--` in a list.
 */
export function printOpenSipsFlags(flags: RtpengineFlags): string {
  return printFlags(flags, GRAMMAR)
}

/** Lists are written in brackets, not in words: those stand in commands without SDP too. */
function write(key: string, value: BencodeInput, flags: RtpengineFlags): string {
  if (key === 'flags' && Array.isArray(value) && value.length > 0) {
    const isPlain = value.every((flag) => (flag === 'directional' ? flags.directional : isUnknown(flag)))
    if (isPlain) return value.join(' ')
  }
  const bracket = writeBracket(value)
  return bracket === undefined ? '' : `${key}=${bracket}`
}

function isUnknown(flag: BencodeInput): boolean {
  return typeof flag === 'string' && /^[^ =]+$/.test(flag) && !WORDS.has(flag) && !INTERFACE_WORDS.has(flag)
}
