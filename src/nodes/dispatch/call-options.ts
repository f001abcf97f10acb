import { optionError } from '../../errors.ts'

const MOST_MS = 0x7fff_ffff

/**
 * Checks what ends a command.
 *
 * @throws ConfigurationError that names the option: a signal that is none would be found out when there is nobody to tell.
 */
export function checkCallOptions(command: string, signal: unknown, deadlineMs: number): void {
  if (signal !== undefined && !isSignal(signal))
    throw optionError('signal', `${command}: signal must be an AbortSignal`)
  if (!Number.isInteger(deadlineMs) || deadlineMs < 0 || deadlineMs > MOST_MS)
    throw optionError(
      'deadlineMs',
      `${command}: deadlineMs must be a whole number from 0 to ${MOST_MS}, not ${String(deadlineMs)}`,
    )
}

/** Also one of another realm, or of a package that stands in for it. */
function isSignal(signal: unknown): boolean {
  const { addEventListener, removeEventListener } = (signal ?? {}) as Partial<EventTarget>
  return typeof addEventListener === 'function' && typeof removeEventListener === 'function'
}
