import { NgError, SipError } from '../errors.ts'
import type { NgParameters, ParametersOf } from '../protocol/vocabulary/types.ts'

type CarriedParameters = ParametersOf<'offer' | 'answer' | 'delete'>

/** Who carries the commands of a call: an `NgClient`, or an `RtpProxyNg` with its sets, its memory of calls and its failover. */
export interface CallCarrier<Options extends object = object> {
  command(
    name: 'offer' | 'answer' | 'delete',
    parameters: ParametersOf<'offer' | 'answer' | 'delete'>,
    options?: Options,
  ): Promise<object>
  /** `RtpProxyNg` has it: a delete whose media proxy is out of order is kept until that is back. */
  destroy?(call: ParametersOf<'delete'>, options?: Options): Promise<unknown>
}

/** An SDP that one party has sent, and what it was handed over with. */
interface Passage {
  readonly tag: string
  readonly sdp: string | Uint8Array
  readonly parameters: NgParameters
}

/** What both parties are to be told when the media of a call was set up again. */
export interface RestoredMedia {
  /** Tag of the party that made the offer both go by; `sdpForOfferer` is for it. */
  readonly offererTag: string
  readonly answererTag: string
  readonly sdpForAnswerer: string
  readonly sdpForOfferer: string
}

/** What a branch has from its call. */
export interface BranchContext<Options extends object> {
  readonly carrier: CallCarrier<Options>
  readonly callId: string
  readonly callerTag: string
  readonly toCaller: NgParameters
  readonly toCallee: NgParameters
  readonly options: Options | undefined
}

/**
 * One branch of a call at the media proxy: the caller and one callee. It knows which tag goes where, whose turn it is to answer
 * (RFC 3264), and ends nothing but itself.
 */
export class MediaBranch<Options extends object = object> {
  /** The branch of the Via that the callee's INVITE carries; undefined for a call that is not forked. */
  readonly viaBranch: string | undefined
  readonly #context: BranchContext<Options>
  /** The last one that has offered or answered: further down another proxy may have forked. */
  #calleeTag: string | undefined
  /** The offer that waits for its answer. */
  #offered: Passage | undefined
  /** What both go by. */
  #agreed: readonly [offer: Passage, answer: Passage] | undefined
  #underWay = new Set<Promise<unknown>>()
  #end: Promise<void> | undefined

  /** @internal `MediaCall.branch` makes them. */
  constructor(context: BranchContext<Options>, viaBranch: string | undefined, calleeTag: string | undefined) {
    this.#context = context
    this.viaBranch = viaBranch
    this.#calleeTag = calleeTag
  }

  /** Tag of the callee, once it has offered or answered. */
  get calleeTag(): string | undefined {
    return this.#calleeTag
  }

  /** `new`: nothing was offered. `offered`: an offer waits for its answer. `agreed`: both go by the same SDP. `over`: it was ended. */
  get state(): 'new' | 'offered' | 'agreed' | 'over' {
    if (this.#end !== undefined) return 'over'
    if (this.#offered !== undefined) return 'offered'
    return this.#agreed === undefined ? 'new' : 'agreed'
  }

  /**
   * Hands over the SDP that the party with `tag` offers: of an INVITE, re-INVITE or UPDATE, or of the response to one without SDP.
   *
   * @param parameters beside those for the side that the SDP goes to (`toCaller`, `toCallee`), and above them.
   * @returns the SDP to offer to the other party.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` while the other party's offer waits for its answer (a re-INVITE is to get a 491 then:
   * RFC 3261, 14.2), and when the branch is over; else as the client's `command`. Then the branch is as it was.
   */
  async offer(
    tag: string,
    sdp: string | Uint8Array,
    parameters: NgParameters = {},
    options?: Options,
  ): Promise<string> {
    this.#refuseIfOver('offer')
    const before = this.#offered
    if (before !== undefined && before.tag !== tag)
      throw notApplicable(`offer: the offer of ${before.tag} waits for its answer`)
    const offer = { tag, sdp, parameters }
    const to = tag === this.#context.callerTag ? this.#calleeTag : this.#context.callerTag
    // Before the media proxy has answered: the other party's offer may come meanwhile.
    this.#offered = offer
    try {
      const given = await this.#carry('offer', offer, [tag, to], options)
      this.#note(tag)
      return given
    } catch (error) {
      if (this.#offered === offer) this.#offered = before
      throw error
    }
  }

  /**
   * Hands over the SDP with which the party with `tag` answers the last offer. It may answer again: in a 183, and in the 200.
   *
   * @param parameters as those of `offer`.
   * @returns the SDP for the party that has offered.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` when there is no offer of the other party, and when the branch is over; else as the
   * client's `command`. Then the offer still waits.
   */
  async answer(
    tag: string,
    sdp: string | Uint8Array,
    parameters: NgParameters = {},
    options?: Options,
  ): Promise<string> {
    this.#refuseIfOver('answer')
    const offer = this.#offered ?? this.#agreed?.[0]
    if (offer === undefined || offer.tag === tag)
      throw notApplicable(`answer: there is no offer that ${tag} could answer`)
    const answer = { tag, sdp, parameters }
    const given = await this.#carry('answer', answer, [offer.tag, tag], options)
    this.#note(tag)
    this.#agreed = [offer, answer]
    if (this.#offered === offer) this.#offered = undefined
    return given
  }

  /**
   * Sets the media up by what both parties have agreed on last, and forgets an offer that waits: after a re-INVITE that was refused
   * (RFC 3261, 14.1), or when the media proxy of the call was lost. In that case both get the SDP in a re-INVITE.
   *
   * @returns undefined if nothing was agreed on yet.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` when the branch is over; else as the client's `command`.
   */
  async restore(options?: Options): Promise<RestoredMedia | undefined> {
    this.#refuseIfOver('restore')
    this.#offered = undefined
    if (this.#agreed === undefined) return undefined
    const [offer, answer] = this.#agreed
    const sdpForAnswerer = await this.#carry('offer', offer, [offer.tag, answer.tag], options)
    this.#refuseIfOver('restore')
    const sdpForOfferer = await this.#carry('answer', answer, [offer.tag, answer.tag], options)
    return { offererTag: offer.tag, answererTag: answer.tag, sdpForAnswerer, sdpForOfferer }
  }

  /** Ends this branch at the media proxy, and no other: once, and behind whatever is under way. */
  end(options?: Options): Promise<void> {
    const { callId, options: always } = this.#context
    const { viaBranch } = this
    // rtpengine takes the From tag when it does not know the branch, as one that it has ended, or was never offered: with the caller's it
    // would end the branches that are talking. No party is called as a branch is.
    const which = viaBranch === undefined ? {} : { 'from-tag': viaBranch, 'via-branch': viaBranch }
    this.#end ??= this.settled().then(() =>
      endAt(this.#context, { 'call-id': callId, ...which }, options ?? always),
    )
    return this.#end
  }

  /** @internal It is over with its call. */
  endWith(end: Promise<void>): void {
    this.#end ??= end
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  #note(tag: string): void {
    if (tag !== this.#context.callerTag) this.#calleeTag = tag
  }

  async #carry(
    name: 'offer' | 'answer',
    { tag, sdp, parameters }: Passage,
    [from, to]: readonly [offerer: string, answerer: string | undefined],
    options: Options | undefined,
  ): Promise<string> {
    const { carrier, callId, callerTag, toCaller, toCallee, options: always } = this.#context
    const parties = { 'call-id': callId, 'from-tag': from, 'to-tag': to, 'via-branch': this.viaBranch }
    const command = carrier.command(
      name,
      { ...(tag === callerTag ? toCallee : toCaller), ...parameters, ...parties, sdp } as CarriedParameters,
      options ?? always,
    )
    this.#underWay.add(command)
    try {
      const { sdp: given } = (await command) as { readonly sdp?: unknown }
      if (typeof given === 'string') return given
      const context = { command: name, node: undefined }
      throw new NgError('ERR_RTPPROXY_REPLY', `${name}: the media proxy answered ok without sdp`, context)
    } finally {
      this.#underWay.delete(command)
    }
  }

  #refuseIfOver(name: string): void {
    if (this.#end !== undefined) throw notApplicable(`${name}: the branch is over`)
  }
}

export async function endAt<Options extends object>(
  { carrier }: Pick<BranchContext<Options>, 'carrier'>,
  parameters: ParametersOf<'delete'>,
  options: Options | undefined,
): Promise<void> {
  if (carrier.destroy !== undefined) await carrier.destroy(parameters, options)
  else await carrier.command('delete', parameters as CarriedParameters, options)
}

export function notApplicable(why: string): SipError {
  return new SipError('ERR_RTPPROXY_NOT_APPLICABLE', why)
}
