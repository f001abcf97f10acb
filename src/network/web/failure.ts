import type { ExchangeFailure } from '../transport.ts'

/** What the system says about the way to the node. */
const UNREACHABLE = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINVAL',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
])

/** What it says about this host. */
const LOCAL = new Set(['EACCES', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EPERM'])

/** The kind of what ended a connection. What the peer's TLS or HTTP met with is a refusal, whichever side it was that refused. */
export function failureOf(cause: NodeJS.ErrnoException): ExchangeFailure {
  const code = cause.code ?? ''
  return { kind: UNREACHABLE.has(code) ? 'unreachable' : LOCAL.has(code) ? 'local' : 'refused', cause }
}
