import { EventEmitter } from 'node:events'
import { type BencodeInput, encode } from '../core/bencode.ts'
import { BRANCH_GIVEN, type MessageCommand, type RequestPlan } from '../core/ng.ts'
import { ConfigurationError, NgError, NodeError, type RtpProxyNgError, SipError } from '../errors.ts'
import type { DroppedReplies } from '../network/open-requests.ts'
import type { CallKey } from '../nodes/affinity/calls.ts'
import { parseSockets } from '../nodes/grammar.ts'
import type { NodeState, NodeStatus } from '../nodes/node.ts'
import { Pool } from '../nodes/pool.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  DestroyResult,
  ManageOptions,
  ManageResult,
  OfferOptions,
  ReanchorResult,
  RewriteResult,
  StatisticsResult,
} from './calls.ts'
import { type Counters, countersOf } from './counters.ts'
import { Dialogs } from './dialogs.ts'
import { manageCommand } from './manage.ts'
import { requestOf, SipMessage } from './message.ts'
import { type CheckedOptions, checkOptions, type RtpProxyNgOptions } from './options.ts'
import { reanchor } from './reanchor.ts'
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
import { TransactionMemory } from './transactions.ts'

/** Events of `RtpProxyNg`. */
export interface RtpProxyNgEvents {
  /** A media proxy answered again. */
  'node:up': [node: NodeStatus]
  /** A media proxy was found out of order and disabled. */
  'node:down': [node: NodeStatus, reason: RtpProxyNgError]
  /** The state of a media proxy has changed, in any way. */
  'node:state': [node: NodeStatus, before: NodeState]
  /** The shared store failed or was too slow: nothing waits for it until `store:up`. */
  'store:down': [reason: RtpProxyNgError]
  'store:up': []
  /** A host name did not resolve; what it led to before stays in use. */
  'name:failed': [error: unknown]
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
  readonly #dialogs: Dialogs | undefined
  /** Whether anything wants to know the Call-ID of a command: making the string costs time. */
  readonly #namesCalls: boolean
  #state: 'new' | 'open' | 'closed' = 'new'

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor(options: RtpProxyNgOptions = {}) {
    super()
    this.#options = checkOptions(options)
    this.#transactions = new TransactionMemory(this.#options.transactionLimit, this.#options.transactionMs)
    const { affinity, keepDialogs, sockets } = this.#options
    this.#dialogs =
      keepDialogs > 0 && affinity !== undefined ? new Dialogs(keepDialogs, affinity.lifetimeMs) : undefined
    this.#pool = new Pool(parseSockets(sockets), this.#options, {
      nodeUp: (node) => this.#tell('node:up', node),
      nodeDown: (node, reason) => this.#tell('node:down', node, reason),
      nodeState: (node, before) => this.#tell('node:state', node, before),
      storeDown: (reason) => this.#tell('store:down', reason),
      storeUp: () => this.#tell('store:up'),
      nameFailed: (error) => this.#tell('name:failed', error),
    })
    this.#namesCalls = this.#pool.pins.used || keepDialogs > 0 || this.#options.balancing !== 'checksum'
  }

  /** A listener that throws must not stop the command that found the event out: its error goes where uncaught ones go. */
  #tell<E extends keyof RtpProxyNgEvents>(event: E, ...details: RtpProxyNgEvents[E]): void {
    try {
      // The type of `emit` cannot follow a generic event.
      ;(this as EventEmitter).emit(event, ...details)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
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
    this.#dialogs?.close()
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

  /**
   * `rtpproxy_destroy`, `unforce_rtp_proxy`: ends the call at the media proxy. When the one that has the call is out of order nobody
   * waits: the delete is kept and sent when it is back (`remembered`).
   */
  destroy(message: SipMessage, options: DestroyOptions = {}): Promise<DestroyResult> {
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest('delete', message, options)
      if (request.callId !== undefined) this.#dialogs?.forget(request.callId, request.viaBranch)
      this.#pool.send(new PendingDelete(request, resolve, reject))
    })
  }

  /** `start_recording`. */
  startRecording(message: SipMessage, options: CallOptions = {}): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const request = this.#messageRequest('start recording', message, options)
      this.#pool.send(new PendingAcknowledgement(request, resolve, reject))
    })
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
      this.#pool.send(new PendingRequest(this.#request(command, datagram, call, options), resolve, reject))
    })
  }

  /**
   * Makes the media proxies those of `sockets` (as the option). One that stays, by set and URL, keeps its state and its calls; what is
   * open at one that goes is answered yet, and its calls go elsewhere with their next command: `drain` it first to keep them.
   *
   * @returns resolves when the new ones have been pinged.
   * @throws ConfigurationError that names what is wrong; then nothing has changed.
   */
  async setNodes(sockets: string | readonly string[]): Promise<void> {
    if (this.#state !== 'open') throw this.#closedError('setNodes')
    await this.#pool.configure(parseSockets(typeof sockets === 'string' ? [sockets] : sockets))
  }

  /**
   * Gives the media proxies with this URL no new calls; those they have stay. `enable(url, true)` ends it.
   *
   * @returns resolves when the last call is gone: deleted, or forgotten by the memory of calls. Rejects with `ERR_RTPPROXY_ABORTED`
   * when the media proxy is enabled or taken out of the configuration meanwhile.
   * @throws ConfigurationError without the option `affinity`, or when none is called so.
   */
  drain(url: string): Promise<void> {
    return this.#pool.drain(url)
  }

  /** The calls on the media proxies with this URL, by the memory of calls. It may be changed while they are gone through. */
  callsOn(url: string): IterableIterator<CallKey> {
    return this.#pool.callsOn(url)
  }

  /**
   * Moves a call to another media proxy: replays its last offer and answer there. The SDP that comes back is to be sent to the parties
   * in re-INVITEs. Needs the option `keepDialogs`.
   *
   * @param call as `callsOn` names it.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` when no offer of the call is kept; NodeError and NgError as for `offer`.
   */
  reanchor(call: CallKey, options: Pick<CallOptions, 'signal' | 'deadlineMs'> = {}): Promise<ReanchorResult> {
    const { deadlineMs = this.#options.deadlineMs, signal } = options
    return reanchor(call, { pool: this.#pool, dialogs: this.#dialogs, deadlineMs, signal })
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

  /** What is held now, and what was counted since the start. */
  get counters(): Counters {
    return countersOf(this.#pool, this.#transactions, this.#dialogs)
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
      const context = { message, tokens: this.#pool.pins.tokens, dialogs: this.#dialogs }
      this.#pool.send(new PendingRewrite(context, request, resolve, reject))
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
    { set = 0, signal, token, deadlineMs = this.#options.deadlineMs }: CallOptions,
  ): CommandRequest {
    if (this.#state !== 'open') throw this.#closedError(name)
    return {
      name,
      datagram,
      set: this.#pool.set(set, name),
      sum,
      callId,
      viaBranch,
      token,
      signal,
      deadlineMs,
      avoid: undefined,
    }
  }

  #closedError(command: string): NodeError {
    const why = { new: 'is not started', open: 'is started already', closed: 'is closed' }[this.#state]
    return new NodeError('ERR_RTPPROXY_CLOSED', `${command}: this RtpProxyNg ${why}`, {
      command,
      node: undefined,
    })
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
