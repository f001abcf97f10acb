import { BRANCH_GIVEN, type RequestPlan } from '../core/ng.ts'
import { NgError, optionError, SipError } from '../errors.ts'
import { legBranch } from '../nodes/affinity/calls.ts'
import { checkCallOptions } from '../nodes/dispatch/call-options.ts'
import type { CommandRequest } from '../nodes/dispatch/command.ts'
import type { Node } from '../nodes/node.ts'
import { askingForLoadLimit } from '../protocol/commands/load-limit.ts'
import type { ReplyTo } from '../protocol/commands/replies.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import type { NgCommandName } from '../protocol/vocabulary/commands.ts'
import { checkGiven, isParameters } from '../protocol/vocabulary/given.ts'
import type { NgParameters, ParametersOf } from '../protocol/vocabulary/types.ts'
import type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  DestroyResult,
  ManageOptions,
  ManageResult,
  MessageOptions,
  NodeReply,
  OfferOptions,
  RewriteResult,
  StatisticsResult,
} from './calls.ts'
import { manageCommand } from './manage.ts'
import { SipMessage } from './message.ts'
import type { RtpProxyNgOptions } from './options/options.ts'
import type { OrphanOptions, OrphanReport } from './orphans.ts'
import { MediaProxies } from './proxies.ts'
import { directRequest, isDirect, type MessageInput } from './request/direct.ts'
import { beyond, type Executor, inTurn } from './request/on-demand.ts'
import {
  PendingAcknowledgement,
  PendingDelete,
  PendingQuery,
  PendingRequest,
  PendingRewrite,
} from './request/pending.ts'
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
  destroy(call: SipMessage | ParametersOf<'delete'>, options: DestroyOptions = {}): Promise<DestroyResult> {
    return this.#begin('delete', call, options, (resolve, reject) => {
      const request = this.#anyRequest('delete', call, options)
      if (request.callId !== undefined) this.dialogs?.forget(request.callId, request.viaBranch)
      this.pool.send(new PendingDelete(request, resolve, reject))
    })
  }

  /** `start_recording`. */
  startRecording(
    call: SipMessage | ParametersOf<'start recording'>,
    options: MessageOptions = {},
  ): Promise<CommandResult> {
    return this.#begin('start recording', call, options, (resolve, reject) => {
      const request = this.#anyRequest('start recording', call, options)
      this.pool.send(new PendingAcknowledgement(request, resolve, reject))
    })
  }

  /**
   * `rtpproxy_manage`: offers, answers or destroys, whichever the message calls for. A message that calls for none comes
   * back as it is, with `command` null.
   */
  async manage(message: SipMessage, options: ManageOptions = {}): Promise<ManageResult> {
    const command = this.commandFor(message, options)
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

  /** What `manage` would do with the message. An INVITE's part in its transaction is remembered on the way. */
  commandFor(message: SipMessage, options: ManageOptions = {}): 'offer' | 'answer' | 'delete' | undefined {
    const route = options.route ?? (message.isRequest ? 'request' : 'reply')
    const { transaction, rtpengineFlags } = options
    return manageCommand(
      message,
      { route, transaction, prack: rtpengineFlags !== undefined },
      this.transactions,
    )
  }

  /** URL of the media proxy that has the call, as far as it is remembered here. */
  nodeOf(callId: string): string | undefined {
    return this.pool.pins.memory?.nodesOf(callId)[0]?.url
  }

  /** Asks for everything the media proxy knows of the call: the decoded reply, strings as text. */
  async query(call: SipMessage | ParametersOf<'query'>, options: MessageOptions = {}): Promise<QueryReply> {
    return (await this.#query(call, options)).reply
  }

  /** `$rtpstat`: the RTP totals of the call. Rejects with `ERR_RTPPROXY_REPLY` if the reply has no totals. */
  async statistics(
    call: SipMessage | ParametersOf<'query'>,
    options: MessageOptions = {},
  ): Promise<StatisticsResult> {
    const { node, reply } = await this.#query(call, options)
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
   * Hands over a trickle-ICE fragment (RFC 8840, `application/trickle-ice-sdpfrag` in an INFO), which gives no SDP back:
   * `rtpengine_info`.
   */
  trickle(message: SipMessage, options: MessageOptions = {}): Promise<CommandResult> {
    const input = { ...options, fragment: true }
    return this.#begin('offer', message, input, (resolve, reject) => {
      const request = this.#messageRequest('offer', message, input)
      this.pool.send(new PendingAcknowledgement(request, resolve, reject))
    })
  }

  /**
   * Sends any NG command, of which docs/reference.md has a list. The media proxy is chosen by `call-id`, if there is one.
   *
   * @param parameters what goes into the dictionary beside `command`, in this order.
   * @returns the decoded reply, strings as text.
   * @throws NgError for `result` = `error` and `load limit`, BencodeError for values bencode cannot carry.
   */
  async request(
    command: string,
    parameters: NgParameters = {},
    options: CallOptions = {},
  ): Promise<QueryReply> {
    return (await this.ask(command, parameters, options)).reply
  }

  /**
   * Compares the calls of the media proxies with those remembered here and in the shared store; `delete` ends what nobody knows. Calls
   * that another SIP proxy has set up without a shared store are such calls too.
   *
   * @throws ConfigurationError without the option `affinity`. A media proxy that does not answer is in the report.
   */
  async orphans(options: OrphanOptions = {}): Promise<OrphanReport> {
    // Loaded when needed: it is asked for once an hour, if ever.
    const { findOrphans } = await import('./orphans.ts')
    const request = this.request.bind(this)
    return findOrphans({ pool: this.pool, request }, options)
  }

  /** Any command by its name, made of a message or of parameters: resolves with the whole reply. */
  override async command<Name extends NgCommandName>(
    name: Name,
    call?: SipMessage | ParametersOf<Name> | undefined,
    options: MessageOptions = {},
  ): Promise<ReplyTo<Name>> {
    // Of a message an offer is made as the module makes it, which never asks.
    const given = call instanceof SipMessage ? call : askingForLoadLimit(name, call === undefined ? {} : call)
    // The reply was made by another program: what it lacks shows where it is read.
    return (await this.ask(name, given, options)).reply as ReplyTo<Name>
  }

  /** The same, with the URL of the media proxy that answered. */
  ask(name: string, call: SipMessage | NgParameters = {}, options: MessageOptions = {}): Promise<NodeReply> {
    return this.#begin(name, call, options, (resolve, reject) => {
      this.pool.send(new PendingRequest(this.#anyRequest(name, call, options), resolve, reject))
    })
  }

  #rewrite(command: 'offer' | 'answer', message: SipMessage, options: OfferOptions): Promise<RewriteResult> {
    return this.#begin(command, message, options, (resolve, reject) => {
      const request = this.#messageRequest(command, message, options)
      if (command === 'answer' && !mayAnswer(message, options)) {
        throw new SipError(
          'ERR_RTPPROXY_NOT_APPLICABLE',
          `a ${message.method} request carries no answer; only an ACK does`,
        )
      }
      const context = { message, tokens: this.pool.pins.tokens, dialogs: this.dialogs }
      this.pool.send(new PendingRewrite(context, request, resolve, reject))
    })
  }

  #query(call: SipMessage | NgParameters, options: MessageOptions): Promise<NodeReply> {
    return this.#begin('query', call, options, (resolve, reject) => {
      this.pool.send(new PendingQuery(this.#anyRequest('query', call, options), resolve, reject))
    })
  }

  /** A promise whose executor makes the command and sends it, once what makes it is there. */
  #begin<T>(
    name: string,
    call: SipMessage | NgParameters,
    options: MessageInput,
    executor: Executor<T>,
  ): Promise<T> {
    // What options are when they are none shows in the executor.
    const isNeeded = !(call instanceof SipMessage && isDirect(name, options ?? {}))
    return inTurn(isNeeded, executor)
  }

  #anyRequest(name: string, call: SipMessage | NgParameters, options: MessageOptions): CommandRequest {
    if (call instanceof SipMessage) return this.#messageRequest(name, call, options)
    if (!isParameters(call)) {
      throw optionError(
        'message',
        `${name}: the message must be a SipMessage, or the parameters in an object`,
      )
    }
    if (options.parameters !== undefined) checkGiven(name, options.parameters)
    const parameters = { ...call, ...options.parameters }
    const made = beyond().parameterRequest(name, parameters, this.options.strict, ROOM)
    return this.#request(name, made.datagram, made, options)
  }

  #messageRequest(given: string, message: SipMessage, options: MessageInput & CallOptions): CommandRequest {
    if (!(message instanceof SipMessage)) {
      throw optionError('message', `${given}: the message must be a SipMessage`)
    }
    const make = isDirect(given, options) ? directRequest : beyond().messageRequest
    const { name, datagram, plan, callId } = make(given, message, options, this.options, ROOM)
    const used = this.#namesCalls
    const call: CommandCall = {
      sum: callId === undefined ? message.callIdSum : beyond().byteSum(callId),
      callId: used ? (callId ?? message.callId) : undefined,
      viaBranch: used ? branchOf(message, plan) : undefined,
    }
    return this.#request(name, datagram, call, options)
  }

  #request(
    name: string,
    datagram: Buffer,
    { sum, callId, viaBranch }: CommandCall,
    { set = 0, signal, token, node, leg, deadlineMs = this.options.deadlineMs }: CallOptions,
  ): CommandRequest {
    if (this.state !== 'open') throw this.closedError(name)
    checkCallOptions(name, signal, deadlineMs)
    return {
      name,
      datagram,
      set: this.pool.set(set, name),
      sum,
      callId,
      viaBranch: leg === undefined ? viaBranch : legBranch(viaBranch, leg),
      token,
      signal,
      deadlineMs,
      avoid: undefined,
      isLeg: leg !== undefined,
      only: node === undefined ? undefined : this.#node(node, set),
    }
  }

  #node(url: string, set: number): Node {
    const node = this.pool.node(url, set)
    if (node === undefined) throw optionError('node', `no media proxy is called ${url}`)
    return node
  }
}

/** The module takes answers out of replies and ACKs; its successor, out of PRACKs (RFC 3262) as well. */
function mayAnswer(message: SipMessage, { rtpengineFlags }: OfferOptions): boolean {
  const { method } = message
  return method === undefined || method === 'ACK' || (method === 'PRACK' && rtpengineFlags !== undefined)
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
