import type { RtpProxyNgError } from '../../errors.ts'
import type { Node } from '../node.ts'
import { CarriedCommand, type Command } from './command.ts'
import { CommandTrace } from './trace.ts'

/** A command that somebody watches. */
export class WatchedCommand extends CarriedCommand {
  readonly trace: CommandTrace
  readonly #command: Command

  constructor(command: Command, client: object) {
    super(command)
    this.#command = command
    const { name, datagram, set, callId } = command
    this.trace = new CommandTrace({ client, name, datagram, set: set.id, callId })
  }

  get deferrable(): boolean {
    return this.#command.deferrable
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
