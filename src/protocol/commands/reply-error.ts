import { readWholeReply } from '../../core/large/reply.ts'
import type { ReplySummary } from '../../core/ng.ts'
import { NgError } from '../../errors.ts'
import type { NgReply } from './replies.ts'

/**
 * The whole reply to any command, whatever it says but for errors.
 *
 * @throws NgError for `result` = `error` and `load limit`, and for what is no reply: it has no `result`.
 */
export function acceptedReply(bytes: Buffer, offset: number, command: string, node: string): NgReply {
  const { summary, reply } = readWholeReply(bytes, offset, command, node)
  const { result, resultText } = summary
  if (result === 'error' || result === 'load limit' || resultText === undefined)
    throw replyError(command, node, summary)
  return reply
}

/** The error for a reply that is not what was asked for. */
export function replyError(command: string, node: string, reply: ReplySummary): NgError {
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
