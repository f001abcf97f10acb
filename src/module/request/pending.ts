import { decode } from '../../core/bencode.ts'
import { readWholeReply } from '../../core/large/reply.ts'
import { readReply } from '../../core/ng.ts'
import type { RtpProxyNgError } from '../../errors.ts'
import type { NodeTokens } from '../../nodes/affinity/token.ts'
import { CarriedCommand, type CommandRequest } from '../../nodes/dispatch/command.ts'
import type { Node } from '../../nodes/node.ts'
import { acceptedReply, replyError } from '../../protocol/commands/reply-error.ts'
import type { CommandResult, DestroyResult, NodeReply, RewriteResult } from '../calls.ts'
import { rewritten, type SipMessage } from '../message.ts'
import type { Dialogs } from '../reanchor/dialogs.ts'

/** A command whose caller waits: one object, and the one promise the caller sees. Subclasses read the reply. */
export abstract class PendingCommand<T> extends CarriedCommand {
  readonly #resolve: (result: T) => void
  readonly #reject: (error: unknown) => void

  constructor(request: CommandRequest, resolve: (result: T) => void, reject: (error: unknown) => void) {
    super(request)
    this.#resolve = resolve
    this.#reject = reject
  }

  get deferrable(): boolean {
    return false
  }

  /** The result of the reply at `offset`; throws if it is not what was asked for. */
  protected abstract read(node: string, bytes: Buffer, offset: number): T

  replied(node: Node, bytes: Buffer, offset: number): RtpProxyNgError | undefined {
    let result: T
    try {
      result = this.read(node.url, bytes, offset)
    } catch (error) {
      return error as RtpProxyNgError
    }
    this.#resolve(result)
    return undefined
  }

  remembered(node: Node): void {
    this.#resolve(this.later(node.url))
  }

  /** The result of a command that is sent when its node is back. */
  protected later(node: string): T {
    throw new Error(`${this.name} cannot wait for ${node}`)
  }

  failed(error: RtpProxyNgError): void {
    this.#reject(error)
  }
}

/** What becomes of an offer or answer beside its result. */
export interface RewriteContext {
  readonly message: SipMessage
  readonly tokens: NodeTokens | undefined
  readonly dialogs: Dialogs | undefined
}

/** Offer and answer: `ok` with an SDP, which goes into the message. */
export class PendingRewrite extends PendingCommand<RewriteResult> {
  readonly #context: RewriteContext

  constructor(
    context: RewriteContext,
    request: CommandRequest,
    resolve: (result: RewriteResult) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, resolve, reject)
    this.#context = context
  }

  protected read(node: string, bytes: Buffer, offset: number): RewriteResult {
    const { message, tokens, dialogs } = this.#context
    const result = rewritten(message, bytes, offset, this.name, node)
    if ('result' in result) throw replyError(this.name, node, result)
    const { callId } = this
    dialogs?.note(this)
    return {
      message: result.message,
      sdp: result.sdp,
      node,
      warning: result.warning,
      token: tokens === undefined || callId === undefined ? undefined : tokens.make(node, callId),
    }
  }
}

/** Delete and start recording: anything but `error`. */
export class PendingAcknowledgement extends PendingCommand<CommandResult> {
  protected read(node: string, bytes: Buffer, offset: number): CommandResult {
    const reply = readReply(bytes, offset, this.name, node)
    if (reply.result === 'error') throw replyError(this.name, node, reply)
    return { node, warning: reply.warning }
  }
}

/** Delete: if its media proxy is out of order, it is over all the same. */
export class PendingDelete extends PendingCommand<DestroyResult> {
  override get deferrable(): boolean {
    return true
  }

  protected read(node: string, bytes: Buffer, offset: number): DestroyResult {
    const reply = readReply(bytes, offset, this.name, node)
    if (reply.result === 'error') throw replyError(this.name, node, reply)
    return { node, warning: reply.warning, remembered: false }
  }

  protected override later(node: string): DestroyResult {
    return { node, warning: undefined, remembered: true }
  }
}

/** Offer and answer whose SDP goes into no message. */
export class PendingSdp extends PendingCommand<{ readonly node: string; readonly sdp: Buffer }> {
  protected read(node: string, bytes: Buffer, offset: number): { node: string; sdp: Buffer } {
    const reply = readReply(bytes, offset, this.name, node)
    if (reply.result !== 'ok' || !reply.hasSdp) throw replyError(this.name, node, reply)
    const { sdp } = decode(bytes.subarray(offset)) as { sdp: Buffer }
    return { node, sdp: Buffer.from(sdp) }
  }
}

/** Query: `ok`, and all that comes with it. */
export class PendingQuery extends PendingCommand<NodeReply> {
  protected read(node: string, bytes: Buffer, offset: number): NodeReply {
    const { summary, reply } = readWholeReply(bytes, offset, this.name, node)
    if (summary.result !== 'ok') throw replyError(this.name, node, summary)
    return { node, reply }
  }
}

/** Any other command: whatever it answers, but for errors. */
export class PendingRequest extends PendingCommand<NodeReply> {
  protected read(node: string, bytes: Buffer, offset: number): NodeReply {
    return { node, reply: acceptedReply(bytes, offset, this.name, node) }
  }
}
