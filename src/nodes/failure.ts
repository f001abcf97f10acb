import { NodeError } from '../errors.ts'
import type { ExchangeFailure } from '../network/transport.ts'

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
  return new NodeError(
    CODES[failure.kind],
    `${command}: media proxy ${node} ${TEXTS[failure.kind]}`,
    context,
    {
      cause: failure.cause,
    },
  )
}

/** Whether a failure shows that the node itself is out of order, rather than this host or this message. */
export function isNodesFault(failure: ExchangeFailure): boolean {
  return failure.kind === 'timeout' || failure.kind === 'refused' || failure.kind === 'unreachable'
}
