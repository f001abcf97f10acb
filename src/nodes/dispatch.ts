import { NodeError, type RtpProxyNgError } from '../errors.ts'
import type { Exchange, ExchangeFailure, OpenRequest } from '../network/transport.ts'
import { failureError, isNodesFault } from './failure.ts'
import type { Health, HealthOptions } from './health.ts'
import type { Node } from './node.ts'
import type { NodeSet } from './set.ts'

/** One command on its way: what to send, where, and whom to tell. Exactly one of the two methods is called, once. */
export interface Command {
  /** Name of the NG command, for errors. */
  readonly name: string
  /** Room for cookie and space, then the dictionary. */
  readonly datagram: Buffer
  readonly set: NodeSet
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
  readonly signal: AbortSignal | undefined
  /** A reply came; its dictionary begins at `offset`. */
  replied(node: Node, bytes: Buffer, offset: number): void
  failed(error: RtpProxyNgError): void
}

/**
 * Carries one command through: chooses a node, sends, and on the node's failure disables it and goes on to the next
 * choice with a new cookie, until a node answers or none is left. No node is tried twice.
 */
export class Dispatch implements Exchange {
  readonly #command: Command
  readonly #health: Health
  readonly #timing: HealthOptions
  #node: Node | undefined
  #tried: Set<Node> | undefined
  #request: OpenRequest | undefined
  #last: NodeError | undefined
  #done = false

  constructor(command: Command, health: Health, timing: HealthOptions) {
    this.#command = command
    this.#health = health
    this.#timing = timing
  }

  get datagram(): Buffer {
    return this.#command.datagram
  }

  start(): void {
    const { signal } = this.#command
    if (signal !== undefined) {
      if (signal.aborted) {
        this.#abort()
        return
      }
      signal.addEventListener('abort', this.#abort, { once: true })
    }
    this.#choose()
  }

  #choose(): void {
    const { set, sum } = this.#command
    const due = this.#health.due(set.nodes)
    if (due.length > 0) {
      this.#recheck(due)
      return
    }
    const node = set.pick(sum, this.#tried)
    if (node !== undefined) this.#send(node)
    else this.#redetect()
  }

  async #recheck(due: readonly Node[]): Promise<void> {
    const { set, sum } = this.#command
    await this.#health.recheck(due, set.nodes)
    if (this.#done) return
    const node = set.pick(sum, this.#tried)
    if (node !== undefined) this.#send(node)
    else this.#redetect()
  }

  /** With no weight enabled, the module pings every node of a set at once before it gives up. */
  async #redetect(): Promise<void> {
    const { set, sum } = this.#command
    const candidates = set.nodes.filter((node) => !node.disabledByHand && !this.#tried?.has(node))
    if (set.nodes.length > 1 && candidates.length > 0) {
      await this.#health.recheck(candidates, candidates)
      if (this.#done) return
      const node = set.pick(sum, this.#tried)
      if (node !== undefined) {
        this.#send(node)
        return
      }
    }
    const { name } = this.#command
    this.#finish()
    this.#command.failed(
      new NodeError(
        'ERR_RTPPROXY_NO_NODE',
        `${name}: no media proxy of set ${set.id} is available`,
        { command: name, node: this.#last?.node },
        { cause: this.#last },
      ),
    )
  }

  #send(node: Node): void {
    this.#node = node
    this.#request = node.transport.send(this, this.#timing)
  }

  replied(bytes: Buffer, offset: number): void {
    if (this.#done) return
    this.#finish()
    this.#command.replied(this.#node!, bytes, offset)
  }

  failed(failure: ExchangeFailure): void {
    if (this.#done) return
    const node = this.#node!
    const error = failureError(failure, this.#command.name, node.url)
    if (failure.kind === 'closed' || failure.kind === 'too-large') {
      this.#finish()
      this.#command.failed(error)
      return
    }
    if (isNodesFault(failure)) this.#health.disable(node, error)
    this.#last = error
    this.#tried ??= new Set()
    this.#tried.add(node)
    this.#choose()
  }

  readonly #abort = (): void => {
    if (this.#done) return
    this.#finish()
    this.#request?.cancel()
    const { name, signal } = this.#command
    this.#command.failed(
      new NodeError(
        'ERR_RTPPROXY_ABORTED',
        `${name}: abandoned by its signal`,
        { command: name, node: this.#node?.url },
        { cause: signal?.reason },
      ),
    )
  }

  #finish(): void {
    this.#done = true
    this.#command.signal?.removeEventListener('abort', this.#abort)
  }
}
