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

/** What look-ups failed with, whatever its code. */
const UNRESOLVED = new WeakSet<Error>()

/** The error of a look-up, which `failureOf` will know. */
export function unresolved(cause: unknown): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  UNRESOLVED.add(error)
  return error
}

/** The kind of what ended a connection. What the peer's TLS or HTTP met with is a refusal, whichever side it was that refused. */
export function failureOf(cause: NodeJS.ErrnoException): ExchangeFailure {
  // Of several addresses of a name: Node says nothing of its own then, and the first was the one preferred.
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return failureOf(cause.errors[0])
  if (UNRESOLVED.has(cause)) return { kind: 'unreachable', cause }
  // The address to send from is none of this host.
  if (cause.syscall === 'bind') return { kind: 'local', cause }
  const code = cause.code ?? ''
  return { kind: UNREACHABLE.has(code) ? 'unreachable' : LOCAL.has(code) ? 'local' : 'refused', cause }
}
