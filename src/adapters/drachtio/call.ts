import { SipError } from '../../errors.ts'
import type { OfferOptions } from '../../module/calls.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { SipMessage } from '../../module/message.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'

/** What the media proxy is asked for with the SDP that goes to one side, in the first exchange and in all that follow. */
export type SideOptions = Omit<OfferOptions, 'sdp' | 'signal'>

/** A side of the call, as NG knows it. */
export interface Party {
  /** Empty until it is known. */
  tag: string
  /** For what goes to this side. */
  readonly options: SideOptions
}

/** An SDP on its way from one side to the other. */
interface Passage {
  readonly message: SipMessage
  readonly by: Party
  /** In place of what the message gives. */
  readonly parameters?: NgParameters | undefined
}

/** One call at the media proxy, for both legs of a B2BUA: the caller's Call-ID, and a tag for each side. */
export class CallMedia {
  readonly caller: Party
  readonly callee: Party
  readonly #media: RtpProxyNg
  readonly #callId: string
  #offered: Passage | undefined
  /** What both sides go by. */
  #agreed: readonly [offer: Passage, answer: Passage] | undefined
  #isOver = false

  constructor(media: RtpProxyNg, invite: SipMessage, toCallee: SideOptions, toCaller: SideOptions) {
    const { callId, fromTag } = invite
    if (callId === undefined || fromTag === undefined)
      throw new SipError('ERR_RTPPROXY_SIP', 'the INVITE has no Call-ID or no From tag')
    this.#media = media
    this.#callId = callId
    this.caller = { tag: fromTag, options: toCaller }
    this.callee = { tag: '', options: toCallee }
  }

  /** Of one side's SDP, the offer for the other. */
  async offer(message: SipMessage, by: Party, signal?: AbortSignal): Promise<string> {
    const offer = { message, by }
    const sdp = await this.#carry('offer', offer, signal)
    this.#offered = offer
    return sdp
  }

  /** Of one side's SDP, the answer for the other, which has offered. */
  async answer(message: SipMessage, by: Party, parameters?: NgParameters): Promise<string> {
    const answer = { message, by, parameters }
    const sdp = await this.#carry('answer', answer)
    if (this.#offered !== undefined) this.#agreed = [this.#offered, answer]
    return sdp
  }

  /** After an offer that was refused: the session is as if there had been none (RFC 3261, 14.1). */
  async restore(): Promise<void> {
    if (this.#agreed === undefined || this.#isOver) return
    const [offer, answer] = this.#agreed
    await this.#carry('offer', offer)
    await this.#carry('answer', answer)
    this.#offered = offer
  }

  /** Ends the call at the media proxy, once. */
  async end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#media.destroy({ 'call-id': this.#callId }, { set: this.callee.options.set })
  }

  async #carry(name: 'offer' | 'answer', passage: Passage, signal?: AbortSignal): Promise<string> {
    const { message, by, parameters } = passage
    const other = by === this.caller ? this.callee : this.caller
    const [from, to] = name === 'offer' ? [by, other] : [other, by]
    const options = {
      ...other.options,
      signal,
      parameters: {
        ...other.options.parameters,
        'call-id': this.#callId,
        'from-tag': from.tag,
        ...(to.tag && { 'to-tag': to.tag }),
        ...parameters,
      },
    }
    return (await this.#media[name](message, options)).sdp.toString()
  }
}
