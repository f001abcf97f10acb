import { NgError, NodeError, type RtpProxyNgError } from '../../errors.ts'
import type { TimerWheel } from '../../network/timer-wheel.ts'
import type { Exchange, ExchangeFailure, OpenRequest } from '../../network/transport.ts'
import type { PinnedCall, Pins } from '../affinity/pins.ts'
import type { Health } from '../health/health.ts'
import type { Node } from '../node.ts'
import type { NodeSet } from '../set.ts'
import { Deadline } from './deadline.ts'
import type { Deletes } from './deletes.ts'
import { failureError, hasNoRoom } from './failure.ts'
import type { Load } from './load.ts'

/** One command on its way: what to send, where, and whom to tell. It ends with `replied` that returns no error, `remembered` or `failed`. */
export interface Command extends PinnedCall {
  /** Name of the NG command. */
  readonly name: string
  /** Room for cookie and space, then the dictionary. */
  readonly datagram: Buffer
  readonly set: NodeSet
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
  readonly signal: AbortSignal | undefined
  /** How long all of it may take; 0: as long as its attempts take. */
  readonly deadlineMs: number
  /** A node that is not to be chosen. */
  readonly avoid: Node | undefined
  /** Whether it may be sent later, when its node is out of order now: a delete nobody needs an answer to. */
  readonly deferrable: boolean
  /** A reply came; its dictionary begins at `offset`. Returns the error if it is not what was asked for; nobody was told yet. */
  replied(node: Node, bytes: Buffer, offset: number): RtpProxyNgError | undefined
  /** A delete whose node is out of order: it is sent as soon as that is back. */
  remembered(node: Node): void
  failed(error: RtpProxyNgError): void
}

/** What all commands of a pool share. */
export interface Exchanges {
  readonly health: Health
  readonly pins: Pins
  readonly deletes: Deletes
  readonly load: Load
  readonly wheel: TimerWheel
  readonly suspectAttempts: number
  readonly halfOpen: boolean
  /** A node that is draining or removed has nothing open any more. */
  readonly idle: (node: Node) => void
}

/**
 * Carries one command through: chooses a node (the one that has the call, else by balancing), sends, and on failure goes on to
 * the next choice with a new cookie, until a node answers or none is left. No node is tried twice.
 */
export class Dispatch implements Exchange {
  readonly #command: Command
  readonly #shared: Exchanges
  #node: Node | undefined
  /** The node that had the call before. */
  #pinned: Node | undefined
  #tried: Set<Node> | undefined
  #request: OpenRequest | undefined
  #last: RtpProxyNgError | undefined
  #deadline: Deadline | undefined
  #done = false
  /** The node's count of replies when the command went there. */
  #answers = 0
  /** Whether the command gave up before all its sends. */
  #early = false

  constructor(command: Command, shared: Exchanges) {
    this.#command = command
    this.#shared = shared
  }

  get datagram(): Buffer {
    return this.#command.datagram
  }

  start(): void {
    const { signal, deadlineMs, avoid } = this.#command
    if (signal !== undefined) {
      if (signal.aborted) {
        this.#abort()
        return
      }
      signal.addEventListener('abort', this.#abort, { once: true })
    }
    if (deadlineMs > 0) {
      this.#deadline = new Deadline(this.#late)
      this.#shared.wheel.add(this.#deadline, deadlineMs)
    }
    if (avoid !== undefined) this.#tried = new Set([avoid])
    const pinned = this.#shared.pins.find(this.#command)
    if (pinned instanceof Promise) void this.#awaitPin(pinned)
    else this.#begin(pinned)
  }

  async #awaitPin(pinned: Promise<Node | undefined>): Promise<void> {
    const node = await pinned
    if (!this.#done) this.#begin(node)
  }

  #begin(pinned: Node | undefined): void {
    const { name, datagram } = this.#command
    if (name === 'delete') {
      for (const other of this.#shared.pins.others(this.#command, pinned))
        this.#shared.deletes.add(other, Buffer.from(datagram))
    }
    if (pinned === undefined || this.#tried?.has(pinned)) {
      this.#choose()
      return
    }
    this.#pinned = pinned
    if (!pinned.keepsCalls) {
      if (this.#command.deferrable) this.#remember(pinned)
      else this.#choose()
    } else if (pinned.open >= this.#shared.load.nodeLimit(name)) this.#overload(pinned)
    else this.#send(pinned)
  }

  #choose(): void {
    const { set } = this.#command
    const { health, halfOpen } = this.#shared
    const due = health.due(set.nodes)
    if (due.length === 0) this.#pick()
    else if (!halfOpen) void this.#recheck(due)
    else {
      const probe = due.find((node) => !node.probing && !this.#tried?.has(node))
      if (probe === undefined) this.#pick()
      else {
        probe.probing = true
        this.#send(probe)
      }
    }
  }

  #pick(): void {
    const { set, name } = this.#command
    const limit = this.#shared.load.nodeLimit(name)
    const node = this.#picked(limit)
    if (this.#done) return
    if (node !== undefined) this.#send(node)
    else if (set.isFull(limit, this.#tried)) this.#overload(undefined)
    else void this.#redetect(limit)
  }

  /** The choice of the set; ends the command if the user's strategy throws. */
  #picked(limit: number): Node | undefined {
    try {
      return this.#command.set.pick(this.#command, limit, this.#tried)
    } catch (error) {
      this.#fail(error as RtpProxyNgError)
      return undefined
    }
  }

  async #recheck(due: readonly Node[]): Promise<void> {
    await this.#shared.health.recheck(due, this.#command.set.nodes)
    if (!this.#done) this.#pick()
  }

  /** With no weight enabled, the module pings every node of a set at once before it gives up. */
  async #redetect(limit: number): Promise<void> {
    const { set } = this.#command
    const candidates = set.nodes.filter((node) => !node.disabledByHand && !this.#tried?.has(node))
    if (set.nodes.length > 1 && candidates.length > 0) {
      await this.#shared.health.recheck(candidates, candidates)
      if (this.#done) return
      const node = this.#picked(limit)
      if (this.#done) return
      if (node !== undefined) {
        this.#send(node)
        return
      }
    }
    // One that answered, but had no room, says more than that there was no other.
    if (this.#last instanceof NgError) this.#fail(this.#last)
    else this.#fail(this.#noNode(`no media proxy of set ${set.id} is available`, this.#last))
  }

  #send(node: Node): void {
    this.#node = node
    this.#early = false
    this.#answers = node.answers
    node.open++
    // At once, since what belongs to the call may come before the reply; it is taken back if the offer fails.
    if (this.#command.name === 'offer' && node !== this.#pinned) this.#shared.pins.keep(this.#command, node)
    this.#request = node.transport.send(this, node.timing)
  }

  replied(bytes: Buffer, offset: number): void {
    if (this.#done) return
    const node = this.#left()
    const { health, pins } = this.#shared
    const { name } = this.#command
    health.answered(node)
    const error = this.#command.replied(node, bytes, offset)
    if (error === undefined) {
      this.#finish()
      if (name === 'delete') pins.forget(this.#command)
      else if (name === 'offer' || name === 'answer') this.#took(node)
    } else if (name === 'offer' && this.#pinned === undefined && hasNoRoom(error)) {
      health.spare(node)
      this.#next(node, error)
    } else {
      // A delete that finds no call there has nothing left to end.
      if (name === 'delete') pins.forget(this.#command)
      this.#fail(error)
    }
  }

  #took(node: Node): void {
    const { pins } = this.#shared
    if (this.#command.name === 'answer' && node !== this.#pinned) pins.keep(this.#command, node)
    pins.share(this.#command, node)
  }

  failed(failure: ExchangeFailure): void {
    if (this.#done) return
    const node = this.#left()
    const { name } = this.#command
    const error = failureError(failure, name, node.url)
    if (failure.kind === 'closed' || failure.kind === 'too-large') {
      this.#fail(error)
      return
    }
    this.#shared.health.failed(node, failure, error, { answers: this.#answers, early: this.#early })
    if (this.#command.deferrable && node === this.#pinned) this.#remember(node)
    else this.#next(node, error)
  }

  unanswered(sends: number): boolean {
    const { health, suspectAttempts } = this.#shared
    health.suspect(this.#node!)
    this.#early = sends >= suspectAttempts
    return !this.#early
  }

  #next(node: Node, error: RtpProxyNgError): void {
    this.#last = error
    this.#tried ??= new Set()
    this.#tried.add(node)
    this.#choose()
  }

  /** Nobody waits for a delete whose node is out of order, and no other node knows the call. */
  #remember(node: Node): void {
    this.#finish()
    this.#shared.pins.forget(this.#command)
    this.#shared.deletes.add(node, this.#command.datagram)
    this.#command.remembered(node)
  }

  /** The request is off its node's hands. */
  #left(): Node {
    const node = this.#node!
    node.open--
    this.#request = undefined
    if (node.open === 0 && (node.draining || node.removed)) this.#shared.idle(node)
    return node
  }

  readonly #abort = (): void => {
    const { name, signal } = this.#command
    const context = { command: name, node: this.#node?.url }
    const options = { cause: signal?.reason }
    this.#end(new NodeError('ERR_RTPPROXY_ABORTED', `${name}: abandoned by its signal`, context, options))
  }

  readonly #late = (): void => {
    this.#end(this.#noNode(`no media proxy has answered within ${this.#command.deadlineMs} ms`, this.#last))
  }

  #overload(node: Node | undefined): void {
    const { load } = this.#shared
    const where = node === undefined ? `every media proxy of set ${this.#command.set.id}` : node.url
    this.#fail(load.overload(this.#command.name, node?.url, `${where} has too many requests open`))
  }

  #noNode(why: string, cause: RtpProxyNgError | undefined): NodeError {
    const { name } = this.#command
    const context = { command: name, node: this.#node?.url }
    return new NodeError('ERR_RTPPROXY_NO_NODE', `${name}: ${why}`, context, { cause })
  }

  /** Ends the command from outside, wherever it stands. */
  #end(error: RtpProxyNgError): void {
    if (this.#done) return
    const request = this.#request
    if (request !== undefined) {
      this.#left()
      request.cancel()
    }
    this.#fail(error)
  }

  #fail(error: RtpProxyNgError): void {
    this.#finish()
    if (this.#command.name === 'offer' && this.#pinned === undefined) this.#shared.pins.release(this.#command)
    this.#command.failed(error)
  }

  #finish(): void {
    this.#done = true
    this.#shared.load.leave()
    this.#command.signal?.removeEventListener('abort', this.#abort)
    if (this.#deadline !== undefined) this.#shared.wheel.remove(this.#deadline)
  }
}
