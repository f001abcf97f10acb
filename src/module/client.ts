import { EventEmitter } from 'node:events'
import { type BencodeInput, encode } from '../core/bencode.ts'
import { encodeRequest, type MessageCommand } from '../core/ng.ts'
import { ConfigurationError, NgError, NodeError, type RtpProxyNgError, SipError } from '../errors.ts'
import type { DroppedReplies } from '../network/open-requests.ts'
import { parseSockets } from '../nodes/grammar.ts'
import type { NodeStatus } from '../nodes/node.ts'
import { Pool } from '../nodes/pool.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  ManageOptions,
  ManageResult,
  OfferOptions,
  RewriteResult,
  StatisticsResult,
} from './calls.ts'
import { manageCommand } from './manage.ts'
import { SipMessage } from './message.ts'
import { type CheckedOptions, checkOptions, type RtpProxyNgOptions } from './options.ts'
import {
  type CommandRequest,
  PendingAcknowledgement,
  PendingQuery,
  PendingRequest,
  PendingRewrite,
} from './pending.ts'
import { requestPlan } from './plan.ts'
import { callStatistics, type QueryReply, statisticsText } from './statistics.ts'
import { TransactionMemory } from './transactions.ts'

/** Events of `RtpProxyNg`. */
export interface RtpProxyNgEvents {
  /** A media proxy answered again. */
  'node:up': [node: NodeStatus]
  /** A media proxy was found out of order and disabled. */
  'node:down': [node: NodeStatus, reason: RtpProxyNgError]
}

const ROOM = COOKIE_LENGTH + 1

/**
 * Puts media proxies into calls: makes NG commands of SIP messages, sends each to one media proxy of a set, and puts the
 * SDP that comes back into the message. The functions of Kamailio's `rtpproxy-ng` under idiomatic names.
 *
 * Every method on a message rejects with an `RtpProxyNgError`: a `SipError` or `FlagError` when nothing was sent, a
 * `NodeError` when no media proxy answered, an `NgError` when one answered with something else than what was asked for.
 */
export class RtpProxyNg extends EventEmitter<RtpProxyNgEvents> {
  readonly #options: CheckedOptions
  readonly #pool: Pool
  readonly #transactions: TransactionMemory
  #state: 'new' | 'open' | 'closed' = 'new'

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor(options: RtpProxyNgOptions = {}) {
    super()
    this.#options = checkOptions(options)
    this.#transactions = new TransactionMemory(this.#options.transactionLimit, this.#options.transactionMs)
    this.#pool = new Pool(parseSockets(this.#options.sockets), this.#options, {
      nodeUp: (node) => this.emit('node:up', node),
      nodeDown: (node, reason) => this.emit('node:down', node, reason),
    })
  }

  /**
   * Resolves names, opens sockets and pings every media proxy. One that does not answer is reported by `node:down` and
   * starts disabled; that is not an error.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw this.#closedError('start')
    this.#state = 'open'
    await this.#pool.start()
  }

  /** Closes the sockets; what is still open rejects with `ERR_RTPPROXY_CLOSED`. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#transactions.close()
    await this.#pool.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
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

  /** `rtpproxy_destroy`, `unforce_rtp_proxy`: ends the call at the media proxy. */
  destroy(message: SipMessage, options: DestroyOptions = {}): Promise<CommandResult> {
    return this.#acknowledged('delete', message, options)
  }

  /** `start_recording`. */
  startRecording(message: SipMessage, options: CallOptions = {}): Promise<CommandResult> {
    return this.#acknowledged('start recording', message, options)
  }

  /**
   * `rtpproxy_manage`: offers, answers or destroys, whichever the message calls for. A message that calls for none comes
   * back as it is, with `command` null.
   */
  async manage(message: SipMessage, options: ManageOptions = {}): Promise<ManageResult> {
    const route = options.route ?? (message.isRequest ? 'request' : 'reply')
    const command = manageCommand(message, route, this.#transactions, options.transaction)
    if (command === 'offer' || command === 'answer') {
      return { command, ...(await this.#rewrite(command, message, options)) }
    }
    if (command === 'delete') {
      return {
        command,
        message: message.buffer,
        sdp: undefined,
        ...(await this.#acknowledged(command, message, options)),
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
      const sum = callId === undefined ? 0 : byteSum(callId)
      this.#pool.send(new PendingRequest(this.#request(command, datagram, sum, options), resolve, reject))
    })
  }

  /** The state of every media proxy, set by set. */
  show(): NodeStatus[] {
    return this.#pool.status()
  }

  /**
   * Enables or disables by hand every media proxy with this URL (as configured, without the weight). One disabled by hand
   * stays so until enabled by hand.
   *
   * @returns how many there are; 0: none is called so.
   */
  enable(url: string, enabled: boolean): number {
    return this.#pool.setByHand(url, enabled)
  }

  /** How many datagrams came from the media proxies' addresses that were no reply to an open command, by reason. */
  get droppedReplies(): Readonly<DroppedReplies> {
    return this.#pool.dropped
  }

  /** How many commands wait for a reply now. */
  get openRequests(): number {
    return this.#pool.open
  }

  /** Whether there is a set with this id. */
  hasSet(id: number): boolean {
    return this.#pool.has(id)
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
      this.#pool.send(new PendingRewrite(message, request, resolve, reject))
    })
  }

  #acknowledged(
    command: MessageCommand,
    message: SipMessage,
    options: DestroyOptions,
  ): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest(command, message, options)
      this.#pool.send(new PendingAcknowledgement(request, resolve, reject))
    })
  }

  #query(message: SipMessage, options: CallOptions): Promise<{ node: string; reply: QueryReply }> {
    return new Promise((resolve, reject) => {
      this.#pool.send(new PendingQuery(this.#messageRequest('query', message, options), resolve, reject))
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
    const plan = requestPlan(command, message, options, this.#options)
    return this.#request(command, encodeRequest(message.buffer, plan, ROOM), message.callIdSum, options)
  }

  #request(name: string, datagram: Buffer, sum: number, { set = 0, signal }: CallOptions): CommandRequest {
    if (this.#state !== 'open') throw this.#closedError(name)
    return { name, datagram, sum, set: this.#pool.set(set, name), signal }
  }

  #closedError(command: string): NodeError {
    const why = { new: 'is not started', open: 'is started already', closed: 'is closed' }[this.#state]
    return new NodeError('ERR_RTPPROXY_CLOSED', `${command}: this RtpProxyNg ${why}`, {
      command,
      node: undefined,
    })
  }
}

function byteSum(callId: BencodeInput): number {
  const bytes = callId instanceof Uint8Array ? callId : Buffer.from(String(callId))
  let sum = 0
  for (const byte of bytes) sum += byte
  return sum & 0xff
}
