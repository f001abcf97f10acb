import { optionError } from '../errors.ts'
import type { NgParameters } from '../protocol/vocabulary/types.ts'
import { type BranchContext, type CallCarrier, endAt, MediaBranch, notApplicable } from './branch.ts'

export type { CallCarrier, MediaBranch, RestoredMedia } from './branch.ts'

export interface MediaCallOptions<Options extends object = object> {
  readonly callId: string
  /** Tag of the party that calls: the From tag of its INVITE. */
  readonly callerTag: string
  /** What goes along with all SDP that goes to the caller: the callee's answer, and its offers later in the call. Default: nothing. */
  readonly toCaller?: NgParameters | undefined
  /** The same of what goes to the callee: the caller's offer, and its answers. Default: nothing. */
  readonly toCallee?: NgParameters | undefined
  /** What every command takes beside its parameters, as `{ set: 1 }` of an `RtpProxyNg`. Default: nothing. */
  readonly options?: Options | undefined
}

/**
 * A call at the media proxy, for servers that have tags and SDP, but no SIP message at hand: it knows its parties and, if it is forked,
 * its branches, each of which is offered, answered and ended by itself.
 */
export class MediaCall<Options extends object = object> {
  readonly callId: string
  readonly callerTag: string
  readonly #context: BranchContext<Options>
  readonly #branches = new Map<string | undefined, MediaBranch<Options>>()
  #end: Promise<void> | undefined

  /**
   * @param carrier an `NgClient` or `RtpProxyNg`.
   * @throws ConfigurationError that names the option that is missing.
   */
  constructor(carrier: CallCarrier<Options>, options: MediaCallOptions<Options>) {
    const { callId, callerTag, toCaller = {}, toCallee = {} } = options ?? {}
    if (typeof carrier?.command !== 'function')
      throw optionError('carrier', 'carrier must be an NgClient or an RtpProxyNg')
    for (const [name, value] of Object.entries({ callId, callerTag }))
      if (typeof value !== 'string' || value === '') throw optionError(name, `${name} must be a text`)
    this.callId = callId
    this.callerTag = callerTag
    this.#context = { carrier, callId, callerTag, toCaller, toCallee, options: options.options }
  }

  /** The branches that are not over. */
  get branches(): readonly MediaBranch<Options>[] {
    return [...this.#branches.values()].filter(({ state }) => state !== 'over')
  }

  /**
   * The branch of the call with this `via-branch`; the same object each time until it is over.
   *
   * @param viaBranch the branch of the Via on top of the INVITE that goes to the callee. Default: none, for a call that is not forked.
   * @param calleeTag of a branch that was answered elsewhere, or before a restart: the tag of who answered. Default: not known yet.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` when the call is over, and when one of several branches would have none: its end would
   * end the others as well.
   */
  branch(viaBranch?: string, calleeTag?: string): MediaBranch<Options> {
    if (this.#end !== undefined) throw notApplicable(`call ${this.callId} is over`)
    for (const [name, { state }] of this.#branches) if (state === 'over') this.#branches.delete(name)
    const known = this.#branches.get(viaBranch)
    if (known !== undefined) return known
    if (this.#branches.size > 0 && (viaBranch === undefined || this.#branches.has(undefined)))
      throw notApplicable(`call ${this.callId} has several branches, and each needs a via-branch`)
    const branch = new MediaBranch(this.#context, viaBranch, calleeTag)
    this.#branches.set(viaBranch, branch)
    return branch
  }

  /** Ends the call at the media proxy with all of its branches: once, and behind whatever is under way. */
  end(options?: Options): Promise<void> {
    this.#end ??= this.#endAll(options)
    return this.#end
  }

  async #endAll(options: Options | undefined): Promise<void> {
    const { callId } = this
    const branches = this.branches
    const end = Promise.all(branches.map((branch) => branch.settled())).then(() =>
      endAt(this.#context, { 'call-id': callId }, options ?? this.#context.options),
    )
    for (const branch of branches) branch.endWith(end)
    await end
  }
}
