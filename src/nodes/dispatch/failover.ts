import { isRegExp } from 'node:util/types'
import { NgError, optionError, type RtpProxyNgError } from '../../errors.ts'

/**
 * Which errors send an offer of a new call on to the next media proxy, beside those that say that one is full: expressions that the
 * `reason` is searched for, or a function that is asked about each.
 */
export type FailoverOn = RegExp | readonly RegExp[] | ((error: NgError) => boolean)

/** Whether an error that a media proxy answered to an offer of a new call is no reason to give up. */
export type FailsOver = (error: RtpProxyNgError) => boolean

/**
 * Makes the question of the option.
 *
 * @returns a function that throws a ConfigurationError when the user's does.
 * @throws ConfigurationError that names the option.
 */
export function failsOverOn(given: FailoverOn | undefined): FailsOver {
  if (given === undefined) return () => false
  if (typeof given === 'function') return (error) => isAnswer(error) && asked(given, error)
  const expressions: unknown[] = [given].flat()
  if (!expressions.every(isRegExp))
    throw optionError('failoverOn', 'failoverOn must be a RegExp, a list of them, or a function')
  // `search` and not `test`, which for an expression with the flag g goes on where it found something before.
  return (error) =>
    isAnswer(error) && expressions.some((expression) => (error.reason ?? '').search(expression) >= 0)
}

/** `error` and its reason; what is no reply at all says nothing that could be asked about. */
function isAnswer(error: RtpProxyNgError): error is NgError {
  return error instanceof NgError && error.code === 'ERR_RTPPROXY_NG'
}

function asked(failsOver: (error: NgError) => boolean, error: NgError): boolean {
  try {
    return failsOver(error) === true
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    const thrown = optionError('failoverOn', `failoverOn: the function threw${why}`)
    thrown.cause = cause
    throw thrown
  }
}
