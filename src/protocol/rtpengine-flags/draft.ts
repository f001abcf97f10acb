import type { BencodeInput } from '../../core/bencode.ts'
import type { RtpengineFlags } from './flags.ts'
import { failure, type Token } from './tokens.ts'
import { dictionaryOf, frozen, joined } from './values.ts'
import { transportBits, transportName } from './words.ts'

/** What has words of its own, in the order in which the modules write it behind all other pairs. */
const WORDED = [
  'direction',
  'flags',
  'replace',
  'codec',
  'transport-protocol',
  'rtcp-mux',
  'SDES',
  'T.38',
  'from-tags',
] as const
type ListName = Exclude<(typeof WORDED)[number], 'codec' | 'transport-protocol'>

/** `publish` is unknown to the modules, but carries SDP with all that concerns it, like the other two. */
const SDP_COMMANDS: ReadonlySet<string> = new Set(['offer', 'answer', 'publish'])
/** Lists that go along with any command. */
const FREE_LISTS: ReadonlySet<string> = new Set(['flags', 'from-tags'])

/** What the items of a flag string read so far ask for. */
export class FlagDraft {
  viaBranch: RtpengineFlags['viaBranch']
  callId: string | undefined
  fromTag: string | undefined
  toTag: string | undefined
  receivedFrom: string | undefined
  sendsToTag = false
  directional = false
  #forceAnswer = false
  readonly #command: string
  readonly #pairs = new Map<string, BencodeInput>()
  readonly #lists = new Map<string, string[]>()
  readonly #codec = new Map<string, string[]>()
  #transport: number | undefined

  constructor(command: string) {
    this.#command = command
  }

  /** A pair of the dictionary. */
  add(key: string, value: BencodeInput): void {
    this.#pairs.set(key, joined(this.#pairs.get(key), value))
  }

  /** One more value of a list. Commands without SDP have nothing to replace or direct; the modules drop it there. */
  push(list: ListName, value: string): void {
    if (FREE_LISTS.has(list) || SDP_COMMANDS.has(this.#command)) append(this.#lists, list, value)
  }

  pushCodec(list: string, value: string): void {
    if (SDP_COMMANDS.has(this.#command)) append(this.#codec, list, value)
  }

  addTransport(word: string): void {
    this.#transport = transportBits(this.#transport, word)
  }

  forceAnswer(token: Token): void {
    const command = this.#forceAnswer ? 'answer' : this.#command
    if (command !== 'offer') throw failure(token, `cannot turn ${command} into an answer`)
    this.#forceAnswer = true
  }

  finish(): RtpengineFlags {
    const worded = new Map<string, BencodeInput>(this.#lists)
    if (this.#codec.size > 0) worded.set('codec', dictionaryOf(this.#codec))
    if (this.#transport !== undefined) worded.set('transport-protocol', transportName(this.#transport))
    for (const name of WORDED) {
      const value = worded.get(name)
      if (value !== undefined) this.add(name, value)
    }
    return frozen({
      parameters: dictionaryOf(this.#pairs),
      viaBranch: this.viaBranch,
      callId: this.callId,
      fromTag: this.fromTag,
      toTag: this.toTag,
      sendsToTag: this.sendsToTag,
      receivedFrom: this.receivedFrom,
      directional: this.directional,
      forceAnswer: this.#forceAnswer,
    })
  }
}

function append(lists: Map<string, string[]>, name: string, value: string): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [value])
  else list.push(value)
}
