import { type BencodeInput, encode } from '../core/bencode.ts'
import { BRANCH_GIVEN, type MessageCommand, type RequestPlan } from '../core/ng.ts'
import { ConfigurationError, NgError, SipError } from '../errors.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  DestroyResult,
  ManageOptions,
  ManageResult,
  OfferOptions,
  RewriteResult,
  StatisticsResult,
} from './calls.ts'
import { manageCommand } from './manage.ts'
import { requestOf, SipMessage } from './message.ts'
import type { RtpProxyNgOptions } from './options.ts'
import { MediaProxies } from './proxies.ts'
import {
  type CommandRequest,
  PendingAcknowledgement,
  PendingDelete,
  PendingQuery,
  PendingRequest,
  PendingRewrite,
} from './request/pending.ts'
import { requestPlan } from './request/plan.ts'
import { callStatistics, type QueryReply, statisticsText } from './statistics.ts'

const ROOM = COOKIE_LENGTH + 1

/**
 * Puts media proxies into calls: makes NG commands of SIP messages, sends each to one media proxy of a set, and puts the
 * SDP that comes back into the message. The functions of Kamailio's `rtpproxy-ng` under idiomatic names.
 *
 * Every method on a message rejects with an `RtpProxyNgError`: a `SipError` or `FlagError` when nothing was sent, a
 * `NodeError` when no media proxy answered, an `NgError` when one answered with something else than what was asked for.
 */
export class RtpProxyNg extends MediaProxies {
  /** Whether anything wants to know the Call-ID of a command: making the string costs time. */
  readonly #namesCalls: boolean

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor(options: RtpProxyNgOptions = {}) {
    super(options)
    const { balancing, keepDialogs } = this.options
    this.#namesCalls = this.pool.pins.used || keepDialogs > 0 || balancing !== 'checksum'
  }

  /** `rtpproxy_offer`: hands the message's SDP to a media proxy and puts the one that comes back in its place. */
  offer(message: SipMessage, options: OfferOptions = {}): Promise<RewriteResult> {
    return this.#rewrite('offer', message, options)
  }

  /**
   * `rtpproxy_answer`: the same for the other side's SDP, in a reply or an ACK. Any other request rejects with
   * `ERR_RTPPROXY_NOT_APPLICABLE`.
   */
  answer(message: SipMessage, options: OfferOptions = {}): Promise<RewriteResult> {
    return this.#rewrite('answer', message, options)
  }

  /**
   * `rtpproxy_destroy`, `unforce_rtp_proxy`: ends the call at the media proxy. When the one that has the call is out of order nobody
   * waits: the delete is kept and sent when it is back (`remembered`).
   */
  destroy(message: SipMessage, options: DestroyOptions = {}): Promise<DestroyResult> {
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest('delete', message, options)
      if (request.callId !== undefined) this.dialogs?.forget(request.callId, request.viaBranch)
      this.pool.send(new PendingDelete(request, resolve, reject))
    })
  }

  /** `start_recording`. */
  startRecording(message: SipMessage, options: CallOptions = {}): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest('start recording', message, options)
      this.pool.send(new PendingAcknowledgement(request, resolve, reject))
    })
  }

  /**
   * `rtpproxy_manage`: offers, answers or destroys, whichever the message calls for. A message that calls for none comes
   * back as it is, with `command` null.
   */
  async manage(message: SipMessage, options: ManageOptions = {}): Promise<ManageResult> {
    const route = options.route ?? (message.isRequest ? 'request' : 'reply')
    const command = manageCommand(message, route, this.transactions, options.transaction)
    if (command === 'offer' || command === 'answer') {
      return { command, ...(await this.#rewrite(command, message, options)) }
    }
    if (command === 'delete') {
      return {
        command,
        message: message.buffer,
        sdp: undefined,
        ...(await this.destroy(message, options)),
      }
    }
    return { command: null, message: message.buffer, sdp: undefined, node: undefined, warning: undefined }
  }

  /** Asks for everything the media proxy knows of the call: the decoded reply, strings as text. */
  async query(message: SipMessage, options: CallOptions = {}): Promise<QueryReply> {
    return (await this.#query(message, options)).reply
  }

  /** `$rtpstat`: the RTP totals of the call. Rejects with `ERR_RTPPROXY_REPLY` if the reply has no totals. */
  async statistics(message: SipMessage, options: CallOptions = {}): Promise<StatisticsResult> {
    const { node, reply } = await this.#query(message, options)
    const statistics = callStatistics(reply)
    if (statistics === undefined) {
      throw new NgError('ERR_RTPPROXY_REPLY', `query: the reply of ${node} has no totals`, {
        command: 'query',
        node,
      })
    }
    return { node, ...statistics, text: statisticsText(statistics), reply }
  }

  /**
   * Sends any NG command. The media proxy is chosen by `parameters['call-id']`, if there is one.
   *
   * @param parameters what goes into the dictionary beside `command`, in this order.
   * @returns the decoded reply, strings as text.
   * @throws NgError for `result` = `error` and `load limit`, BencodeError for values bencode cannot carry.
   */
  request(
    command: string,
    parameters: { readonly [key: string]: BencodeInput } = {},
    options: CallOptions = {},
  ): Promise<QueryReply> {
    return new Promise((resolve, reject) => {
      const datagram = Buffer.concat([Buffer.alloc(ROOM), encode({ ...parameters, command })])
      const callId = parameters['call-id']
      const call: CommandCall = {
        sum: callId === undefined ? 0 : byteSum(callId),
        callId: textOf(callId),
        viaBranch: textOf(parameters['via-branch']),
      }
      this.pool.send(new PendingRequest(this.#request(command, datagram, call, options), resolve, reject))
    })
  }

  #rewrite(command: 'offer' | 'answer', message: SipMessage, options: OfferOptions): Promise<RewriteResult> {
    // What is thrown inside the executor rejects the promise.
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest(command, message, options)
      if (command === 'answer' && message.isRequest && message.method !== 'ACK') {
        throw new SipError(
          'ERR_RTPPROXY_NOT_APPLICABLE',
          `a ${message.method} request carries no answer; only an ACK does`,
        )
      }
      const context = { message, tokens: this.pool.pins.tokens, dialogs: this.dialogs }
      this.pool.send(new PendingRewrite(context, request, resolve, reject))
    })
  }

  #query(message: SipMessage, options: CallOptions): Promise<{ node: string; reply: QueryReply }> {
    return new Promise((resolve, reject) => {
      this.pool.send(new PendingQuery(this.#messageRequest('query', message, options), resolve, reject))
    })
  }

  #messageRequest(command: MessageCommand, message: SipMessage, options: OfferOptions): CommandRequest {
    if (!(message instanceof SipMessage)) {
      throw new ConfigurationError(
        'ERR_RTPPROXY_OPTION',
        'message',
        `${command}: the message must be a SipMessage`,
      )
    }
    const plan = requestPlan(command, message, options, this.options)
    const used = this.#namesCalls
    return this.#request(
      command,
      requestOf(message, plan, ROOM),
      {
        sum: message.callIdSum,
        callId: used ? message.callId : undefined,
        viaBranch: used ? branchOf(message, plan) : undefined,
      },
      options,
    )
  }

  #request(
    name: string,
    datagram: Buffer,
    { sum, callId, viaBranch }: CommandCall,
    { set = 0, signal, token, deadlineMs = this.options.deadlineMs }: CallOptions,
  ): CommandRequest {
    if (this.state !== 'open') throw this.closedError(name)
    return {
      name,
      datagram,
      set: this.pool.set(set, name),
      sum,
      callId,
      viaBranch,
      token,
      signal,
      deadlineMs,
      avoid: undefined,
    }
  }
}

/** The call a command is about. */
interface CommandCall {
  readonly sum: number
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
}

/** The via-branch that goes along with a command. */
function branchOf(message: SipMessage, { branch, branchValue }: RequestPlan): string | undefined {
  if (branch === 0) return undefined
  return branch === BRANCH_GIVEN ? branchValue?.toString() : message.viaBranch(branch)
}

function textOf(value: BencodeInput | undefined): string | undefined {
  if (value === undefined) return undefined
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}

function byteSum(callId: BencodeInput): number {
  const bytes = callId instanceof Uint8Array ? callId : Buffer.from(String(callId))
  let sum = 0
  for (const byte of bytes) sum += byte
  return sum & 0xff
}
