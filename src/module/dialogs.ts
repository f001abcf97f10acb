import { decode, encode } from '../core/bencode.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'

const ROOM = COOKIE_LENGTH + 1

/** The part of a finished command that a dialog keeps. */
export interface NotedCommand {
  readonly name: string
  readonly datagram: Buffer
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
  readonly set: { readonly id: number }
  readonly sum: number
}

/** The last offer of a call and its answer, if there is one yet; as datagrams with room for a new cookie. */
export interface Dialog {
  readonly set: number
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
  readonly offer: Buffer
  readonly answer: Buffer | undefined
}

/** Branches kept of one call: more than any fork makes. */
const MAX_BRANCHES = 64

interface Entry {
  /** The last exchange that was completed, and the offer that is waiting for its answer. */
  complete: Dialog | undefined
  pending: Dialog | undefined
}

/** The last offer and answer of each call, so that it can be set up again elsewhere. Bounded; least recently used goes first. */
export class Dialogs {
  readonly #limit: number
  /** By Call-ID, then by via-branch ('' for none). */
  readonly #calls = new Map<string, Map<string, Entry>>()

  /** @param limit calls kept at most. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  /** An offer or answer was accepted. */
  note({ name, datagram, callId, viaBranch = '', set, sum }: NotedCommand): void {
    if (callId === undefined) return
    const branches = this.#calls.get(callId) ?? new Map<string, Entry>()
    // An answer may name no branch, or the one of its own transaction: then it is to the offer made last.
    const branch =
      name === 'offer' || branches.has(viaBranch) ? viaBranch : ([...branches.keys()].at(-1) ?? '')
    const entry = branches.get(branch) ?? { complete: undefined, pending: undefined }
    if (name === 'offer') entry.pending = { set: set.id, sum, offer: datagram, answer: undefined }
    else {
      const offered = entry.pending ?? entry.complete
      if (offered === undefined) return
      // A provisional answer is followed by another to the same offer (RFC 3261, 13.2.1: they agree).
      entry.complete = { ...offered, answer: datagram }
      entry.pending = undefined
    }
    branches.delete(branch)
    branches.set(branch, entry)
    if (branches.size > MAX_BRANCHES) branches.delete(branches.keys().next().value!)
    this.#calls.delete(callId)
    this.#calls.set(callId, branches)
    if (this.#calls.size > this.#limit) this.#calls.delete(this.#calls.keys().next().value!)
  }

  /** What to replay: the last exchange that was completed, else the offer alone. */
  get(callId: string, viaBranch = ''): Dialog | undefined {
    const entry = this.#calls.get(callId)?.get(viaBranch)
    return entry?.complete ?? entry?.pending
  }

  /** The call, or with `viaBranch` that branch of it, is over. */
  forget(callId: string, viaBranch: string | undefined): void {
    const branches = this.#calls.get(callId)
    if (viaBranch !== undefined) branches?.delete(viaBranch)
    if (viaBranch === undefined || branches?.size === 0) this.#calls.delete(callId)
  }

  clear(): void {
    this.#calls.clear()
  }
}

/** The parties of a kept command. */
export function tagsOf(datagram: Buffer): { from: string; to: string | undefined } {
  const dictionary = decode(datagram.subarray(ROOM), 'utf8') as { 'from-tag': string; 'to-tag'?: string }
  return { from: dictionary['from-tag'], to: dictionary['to-tag'] }
}

/** The delete that ends at its old media proxy what a kept offer began there. */
export function deleteOf(offer: Buffer): Buffer {
  const kept = decode(offer.subarray(ROOM)) as Record<string, Buffer>
  const dictionary: Record<string, Buffer | string> = {}
  for (const key of ['call-id', 'via-branch', 'from-tag']) {
    const value = kept[key]
    if (value !== undefined) dictionary[key] = value
  }
  return Buffer.concat([Buffer.alloc(ROOM), encode({ ...dictionary, command: 'delete' })])
}
