import { NgError, NodeError, type RtpProxyNgError } from '../../errors.ts'
import type { ExchangeFailure } from '../../network/transport.ts'

const TEXTS: Record<ExchangeFailure['kind'], string> = {
  timeout: 'does not answer',
  refused: 'refuses the connection',
  unreachable: 'cannot be reached',
  local: 'could not be sent to',
  'too-large': 'takes no datagram that large',
  closed: 'was closed',
}

const CODES = {
  timeout: 'ERR_RTPPROXY_TIMEOUT',
  refused: 'ERR_RTPPROXY_UNREACHABLE',
  unreachable: 'ERR_RTPPROXY_UNREACHABLE',
  local: 'ERR_RTPPROXY_UNREACHABLE',
  'too-large': 'ERR_RTPPROXY_TOO_LARGE',
  closed: 'ERR_RTPPROXY_CLOSED',
} as const

/** The error that says what became of `command` on its way to `node`. */
export function failureError(failure: ExchangeFailure, command: string, node: string): NodeError {
  const context = { command, node }
  const { kind, cause } = failure
  const text = `${command}: media proxy ${node} ${TEXTS[kind]}${cause instanceof Error ? `: ${cause.message}` : ''}`
  return new NodeError(CODES[kind], text, context, { cause })
}

/** The error of a command whose caller has given it up. */
export function abortedError(command: string, node: string | undefined, cause: unknown): NodeError {
  const context = { command, node }
  return new NodeError('ERR_RTPPROXY_ABORTED', `${command}: abandoned by its signal`, context, { cause })
}

/** The error of a command that was looking for a node when everything was closed. */
export function closedError(command: string, node: string | undefined): NodeError {
  return new NodeError('ERR_RTPPROXY_CLOSED', `${command}: closed before a media proxy was found`, {
    command,
    node,
  })
}

/** The error of a command that no node has taken; `cause` is what became of it at the last one. */
export function noNodeError(
  command: string,
  node: string | undefined,
  why: string,
  cause: RtpProxyNgError | undefined,
): NodeError {
  return new NodeError('ERR_RTPPROXY_NO_NODE', `${command}: ${why}`, { command, node }, { cause })
}

/** What rtpengine answers to an offer of a new call when it is full; calls it has are not refused. */
const NO_ROOM =
  /^(Parallel session limit reached|CPU usage limit exceeded|Load limit exceeded|Bandwidth limit exceeded|Ran out of ports)/i

/** Whether a reply says that the node has no room for another call. */
export function hasNoRoom(error: RtpProxyNgError): boolean {
  if (error.code === 'ERR_RTPPROXY_LOAD_LIMIT') return true
  return error.code === 'ERR_RTPPROXY_NG' && error instanceof NgError && NO_ROOM.test(error.reason ?? '')
}
