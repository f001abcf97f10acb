import type { ReplySummary } from '../core/ng.ts'
import { NgError } from '../errors.ts'

/** The error for a reply that is not what was asked for. */
export function replyError(command: string, node: string, reply: ReplySummary): NgError {
  const context = { command, node, reason: reply.reason }
  if (reply.result === 'error') {
    return new NgError(
      'ERR_RTPPROXY_NG',
      `${command}: ${node} answered: ${reply.reason ?? 'error without a reason'}`,
      context,
    )
  }
  if (reply.result === 'load limit') {
    return new NgError(
      'ERR_RTPPROXY_LOAD_LIMIT',
      `${command}: ${node} is at its limit: ${reply.reason ?? ''}`,
      context,
    )
  }
  const what = reply.result === 'ok' ? 'ok without sdp' : (reply.resultText ?? 'a dictionary without result')
  return new NgError('ERR_RTPPROXY_REPLY', `${command}: ${node} answered '${what}'`, context)
}
