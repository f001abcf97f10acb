import type { EventEmitter } from 'node:events'
import type { ClientLog } from '../diagnostics/logger.ts'
import { NodeError, optionError, RtpProxyNgError } from '../errors.ts'
import type { DroppedReplies } from '../network/requests/dropped.ts'
import type { CallKey } from '../nodes/affinity/calls.ts'
import { parseSockets } from '../nodes/grammar.ts'
import type { NodeState, NodeStatus } from '../nodes/node.ts'
import { Pool, type PoolObserver } from '../nodes/pool.ts'
import { NgCommands } from '../protocol/commands/ng-commands.ts'
import type { CallOptions, MessageOptions, ReanchorResult } from './calls.ts'
import { type Counters, countersOf } from './counters.ts'
import type { SipMessage } from './message.ts'
import { type CheckedOptions, checkOptions } from './options/check.ts'
import type { RtpProxyNgOptions } from './options/options.ts'
import { Dialogs } from './reanchor/dialogs.ts'
import { reanchor } from './reanchor/reanchor.ts'
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

/** The media proxies and what is done with them as such, whatever the calls: start, watch, change, close. */
export abstract class MediaProxies extends NgCommands<SipMessage, MessageOptions, RtpProxyNgEvents> {
  protected readonly options: CheckedOptions
  protected readonly pool: Pool
  protected readonly transactions: TransactionMemory
  protected readonly dialogs: Dialogs | undefined
  #log: ClientLog | undefined
  #endLog: (() => void) | undefined
  protected state: 'new' | 'open' | 'closed' = 'new'

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor(options: RtpProxyNgOptions = {}) {
    super()
    this.options = checkOptions(options)
    this.transactions = new TransactionMemory(this.options.transactionLimit, this.options.transactionMs)
    const { affinity, keepDialogs, sockets } = this.options
    this.dialogs =
      keepDialogs > 0 && affinity !== undefined ? new Dialogs(keepDialogs, affinity.lifetimeMs) : undefined
    const observer: PoolObserver = {
      nodeUp: (node) => this.#tell('node:up', node),
      nodeDown: (node, reason) => this.#tell('node:down', node, reason),
      nodeState: (node, before) => this.#tell('node:state', node, before),
      storeDown: (reason) => {
        this.#log?.failure('the shared store is out of order', reason)
        this.#tell('store:down', reason)
      },
      storeUp: () => {
        this.#log?.write('info', 'the shared store is back', {})
        this.#tell('store:up')
      },
      nameFailed: (error) => {
        this.#log?.failure('a host name did not resolve', error)
        this.#tell('name:failed', error)
      },
    }
    this.pool = new Pool(parseSockets(sockets), this.options, observer, this)
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
   * Resolves names, opens sockets and pings every media proxy, unless `pingAtStart` is false. One that does not answer is reported by
   * `node:down` and starts disabled; that is not an error.
   */
  async start(): Promise<void> {
    if (this.state !== 'new') throw this.closedError('start')
    this.state = 'open'
    await this.#startLog()
    await this.pool.start()
  }

  async #startLog(): Promise<void> {
    const { log } = this.options
    if (log === undefined) return
    // Loaded when needed: who has no logger starts the sooner.
    const { ClientLog } = await import('../diagnostics/logger.ts')
    if (this.state !== 'open') return
    this.#log = new ClientLog(log)
    this.#endLog = this.#log.listen(this)
  }

  /** Closes the sockets; what is still open rejects with `ERR_RTPPROXY_CLOSED`. */
  async close(): Promise<void> {
    this.state = 'closed'
    this.transactions.close()
    this.dialogs?.close()
    await this.pool.close()
    this.#endLog?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Makes the media proxies those of `sockets` (as the option). One that stays, by set and URL, keeps its state and its calls; what is
   * open at one that goes is answered yet, and its calls go elsewhere with their next command: `drain` it first to keep them.
   *
   * @returns resolves when the new ones have been pinged, unless `pingAtStart` is false.
   * @throws ConfigurationError that names what is wrong; then nothing has changed.
   */
  async setNodes(sockets: string | readonly string[]): Promise<void> {
    if (this.state !== 'open') throw this.closedError('setNodes')
    await this.pool.configure(parseSockets(typeof sockets === 'string' ? [sockets] : sockets))
  }

  /**
   * Gives the media proxies with this URL no new calls; those they have stay. `enable(url, true)` ends it.
   *
   * @returns resolves when the last call is gone: deleted, or forgotten by the memory of calls. Rejects with `ERR_RTPPROXY_ABORTED`
   * when the media proxy is enabled or taken out of the configuration meanwhile.
   * @throws ConfigurationError without the option `affinity`, or when none is called so.
   */
  drain(url: string): Promise<void> {
    return this.pool.drain(url)
  }

  /** The calls on the media proxies with this URL, by the memory of calls. It may be changed while they are gone through. */
  callsOn(url: string): IterableIterator<CallKey> {
    return this.pool.callsOn(url)
  }

  /**
   * Moves a call to another media proxy: replays its last offer and answer there. The SDP that comes back is to be sent to the parties
   * in re-INVITEs. Needs the option `keepDialogs`.
   *
   * @param call as `callsOn` names it.
   * @throws SipError `ERR_RTPPROXY_NOT_APPLICABLE` when no offer of the call is kept; NodeError and NgError as for `offer`.
   */
  reanchor(call: CallKey, options: Pick<CallOptions, 'signal' | 'deadlineMs'> = {}): Promise<ReanchorResult> {
    const { deadlineMs = this.options.deadlineMs, signal } = options
    return reanchor(call, { pool: this.pool, dialogs: this.dialogs, deadlineMs, signal })
  }

  /** The state of every media proxy, set by set. */
  show(): NodeStatus[] {
    return this.pool.status()
  }

  /**
   * Enables or disables by hand every media proxy with this URL (as configured, without the weight). One disabled by hand
   * stays so until enabled by hand.
   *
   * @returns how many there are; 0: none is called so.
   * @throws ConfigurationError `ERR_RTPPROXY_OPTION` for what is neither true nor false: `'0'` would enable.
   */
  enable(url: string, enabled: boolean): number {
    if (typeof enabled !== 'boolean')
      throw optionError('enabled', `enabled must be true or false, not ${String(enabled)}`)
    return this.pool.setByHand(url, enabled)
  }

  /**
   * Pings the media proxies with this URL, and enables by hand those that answer: as `enable`, for one that may not be back yet. One that
   * does not answer stays as it is.
   *
   * @returns whether all of them have answered.
   * @throws ConfigurationError `ERR_RTPPROXY_OPTION` when none is called so; NodeError `ERR_RTPPROXY_CLOSED`.
   */
  async probe(url: string): Promise<boolean> {
    if (this.state !== 'open') throw this.closedError('probe')
    // Without a URL it would be all of them.
    const nodes = this.pool.nodesNamed(String(url))
    if (nodes.length === 0) throw optionError('url', `no media proxy is called ${url}`)
    const answers = await Promise.all(nodes.map((node) => this.#isBack(node)))
    return answers.every(Boolean)
  }

  async #isBack({ url, set }: Pick<NodeStatus, 'url' | 'set'>): Promise<boolean> {
    try {
      await this.ping({ node: url, set })
    } catch (error) {
      if (error instanceof RtpProxyNgError && error.code === 'ERR_RTPPROXY_CLOSED') throw error
      return false
    }
    this.enable(url, true)
    return true
  }

  /** How many datagrams came from the media proxies' addresses that were no reply to an open command, by reason. */
  get droppedReplies(): Readonly<DroppedReplies> {
    return this.pool.dropped
  }

  /** How many commands wait for a reply now. */
  get openRequests(): number {
    return this.pool.open
  }

  /** What is held now, and what was counted since the start. */
  get counters(): Counters {
    return countersOf(this.pool, this.transactions, this.dialogs)
  }

  /** Whether there is a set with this id. */
  hasSet(id: number): boolean {
    return this.pool.has(id)
  }

  protected closedError(command: string): NodeError {
    const why = { new: 'is not started', open: 'is started already', closed: 'is closed' }[this.state]
    return new NodeError('ERR_RTPPROXY_CLOSED', `${command}: this RtpProxyNg ${why}`, {
      command,
      node: undefined,
    })
  }
}
