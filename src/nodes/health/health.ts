import type { RtpProxyNgError } from '../../errors.ts'
import type { ExchangeFailure } from '../../network/transport.ts'
import type { Node, NodeState } from '../node.ts'
import type { PoolOptions } from '../options.ts'
import { PingExchange, type PingResult } from './ping.ts'

export type HealthOptions = Pick<
  PoolOptions,
  'disableMs' | 'deadOn' | 'deadAfter' | 'confirmDead' | 'spareMs'
>

/** Told of every change of a node's state, once the change is made. */
export interface HealthObserver {
  nodeUp(node: Node): void
  nodeDown(node: Node, reason: RtpProxyNgError): void
  /** Any change, by hand or not; after the two above. */
  nodeState(node: Node, before: NodeState, reason?: RtpProxyNgError): void
  /** Whose health it is. */
  readonly client: object
}

/** What stood on record about a node when a command went there. */
export interface Evidence {
  /** The node's count of replies then. */
  readonly answers: number
  /** Whether the command gave up before all its sends. */
  readonly early: boolean
  /** Whether the node was out of use, and the command to find out if it is back. */
  readonly probe: boolean
}

/**
 * How long a choice waits for the pings of nodes that are due when other nodes are enabled. A live node answers well
 * within it, and then the choice is the module's; a dead one must not hold up calls that others can take.
 */
const GRACE_MS = 100

const NONE: readonly Node[] = []

/** Knows which nodes can be used: takes those out of use that are out of order, and pings those whose time has come. */
export class Health {
  readonly #options: HealthOptions
  readonly #observer: HealthObserver
  readonly #started = performance.now()
  readonly #pings = new Map<Node, Promise<void>>()
  #closed = false
  /** How many nodes are disabled; nearly always none, and every command asks. */
  #disabled = 0

  constructor(options: HealthOptions, observer: HealthObserver) {
    this.#options = options
    this.#observer = observer
  }

  /** Whether the ways to the nodes were closed: whoever finds no node then was cut off. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Seconds since the start, the module's ticks. */
  readonly seconds = (): number => (performance.now() - this.#started) / 1000

  /** A reply came from the node: whatever it says, the node is alive. */
  answered(node: Node, probe = false): void {
    node.answers++
    if (node.unanswered === 0 && !node.suspect && !probe) return
    node.unanswered = 0
    this.#change(node, () => {
      node.suspect = false
    })
    if (probe) this.enable(node)
  }

  /** A send went unanswered; another may follow. */
  suspect(node: Node): void {
    if (node.suspect || node.disabled) return
    this.#change(node, () => {
      node.suspect = true
    })
  }

  /** A command got no reply from the node: is the node to blame? */
  failed(node: Node, failure: ExchangeFailure, reason: RtpProxyNgError, evidence: Evidence): void {
    const { deadOn, deadAfter, confirmDead } = this.#options
    const { kind } = failure
    if (evidence.probe ? kind !== 'local' : kind !== 'timeout' && deadOn.has(kind)) {
      this.disable(node, reason)
      return
    }
    if (kind !== 'timeout' || !deadOn.has(kind) || node.disabled) return
    // Who answered others meanwhile is alive: this command, or its reply, does not get through (too large for the path).
    if (node.answers > evidence.answers) return
    this.suspect(node)
    if (evidence.early) void this.ping(node)
    else if (++node.unanswered < deadAfter) return
    else if (confirmDead) void this.ping(node)
    else this.disable(node, reason)
  }

  /** Takes a node out of use for `forMs`. */
  disable(node: Node, reason: RtpProxyNgError, forMs = this.#options.disableMs): void {
    if (node.disabledByHand || node.removed) return
    const wasUp = !node.disabled
    node.recheckAt = this.seconds() + forMs / 1000
    node.unanswered = 0
    const before = node.state
    this.#setDisabled(node, true)
    node.suspect = false
    if (wasUp) this.#observer.nodeDown(node, reason)
    if (node.state !== before) this.#observer.nodeState(node, before, reason)
  }

  /** The node is back. */
  enable(node: Node): void {
    if (!node.disabled || node.disabledByHand || node.removed) return
    const before = node.state
    this.#setDisabled(node, false)
    this.#observer.nodeUp(node)
    if (node.state !== before) this.#observer.nodeState(node, before)
  }

  /** `nh_enable_rtpp`: what is set by hand stays until changed by hand. Enabling ends draining. */
  setByHand(node: Node, enabled: boolean): void {
    this.#change(node, () => {
      this.#setDisabled(node, !enabled)
      node.disabledByHand = !enabled
      node.recheckAt = 0
      if (enabled) node.draining = false
    })
  }

  setDraining(node: Node, draining: boolean): void {
    this.#change(node, () => {
      node.draining = draining
    })
  }

  /** No new calls for a while: the node had no room. */
  spare(node: Node): void {
    node.sparedUntil = this.seconds() + this.#options.spareMs / 1000
  }

  /** A node that goes no longer counts. */
  removed(node: Node): void {
    node.removed = true
    if (node.disabled) this.#disabled--
  }

  /** The nodes among `nodes` that must be tried before a choice. */
  due(nodes: readonly Node[]): readonly Node[] {
    if (this.#disabled === 0) return NONE
    const now = this.seconds()
    return nodes.filter((node) => node.isDue(now))
  }

  /**
   * Pings `nodes` side by side; calls at the same time share the pings. Resolves when all have answered or failed, or after
   * a short grace as soon as any of `set` is enabled.
   */
  async recheck(nodes: readonly Node[], set: readonly Node[]): Promise<void> {
    const pings = nodes.map((node) => this.ping(node))
    const all = Promise.all(pings)
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS)
    })
    await Promise.race([all, grace])
    clearTimeout(timer)
    if (set.some((node) => !node.disabled)) return
    // Nothing is enabled, so there is nothing to lose by waiting for the first that answers.
    await Promise.race([
      all,
      ...pings.map((ping, i) => ping.then(() => (nodes[i]!.disabled ? all : undefined))),
    ])
  }

  /** Pings one node and sets its state by the answer; never rejects. */
  ping(node: Node): Promise<void> {
    const open = this.#pings.get(node)
    if (open !== undefined) return open
    const ping = this.#ping(node).finally(() => this.#pings.delete(node))
    this.#pings.set(node, ping)
    return ping
  }

  async #ping(node: Node): Promise<void> {
    const { answers } = node
    const { client } = this.#observer
    const { error, failure } = await new Promise<PingResult>((resolve) => {
      new PingExchange(node.url, resolve).start(node.transport, node.timing, { client, set: node.set })
    })
    if (error === undefined) {
      this.answered(node)
      this.enable(node)
      return
    }
    // A ping cut off by our own closing says nothing of the node; nor does one that this host could not send of a node in
    // use, nor one that got lost while others were answered.
    if (failure === 'closed') {
      this.#closed ||= !node.removed
      return
    }
    if (!node.disabled && (failure === 'local' || (failure === 'timeout' && node.answers > answers))) return
    this.disable(node, error)
  }

  #setDisabled(node: Node, disabled: boolean): void {
    if (node.disabled !== disabled && !node.removed) this.#disabled += disabled ? 1 : -1
    node.disabled = disabled
  }

  #change(node: Node, change: () => void): void {
    const before = node.state
    change()
    if (node.state !== before) this.#observer.nodeState(node, before)
  }
}
