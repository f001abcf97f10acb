import type { RtpProxyNgError } from '../../errors.ts'
import type { Node } from '../node.ts'
import type { NodeSet } from '../set.ts'
import type { Command } from './command.ts'
import { CommandTrace } from './trace.ts'

/** A command that somebody watches. */
export class WatchedCommand implements Command {
  readonly name: string
  readonly datagram: Buffer
  readonly set: NodeSet
  readonly sum: number
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
  readonly token: string | undefined
  readonly signal: AbortSignal | undefined
  readonly deadlineMs: number
  readonly avoid: Node | undefined
  readonly only: Node | undefined
  readonly isLeg: boolean
  readonly deferrable: boolean
  readonly trace: CommandTrace
  readonly #command: Command

  constructor(command: Command, client: object) {
    this.#command = command
    this.name = command.name
    this.datagram = command.datagram
    this.set = command.set
    this.sum = command.sum
    this.callId = command.callId
    this.viaBranch = command.viaBranch
    this.token = command.token
    this.signal = command.signal
    this.deadlineMs = command.deadlineMs
    this.avoid = command.avoid
    this.only = command.only
    this.isLeg = command.isLeg
    this.deferrable = command.deferrable
    const { name, datagram, set, callId } = command
    this.trace = new CommandTrace({ client, name, datagram, set: set.id, callId })
  }

  sent(node: Node, isFirst: boolean): void {
    this.trace.sent(node.url, isFirst)
  }

  replied(node: Node, bytes: Buffer, offset: number): RtpProxyNgError | undefined {
    this.trace.replied(bytes, offset)
    const error = this.#command.replied(node, bytes, offset)
    if (error === undefined) this.trace.succeeded('ok')
    return error
  }

  remembered(node: Node): void {
    this.#command.remembered(node)
    this.trace.succeeded('remembered')
  }

  failed(error: RtpProxyNgError): void {
    this.#command.failed(error)
    this.trace.failed(error)
  }
}
