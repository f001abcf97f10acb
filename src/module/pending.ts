import { decode } from '../core/bencode.ts'
import { type ReplySummary, readReply, rewriteMessage } from '../core/ng.ts'
import { NgError, type RtpProxyNgError } from '../errors.ts'
import type { Command } from '../nodes/dispatch.ts'
import type { Node } from '../nodes/node.ts'
import type { NodeSet } from '../nodes/set.ts'
import type { CommandResult, RewriteResult } from './calls.ts'
import type { SipMessage } from './message.ts'
import type { QueryReply } from './statistics.ts'

/** What a command is made of. */
export interface CommandRequest {
  readonly name: string
  readonly datagram: Buffer
  readonly set: NodeSet
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
  readonly signal: AbortSignal | undefined
}

/** A command whose caller waits: one object, and the one promise the caller sees. Subclasses read the reply. */
export abstract class PendingCommand<T> implements Command {
  readonly name: string
  readonly datagram: Buffer
  readonly set: NodeSet
  readonly sum: number
  readonly signal: AbortSignal | undefined
  readonly #resolve: (result: T) => void
  readonly #reject: (error: unknown) => void

  constructor(request: CommandRequest, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.name = request.name
    this.datagram = request.datagram
    this.set = request.set
    this.sum = request.sum
    this.signal = request.signal
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The result of the reply at `offset`; throws if it is not what was asked for. */
  protected abstract read(node: string, bytes: Buffer, offset: number): T

  replied(node: Node, bytes: Buffer, offset: number): void {
    try {
      this.#resolve(this.read(node.url, bytes, offset))
    } catch (error) {
      this.#reject(error)
    }
  }

  failed(error: RtpProxyNgError): void {
    this.#reject(error)
  }
}

/** Offer and answer: `ok` with an SDP, which goes into the message. */
export class PendingRewrite extends PendingCommand<RewriteResult> {
  readonly #message: SipMessage

  constructor(
    message: SipMessage,
    request: CommandRequest,
    resolve: (result: RewriteResult) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, resolve, reject)
    this.#message = message
  }

  protected read(node: string, bytes: Buffer, offset: number): RewriteResult {
    const result = rewriteMessage(this.#message.buffer, bytes, offset, this.name, node)
    if ('result' in result) throw replyError(this.name, node, result)
    return { message: result.message, sdp: result.sdp, node, warning: result.warning }
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

/** Query: `ok`, and all that comes with it. */
export class PendingQuery extends PendingCommand<{ readonly node: string; readonly reply: QueryReply }> {
  protected read(node: string, bytes: Buffer, offset: number): { node: string; reply: QueryReply } {
    const reply = readReply(bytes, offset, this.name, node)
    if (reply.result !== 'ok') throw replyError(this.name, node, reply)
    return { node, reply: decode(bytes.subarray(offset), 'utf8') as QueryReply }
  }
}

/** Any other command: whatever it answers, but for errors. */
export class PendingRequest extends PendingCommand<QueryReply> {
  protected read(node: string, bytes: Buffer, offset: number): QueryReply {
    const reply = readReply(bytes, offset, this.name, node)
    if (reply.result === 'error' || reply.result === 'load limit') throw replyError(this.name, node, reply)
    return decode(bytes.subarray(offset), 'utf8') as QueryReply
  }
}

/** The error for a reply that is not what was asked for. */
function replyError(command: string, node: string, reply: ReplySummary): NgError {
  const context = { command, node, reason: reply.reason }
  if (reply.result === 'error') {
    const reason = reply.reason ?? 'error without a reason'
    return new NgError('ERR_RTPPROXY_NG', `${command}: ${node} answered: ${reason}`, context)
  }
  if (reply.result === 'load limit') {
    const reason = `${command}: ${node} is at its limit: ${reply.reason ?? ''}`
    return new NgError('ERR_RTPPROXY_LOAD_LIMIT', reason, context)
  }
  const what = reply.result === 'ok' ? 'ok without sdp' : (reply.resultText ?? 'a dictionary without result')
  return new NgError('ERR_RTPPROXY_REPLY', `${command}: ${node} answered '${what}'`, context)
}
