import { decode, encode } from '../../core/bencode.ts'
import { CallMemory } from '../../nodes/affinity/calls.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'

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

interface Entry {
  readonly viaBranch: string | undefined
  /** The last exchange that was completed, and the offer that is waiting for its answer. */
  complete: Dialog | undefined
  pending: Dialog | undefined
}

/** The last offer and answer of each call, so that it can be set up again elsewhere; kept as long as the call itself. */
export class Dialogs {
  readonly #memory: CallMemory<Entry>

  /** @param limit branches of calls kept at most; the least recently used goes first. */
  constructor(limit: number, lifetimeMs: number) {
    this.#memory = new CallMemory({ limit, lifetimeMs })
  }

  get size(): number {
    return this.#memory.size
  }

  /** An offer or answer was accepted. */
  note({ name, datagram, callId, viaBranch, set, sum }: NotedCommand): void {
    if (callId === undefined) return
    // An answer may name no branch, or the one of its own transaction: then it is to the offer made last.
    const known = this.#memory.find(callId, viaBranch)
    if (name === 'offer') {
      const entry =
        known !== undefined && known.viaBranch === viaBranch
          ? known
          : { viaBranch, complete: undefined, pending: undefined }
      entry.pending = { set: set.id, sum, offer: datagram, answer: undefined }
      this.#memory.keep(callId, viaBranch, entry)
      return
    }
    const offered = known?.pending ?? known?.complete
    if (known === undefined || offered === undefined) return
    // A provisional answer is followed by another to the same offer (RFC 3261, 13.2.1: they agree).
    known.complete = { ...offered, answer: datagram }
    known.pending = undefined
  }

  /** What to replay: the last exchange that was completed, else the offer alone. */
  get(callId: string, viaBranch: string | undefined): Dialog | undefined {
    const entry = this.#memory.find(callId, viaBranch)
    return entry?.viaBranch === viaBranch ? (entry?.complete ?? entry?.pending) : undefined
  }

  /** The call, or with `viaBranch` that branch of it, is over. */
  forget(callId: string, viaBranch: string | undefined): void {
    this.#memory.forget(callId, viaBranch)
  }

  close(): void {
    this.#memory.close()
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
