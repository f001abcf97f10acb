import { NodeError, type RtpProxyNgError } from '../errors.ts'
import type { TimerWheel } from '../network/requests/timer-wheel.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from '../network/transport.ts'
import { expectsLarge } from '../nodes/dispatch/command.ts'
import { Deadline } from '../nodes/dispatch/deadline.ts'
import { abortedError, failureError } from '../nodes/dispatch/failure.ts'
import type { CommandTrace } from '../nodes/dispatch/trace.ts'
import type { NgReply } from '../protocol/commands/replies.ts'
import { acceptedReply } from '../protocol/commands/reply-error.ts'

/** One command to one node. */
export interface NgRequest {
  readonly command: string
  readonly node: string
  readonly datagram: Buffer
  readonly signal: AbortSignal | undefined
  readonly trace: CommandTrace | undefined
}

/** Carries one command to its node and tells what became of it. */
export class NgExchange implements Exchange {
  readonly datagram: Buffer
  readonly expectsLarge: boolean
  readonly #request: NgRequest
  readonly #resolve: (reply: NgReply) => void
  readonly #reject: (error: RtpProxyNgError) => void
  #open: OpenRequest | undefined
  #deadline: Deadline | undefined
  #wheel: TimerWheel | undefined
  #onAbort: (() => void) | undefined

  constructor(
    request: NgRequest,
    resolve: (reply: NgReply) => void,
    reject: (error: RtpProxyNgError) => void,
  ) {
    this.datagram = request.datagram
    this.expectsLarge = expectsLarge(request.command)
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  start(transport: Transport, timing: Timing, wheel: TimerWheel, deadlineMs: number): void {
    const { command, node, signal } = this.#request
    if (signal?.aborted) {
      this.#reject(abortedError(command, node, signal.reason))
      return
    }
    this.#request.trace?.sent(node, true)
    this.#open = transport.send(this, timing)
    if (signal !== undefined) {
      this.#onAbort = () => this.#end(abortedError(command, node, signal.reason))
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    if (deadlineMs === 0) return
    this.#wheel = wheel
    this.#deadline = new Deadline(() => {
      const why = `${command}: media proxy ${node} has not answered within ${deadlineMs} ms`
      this.#end(new NodeError('ERR_RTPPROXY_TIMEOUT', why, { command, node }))
    })
    wheel.add(this.#deadline, deadlineMs)
  }

  unanswered(): boolean {
    const { node, trace } = this.#request
    trace?.sent(node, false)
    return true
  }

  replied(bytes: Buffer, offset: number): void {
    const { command, node, trace } = this.#request
    trace?.replied(bytes, offset)
    this.#finish()
    try {
      this.#resolve(acceptedReply(bytes, offset, command, node))
    } catch (error) {
      this.#reject(error as RtpProxyNgError)
    }
  }

  failed(failure: ExchangeFailure): void {
    this.#finish()
    this.#reject(failureError(failure, this.#request.command, this.#request.node))
  }

  #end(error: RtpProxyNgError): void {
    this.#finish()
    this.#open?.cancel()
    this.#reject(error)
  }

  #finish(): void {
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort)
    if (this.#deadline !== undefined) this.#wheel?.remove(this.#deadline)
  }
}
