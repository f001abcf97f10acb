import { readReply } from '../core/ng.ts'
import { NgError, type RtpProxyNgError } from '../errors.ts'
import type { Exchange, ExchangeFailure } from '../network/transport.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import { failureError } from './failure.ts'
import type { Node } from './node.ts'

export interface HealthOptions {
  readonly timeoutMs: number
  readonly attempts: number
  readonly disableMs: number
}

/** Told of every change of a node's state that was not made by hand. */
export interface HealthObserver {
  nodeUp(node: Node): void
  nodeDown(node: Node, reason: RtpProxyNgError): void
}

const PING = Buffer.from('d7:command4:pinge')

/**
 * How long a choice waits for the pings of nodes that are due when other nodes are enabled. A live node answers well
 * within it, and then the choice is the module's; a dead one must not hold up calls that others can take.
 */
const GRACE_MS = 100

const NONE: readonly Node[] = []
const isDisabled = (node: Node): boolean => node.disabled

/** Knows which nodes can be used: disables those that do not answer, and pings those whose time has come. */
export class Health {
  readonly #options: HealthOptions
  readonly #observer: HealthObserver
  readonly #started = performance.now()
  readonly #pings = new Map<Node, Promise<void>>()

  constructor(options: HealthOptions, observer: HealthObserver) {
    this.#options = options
    this.#observer = observer
  }

  /** Seconds since the start, the module's ticks. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  /** Takes a node that does not answer out of use for `disableMs`. */
  disable(node: Node, reason: RtpProxyNgError): void {
    if (node.disabledByHand) return
    const wasUp = !node.disabled
    node.disabled = true
    node.recheckAt = this.seconds + this.#options.disableMs / 1000
    if (wasUp) this.#observer.nodeDown(node, reason)
  }

  /** `nh_enable_rtpp`: what is set by hand stays until changed by hand. */
  setByHand(node: Node, enabled: boolean): void {
    node.disabled = !enabled
    node.disabledByHand = !enabled
    node.recheckAt = 0
  }

  /** The nodes among `nodes` that must be pinged before a choice. */
  due(nodes: readonly Node[]): readonly Node[] {
    // Nearly always nothing is disabled, and every command asks.
    if (!nodes.some(isDisabled)) return NONE
    const now = this.seconds
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
    try {
      await new Promise<void>((resolve, reject) => {
        node.transport.send(new Ping(node, resolve, reject), this.#options)
      })
    } catch (error) {
      // A ping cut off by our own closing says nothing of the node.
      if ((error as RtpProxyNgError).code !== 'ERR_RTPPROXY_CLOSED')
        this.disable(node, error as RtpProxyNgError)
      return
    }
    if (node.disabledByHand) return
    const wasDown = node.disabled
    node.disabled = false
    if (wasDown) this.#observer.nodeUp(node)
  }
}

class Ping implements Exchange {
  readonly datagram = Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), PING])
  readonly #node: Node
  readonly #resolve: () => void
  readonly #reject: (error: RtpProxyNgError) => void

  constructor(node: Node, resolve: () => void, reject: (error: RtpProxyNgError) => void) {
    this.#node = node
    this.#resolve = resolve
    this.#reject = reject
  }

  replied(bytes: Buffer, offset: number): void {
    const context = { command: 'ping', node: this.#node.url }
    try {
      const reply = readReply(bytes, offset, 'ping', this.#node.url)
      if (reply.result === 'pong') this.#resolve()
      else
        this.#reject(
          new NgError('ERR_RTPPROXY_REPLY', `${this.#node.url} did not answer ping with pong`, context),
        )
    } catch (error) {
      this.#reject(error as RtpProxyNgError)
    }
  }

  failed(failure: ExchangeFailure): void {
    this.#reject(failureError(failure, 'ping', this.#node.url))
  }
}
