import { randomBytes } from 'node:crypto'
import { parseSdp, type SdpMediaDescription } from '../../core/sdp.ts'
import { type Call, Dialogue, type Party } from '../../relay/call.ts'
import { sdpOf } from '../../relay/commands.ts'
import type { RelaySettings } from '../../relay/options.ts'
import type { Ports } from '../../relay/ports.ts'
import { bytesOf, type Reply, type Request, refusal } from '../../relay/request.ts'
import { sdpFor } from './sdp.ts'
import { isForAll, partiesNamed, partiesOf, selected } from './selection.ts'

const OK: Reply = { result: 'ok' }

/** What `create` offers when it is not told. */
const CREATED = 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n'

/** The calls that these commands work on, and how one is added to them. */
export interface Calls {
  readonly settings: RelaySettings
  readonly ports: Ports
  known(request: Request, reason: string): Call
  /** The call of this id, made if there is none; refused over the load limit. */
  opened(callId: string): Call
}

/** Parties that send or receive without a dialogue: publishers, subscribers, and those that the engine offers to. */
export class StreamCommands {
  readonly #calls: Calls
  /** Each is one party of its own; the other one only stands in for it. */
  readonly #lone = new WeakSet<Dialogue>()
  readonly #subscribed = new WeakSet<Dialogue>()

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Whether nobody is left in the call but those who listen to it. */
  isDeserted({ dialogues }: Call): boolean {
    return dialogues.every((dialogue) => this.#subscribed.has(dialogue))
  }

  async publish(request: Request): Promise<Reply> {
    const descriptions = mediaOf(sdpOf(request), 'Failed to create SDP')
    const callId = request.text('call-id') ?? randomTag()
    const fromTag = request.text('from-tag') ?? randomTag()
    const { offerer } = await this.#alone(this.#calls.opened(callId), fromTag, descriptions)
    offerer.label = request.text('label') ?? offerer.label
    for (const [index, description] of descriptions.entries()) {
      const media = offerer.medias[index]
      if (media !== undefined) media.description = description
    }
    const direction = request.has('flags', 'bidirectional') ? 'sendrecv' : 'recvonly'
    return this.#made(callId, fromTag, sdpFor(offerer, descriptions, direction))
  }

  async create(request: Request): Promise<Reply> {
    const callId = request.text('call-id') ?? randomTag()
    const fromTag = request.text('from-tag') ?? randomTag()
    const descriptions = mediaOf(bytesOf(CREATED), 'failed to create SDP')
    const { offerer } = await this.#alone(this.#calls.opened(callId), fromTag, descriptions)
    return this.#made(callId, fromTag, sdpFor(offerer, descriptions, 'sendrecv'))
  }

  createAnswer(request: Request): Reply {
    const sdp = sdpOf(request)
    const call = this.#calls.known(request, 'unknown call-ID')
    const tag = request.required('from-tag')
    const dialogue = this.#aloneIn(call, tag)
    if (dialogue === undefined) throw refusal('from-tag not found')
    dialogue.offerer.signalled(sessionOf(sdp, 'failed to perform answer'), false, undefined)
    return OK
  }

  async subscribeRequest(request: Request): Promise<Reply> {
    const call = this.#calls.known(request, 'Unknown call-ID(s)')
    const sources = sourcesOf(call, request)
    const heard = sources.flatMap(({ medias }) => medias.flatMap((media) => media?.description ?? []))
    const tags = [...new Set(sources.map(({ tag }) => tag!))].map(bytesOf)
    const toTag = request.text('to-tag') ?? randomTag()
    const old = this.#aloneIn(call, toTag)
    if (old !== undefined) call.remove(old)
    const dialogue = await this.#alone(call, toTag, heard)
    this.#subscribed.add(dialogue)
    dialogue.offerer.label = request.text('set-label') ?? request.text('to-label')
    const direction = request.has('flags', 'inactive') ? 'inactive' : 'sendonly'
    const isBoth = request.has('flags', 'bidirectional')
    return {
      sdp: sdpFor(dialogue.offerer, heard, isBoth ? 'sendrecv' : direction),
      'from-tag': tags.length === 1 ? tags[0] : undefined,
      'from-tags': tags,
      'to-tag': bytesOf(toTag),
      result: 'ok',
    }
  }

  subscribeAnswer(request: Request): Reply {
    const call = this.#calls.known(request, 'Unknown call-ID')
    const tag = request.required('to-tag')
    const sdp = sdpOf(request)
    const dialogue = this.#aloneIn(call, tag)
    if (dialogue === undefined) throw refusal('To-tag not found')
    const session = sessionOf(sdp, 'Failed to process subscription answer')
    dialogue.offerer.signalled(session, false, undefined)
    return OK
  }

  unsubscribe(request: Request): Reply {
    const call = this.#calls.known(request, 'Unknown call-ID')
    const dialogue = this.#aloneIn(call, request.required('to-tag'))
    if (dialogue !== undefined) call.remove(dialogue)
    return OK
  }

  connect(request: Request): Reply {
    const call = this.#calls.known(request, 'Unknown call-ID')
    sourcesOf(call, request)
    request.required('to-tag')
    return OK
  }

  #made(callId: string, fromTag: string, sdp: Buffer): Reply {
    return { 'call-id': bytesOf(callId), 'from-tag': bytesOf(fromTag), sdp, result: 'ok' }
  }

  #aloneIn(call: Call, tag: string): Dialogue | undefined {
    return call.dialogues.find((dialogue) => this.#lone.has(dialogue) && dialogue.offerer.isNamed(tag))
  }

  /** The dialogue of the lone party `tag`, with sockets for these sections. */
  async #alone(call: Call, tag: string, sections: readonly SdpMediaDescription[]): Promise<Dialogue> {
    const known = this.#aloneIn(call, tag)
    const address = this.#calls.settings.interfaceAddress(undefined, 4)
    const dialogue = known ?? new Dialogue(address, address)
    try {
      await dialogue.prepare({ mediaDescriptions: [...sections] }, this.#calls.ports)
      if (known === undefined) call.add(dialogue)
    } catch (error) {
      if (known === undefined) dialogue.close()
      throw error
    }
    dialogue.offerer.named(tag)
    this.#lone.add(dialogue)
    return dialogue
  }
}

function sourcesOf(call: Call, request: Request): Party[] {
  const tags = request.list('from-tags')
  if (tags.length > 0) return tags.flatMap((tag) => partiesNamed(call, tag))
  const parties = isForAll(request) ? partiesOf(call) : selected(call, request)
  if (parties === undefined) throw refusal('No medias found (no monologues matched)')
  return parties
}

function sessionOf(sdp: Buffer, reason: string) {
  try {
    return parseSdp(sdp)
  } catch {
    throw refusal(reason)
  }
}

function mediaOf(sdp: Buffer, reason: string): readonly SdpMediaDescription[] {
  const { mediaDescriptions } = sessionOf(sdp, reason)
  if (mediaDescriptions.length === 0) throw refusal(reason)
  return mediaDescriptions
}

function randomTag(): string {
  return randomBytes(32).toString('hex')
}
