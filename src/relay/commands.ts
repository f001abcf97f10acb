import { isIP } from 'node:net'
import { parseSdp, type SessionDescription } from '../core/sdp.ts'
import { Call, Dialogue, type Party } from './call.ts'
import type { RelaySettings } from './options.ts'
import { Ports } from './ports.ts'
import { bytesOf, type Reply, type Request, refusal } from './request.ts'
import { rewriteSdp } from './rewrite.ts'
import { statisticsReply } from './statistics.ts'

/** How many calls `list` names unless it is told. */
const LIST_LIMIT = 32
const NOT_FOUND = "Call-ID not found or tags didn't match"

/** Told of calls as they come and go. */
export interface CallObserver {
  created(call: Call): void
  deleted(call: Call): void
  timedOut(call: Call): void
}

/** The commands of the NG protocol on the calls of one relay, worded as rtpengine words them. */
export class Commands {
  readonly calls = new Map<string, Call>()
  protected readonly settings: RelaySettings
  protected readonly ports: Ports
  readonly #observer: CallObserver
  /** Ends with the work that was asked for last. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(settings: RelaySettings, observer: CallObserver) {
    this.settings = settings
    this.ports = new Ports(settings.portMin, settings.portMax)
    this.#observer = observer
  }

  /** Opening ports takes turns of the event loop, in which no other command may find half a call. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Carries out one command after those before it. Rejects with a `refusal` or the `SdpError` of a broken SDP. */
  execute(request: Request): Promise<Reply> {
    return this.#inTurn(() => this.dispatch(request))
  }

  /** Deletes every call that has been idle for too long. */
  expire(): Promise<void> {
    return this.#inTurn(() => {
      const now = Date.now()
      const { idleTimeoutMs, silentTimeoutMs } = this.settings
      for (const call of this.calls.values()) {
        if (now - call.lastActivity < (call.isMuted ? silentTimeoutMs : idleTimeoutMs)) continue
        this.#observer.timedOut(call)
        this.remove(call)
      }
    })
  }

  /** Deletes every call. */
  close(): Promise<void> {
    return this.#inTurn(() => {
      for (const call of this.calls.values()) this.remove(call)
    })
  }

  /** Carries out one command while no other is under way. */
  protected dispatch(request: Request): Reply | Promise<Reply> {
    switch (request.text('command')) {
      case undefined:
        throw refusal('Dictionary contains no key "command"')
      case 'ping':
        return { result: 'pong' }
      case 'offer':
        return this.#offer(request)
      case 'answer':
        return this.#answer(request)
      case 'delete':
        return this.#delete(request)
      case 'query':
        return this.#query(request)
      case 'list':
        return this.#list(request)
      default:
        throw refusal('Unrecognized command')
    }
  }

  async #offer(request: Request): Promise<Reply> {
    const sdp = sdpOf(request)
    const callId = request.required('call-id')
    const fromTag = request.required('from-tag')
    const session = parseSession(sdp)
    const known = this.calls.get(callId)
    if (known === undefined && this.calls.size >= this.settings.maxSessions) return loadLimit(request)
    const call = known ?? new Call(callId)
    const found = this.#offered(call, fromTag, request)
    const dialogue = found ?? this.#newDialogue(session, request)
    try {
      await dialogue.prepare(session, this.ports)
      if (found === undefined) call.add(dialogue)
    } catch (error) {
      if (found === undefined) dialogue.close()
      throw error
    }
    if (found === undefined) {
      dialogue.offerer.named(fromTag)
      dialogue.answerer.viaBranch = request.text('via-branch')
    }
    if (known === undefined) {
      this.add(call)
    }
    return this.#signal(call, dialogue, dialogue.party(fromTag)!, session, sdp, request)
  }

  /** A re-offer goes by both tags, a repeated first offer by its tag and branch. */
  #offered(call: Call, fromTag: string, request: Request): Dialogue | undefined {
    const toTag = request.text('to-tag')
    if (toTag !== undefined) {
      const dialogue = call.between(fromTag, toTag)
      if (dialogue !== undefined) return dialogue
    }
    const viaBranch = request.text('via-branch')
    return call.dialogues.find(
      ({ offerer, answerer }) => offerer.isNamed(fromTag) && answerer.viaBranch === viaBranch,
    )
  }

  async #answer(request: Request): Promise<Reply> {
    const sdp = sdpOf(request)
    const callId = request.required('call-id')
    const fromTag = request.required('from-tag')
    const toTag = request.required('to-tag')
    const session = parseSession(sdp)
    const call = this.calls.get(callId)
    if (call === undefined) throw refusal('Unknown call-id')
    const dialogue =
      call.between(fromTag, toTag) ?? call.matching(fromTag, undefined, request.text('via-branch')).at(-1)
    if (dialogue === undefined) throw refusal('Invalid dialogue association')
    await dialogue.prepare(session, this.ports)
    const answerer = dialogue.other(dialogue.party(fromTag)!)
    // Of a fork's answers the latest has the media: each moves them to where its SDP says.
    answerer.named(toTag)
    return this.#signal(call, dialogue, answerer, session, sdp, request)
  }

  #newDialogue(session: SessionDescription, request: Request): Dialogue {
    const { interfaceAddress } = this.settings
    const address = session.mediaDescriptions[0]?.connection?.address ?? ''
    const family = isIP(address) === 6 ? 6 : 4
    const [from, to] = request.list('direction')
    const wanted = request.text('address-family')
    const otherFamily = wanted === 'IP6' ? 6 : wanted === 'IP4' ? 4 : family
    return new Dialogue(interfaceAddress(from, family), interfaceAddress(to, otherFamily))
  }

  /** Takes over what `party` says in its SDP, and makes the SDP that the other party is to get. */
  #signal(
    call: Call,
    dialogue: Dialogue,
    party: Party,
    session: SessionDescription,
    sdp: Buffer,
    request: Request,
  ): Reply {
    const other = dialogue.other(party)
    const [, source] = request.list('received-from')
    const useSource = request.has('flags', 'sip-source-address') && isIP(source ?? '') !== 0
    call.lastSignal = Date.now()
    party.label = request.text('label') ?? party.label
    party.signalled(session, request.has('flags', 'asymmetric'), useSource ? source : undefined)
    const wanted = request.text('media-address') ?? ''
    const rewritten = rewriteSdp(sdp, {
      address: isIP(wanted) === 0 ? other.address : wanted,
      ports: (index) => {
        const media = other.medias[index]
        return media && { rtp: media.rtp.local, rtcp: media.rtcp.local }
      },
      replaceOrigin: request.has('replace', 'origin') || request.has('replace', 'origin-full'),
      removeIce: request.has('ice', 'remove'),
    })
    return { sdp: rewritten, result: 'ok' }
  }

  #delete(request: Request): Reply {
    const call = this.calls.get(request.required('call-id'))
    const [fromTag, toTag] = [request.text('from-tag'), request.text('to-tag')]
    const dialogues = call?.ending(fromTag, toTag, request.text('via-branch')) ?? []
    if (call === undefined || dialogues.length === 0) {
      if (request.has('flags', 'fatal')) throw refusal(NOT_FOUND)
      return { warning: NOT_FOUND, result: 'ok' }
    }
    const reply = request.has('flags', 'fast') ? { result: 'ok' } : statisticsReply(call, dialogues)
    if (dialogues.length === call.dialogues.length) this.remove(call)
    else for (const dialogue of dialogues) call.remove(dialogue)
    return reply
  }

  #query(request: Request): Reply {
    const call = this.calls.get(request.required('call-id'))
    if (call === undefined) throw refusal('Unknown call-id')
    const dialogues = call.matching(request.text('from-tag'), request.text('to-tag'), undefined)
    return statisticsReply(call, dialogues)
  }

  #list(request: Request): Reply {
    const limit = request.integer('limit') ?? LIST_LIMIT
    if (limit < 0) throw refusal('invalid limit, must be >= 0')
    return { calls: [...this.calls.keys()].slice(0, limit).map(bytesOf), result: 'ok' }
  }

  protected add(call: Call): void {
    this.calls.set(call.id, call)
    this.#observer.created(call)
  }

  /** Ends a call and frees its ports. */
  protected remove(call: Call): void {
    this.calls.delete(call.id)
    for (const dialogue of call.dialogues) dialogue.close()
    this.#observer.deleted(call)
  }
}

export function sdpOf(request: Request): Buffer {
  const sdp = request.text('sdp')
  if (sdp === undefined) throw refusal('No SDP body in message')
  return bytesOf(sdp)
}

export function parseSession(sdp: Buffer): SessionDescription {
  const session = parseSdp(sdp)
  if (session.mediaDescriptions.length === 0) throw refusal('Error rewriting SDP')
  for (const { connection } of session.mediaDescriptions) {
    if (connection === undefined) throw refusal('Incomplete SDP specification')
    if (isIP(connection.address) === 0) throw refusal('Failed to parse SDP')
  }
  return session
}

/** Only a client that says it knows the result `load limit` may be sent it. */
function loadLimit(request: Request): Reply {
  const message = 'Parallel session limit reached'
  if (!request.has('supports', 'load-limit')) throw refusal(message)
  return { result: 'load limit', message }
}
