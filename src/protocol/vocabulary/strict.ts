import { optionError } from '../../errors.ts'

/** What commands are checked against before they are sent: nothing, all of the NG protocol, or what rtpengine 10.5 knows of it. */
export type Strictness = boolean | '10.5'

/** @throws ConfigurationError that names the option `strict`. */
export function checkStrict(given: unknown): Strictness {
  if (given === undefined) return false
  if (typeof given === 'boolean' || given === '10.5') return given
  throw optionError('strict', `strict must be true, false or '10.5', not ${String(given)}`)
}
