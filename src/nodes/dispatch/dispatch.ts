import { NgError, type NodeError, type RtpProxyNgError } from '../../errors.ts'
import type { Exchange, ExchangeFailure, OpenRequest } from '../../network/transport.ts'
import type { Evidence } from '../health/health.ts'
import type { Node } from '../node.ts'
import { type Command, type Exchanges, expectsLarge, startsCall } from './command.ts'
import { Deadline } from './deadline.ts'
import { abortedError, closedError, failureError, hasNoRoom, noNodeError } from './failure.ts'

export type { Command, Exchanges } from './command.ts'

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
  /** Only with a signal: a function for each command would be a tenth of its memory. */
  #onAbort: (() => void) | undefined
  #done = false
  /** The node's count of replies when the command went there. */
  #answers = 0
  /** Whether the command gave up before all its sends. */
  #early = false
  /** Whether it finds out if its node is back. */
  #probe = false
  /** Whether the call was pinned to the node the command went to, before that has taken it. */
  #kept = false

  constructor(command: Command, shared: Exchanges) {
    this.#command = command
    this.#shared = shared
  }

  get datagram(): Buffer {
    return this.#command.datagram
  }

  get expectsLarge(): boolean {
    return expectsLarge(this.#command.name)
  }

  start(): void {
    const { signal, deadlineMs, avoid, only } = this.#command
    if (signal !== undefined) {
      if (signal.aborted) {
        this.#abort()
        return
      }
      this.#onAbort = () => this.#abort()
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    if (deadlineMs > 0) {
      this.#deadline = new Deadline(() => this.#late())
      this.#shared.wheel.add(this.#deadline, deadlineMs)
    }
    if (avoid !== undefined) this.#tried = new Set([avoid])
    if (only !== undefined) {
      this.#sendOnly(only)
      return
    }
    const pinned = this.#shared.pins.find(this.#command)
    if (pinned instanceof Promise) void this.#awaitPin(pinned)
    else this.#begin(pinned)
  }

  #sendOnly(node: Node): void {
    if (node.open >= this.#shared.load.nodeLimit(this.#command.name)) this.#overload(node)
    else this.#send(node)
  }

  async #awaitPin(pinned: Promise<Node | undefined>): Promise<void> {
    const node = await pinned
    if (!this.#done) this.#begin(node)
  }

  #begin(found: Node | undefined): void {
    const { name, datagram, isLeg, set } = this.#command
    const pinned = isLeg && found?.set !== set.id ? undefined : found
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
    if (due.length === 0) {
      this.#pick()
      return
    }
    const probe = halfOpen
      ? due.find((node) => set.takesProbes(node) && !node.probing && !this.#tried?.has(node))
      : undefined
    // Those that would get no call were they up are pinged all the same, or nobody would see them come back.
    const pinged = halfOpen ? due.filter((node) => !set.takesProbes(node)) : due
    if (probe !== undefined) this.#send(probe, true)
    else if (pinged.length > 0) void this.#recheck(pinged)
    else this.#pick()
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

  /** With no weight enabled, the module pings every node of a set at once before it gives up, unless told not to. */
  async #redetect(limit: number): Promise<void> {
    const { set } = this.#command
    const candidates = set.nodes.filter((node) => !node.disabledByHand && !this.#tried?.has(node))
    if (this.#shared.redetect && set.nodes.length > 1 && candidates.length > 0) {
      await this.#shared.health.recheck(candidates, candidates)
      if (this.#done) return
      const node = this.#picked(limit)
      if (this.#done) return
      if (node !== undefined) {
        this.#send(node)
        return
      }
    }
    this.#giveUp(`no media proxy of set ${set.id} is available`)
  }

  #giveUp(why: string): void {
    // One that answered, but had no room, says more than that there was no other.
    if (this.#last instanceof NgError) this.#fail(this.#last)
    else if (this.#shared.health.isClosed) this.#fail(closedError(this.#command.name, this.#node?.url))
    else this.#fail(this.#noNode(why))
  }

  #send(node: Node, probe = false): void {
    const { name, avoid, viaBranch } = this.#command
    this.#node = node
    this.#early = false
    this.#answers = node.answers
    this.#probe = probe
    if (probe) node.probing = true
    node.open++
    // At once, since what belongs to the call may come before the reply; it is taken back if the offer fails. Under its own
    // branch, since a fork's first branch may end before the others. A call that is moved stays where it is until it is taken.
    if (startsCall(name) && avoid === undefined && (node !== this.#pinned || viaBranch !== undefined)) {
      this.#shared.pins.keep(this.#command, node)
      this.#kept = true
    }
    this.#command.sent?.(node, true)
    this.#request = node.transport.send(this, node.timing)
  }

  replied(bytes: Buffer, offset: number): void {
    if (this.#done) return
    const node = this.#left()
    const { health, deletes } = this.#shared
    const { name } = this.#command
    health.answered(node, this.#probe)
    if (deletes.size > 0) deletes.flush(node)
    const error = this.#command.replied(node, bytes, offset)
    if (error === undefined) {
      this.#finish()
      if (name === 'delete') this.#forget()
      else if (name === 'answer' || startsCall(name)) this.#took(node)
    } else if (startsCall(name) && node !== this.#pinned) this.#refused(node, error)
    else {
      // A delete that finds no call there has nothing left to end.
      if (name === 'delete') this.#forget()
      this.#fail(error)
    }
  }

  /** A node does not take a new call, which another may take. */
  #refused(node: Node, error: RtpProxyNgError): void {
    const { health, failsOver } = this.#shared
    let goesOn = false
    try {
      if (hasNoRoom(error)) {
        goesOn = true
        health.spare(node)
      } else goesOn = failsOver(error)
    } catch (thrown) {
      this.#fail(thrown as RtpProxyNgError)
      return
    }
    if (goesOn) this.#next(node, error)
    else this.#fail(error)
  }

  #forget(): void {
    const { only } = this.#command
    if (only === undefined) this.#shared.pins.forget(this.#command)
    else this.#shared.pins.forgetOn(this.#command, only)
  }

  #took(node: Node): void {
    const { pins } = this.#shared
    // It may have been forgotten, or moved, while the command was under way.
    if (!pins.has(this.#command, node)) pins.keep(this.#command, node)
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
    this.#shared.health.failed(node, failure, error, this.#evidence(this.#early))
    if (this.#command.deferrable && node === this.#pinned) this.#remember(node)
    else this.#next(node, error)
  }

  unanswered(sends: number): boolean {
    const { health, suspectAttempts } = this.#shared
    const node = this.#node!
    if (node.answers === this.#answers) health.suspect(node)
    // As many as all attempts is the default, and with measured waits there may be more sends than those.
    this.#early = sends >= suspectAttempts && suspectAttempts < node.timing.attempts
    if (!this.#early) this.#command.sent?.(node, false)
    return !this.#early
  }

  #next(node: Node, error: RtpProxyNgError): void {
    if (this.#command.only !== undefined) {
      this.#fail(error)
      return
    }
    this.#last = error
    this.#tried ??= new Set()
    this.#tried.add(node)
    const { avoid, set } = this.#command
    const { nodesPerCommand } = this.#shared
    const count = avoid === undefined ? this.#tried.size : this.#tried.size - 1
    if (count < nodesPerCommand) this.#choose()
    else this.#giveUp(`it went to ${count} of the media proxies of set ${set.id}, and that is the limit`)
  }

  /** Nobody waits for a delete whose node is out of order, and no other node knows the call. */
  #remember(node: Node): void {
    this.#finish()
    this.#shared.pins.forget(this.#command)
    this.#shared.deletes.add(node, this.#command.datagram)
    this.#command.remembered(node)
  }

  #evidence(early: boolean): Evidence {
    return { answers: this.#answers, early, probe: this.#probe }
  }

  /** The request is off its node's hands. */
  #left(): Node {
    const node = this.#node!
    node.open--
    if (this.#probe) node.probing = false
    this.#request = undefined
    if (node.open === 0 && (node.draining || node.removed)) this.#shared.idle(node)
    return node
  }

  #abort(): void {
    const { name, signal } = this.#command
    this.#end(abortedError(name, this.#node?.url, signal?.reason))
  }

  #late(): void {
    const node = this.#request === undefined ? undefined : this.#node
    const error = this.#noNode(`no media proxy has answered within ${this.#command.deadlineMs} ms`)
    this.#end(error)
    // Where deadlines are shorter than all sends take, nothing else would ever tell that a node is silent.
    if (node !== undefined) this.#shared.health.failed(node, { kind: 'timeout' }, error, this.#evidence(true))
  }

  #overload(node: Node | undefined): void {
    const { load } = this.#shared
    const where = node === undefined ? `every media proxy of set ${this.#command.set.id}` : node.url
    this.#fail(load.overload(this.#command.name, node?.url, `${where} has too many requests open`))
  }

  #noNode(why: string): NodeError {
    return noNodeError(this.#command.name, this.#node?.url, why, this.#last)
  }

  /** Ends the command from outside, wherever it stands. */
  #end(error: RtpProxyNgError): void {
    if (this.#done) return
    const request = this.#request
    if (request !== undefined) {
      // First, since leaving may close the transport, which fails what is open there.
      request.cancel()
      this.#left()
    }
    this.#fail(error)
  }

  #fail(error: RtpProxyNgError): void {
    this.#finish()
    if (this.#kept) this.#shared.pins.restore(this.#command, this.#pinned)
    this.#command.failed(error)
  }

  #finish(): void {
    this.#done = true
    this.#shared.load.leave()
    if (this.#onAbort !== undefined) this.#command.signal?.removeEventListener('abort', this.#onAbort)
    if (this.#deadline !== undefined) this.#shared.wheel.remove(this.#deadline)
  }
}
