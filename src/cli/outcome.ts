/**
 * What a command ends with: 0 all is well, 1 what was asked for has failed (no answer, a refusal, a fault in a file), 2 it was asked for
 * wrongly (an option, an argument, a file that cannot be read).
 */
export type ExitCode = 0 | 1 | 2

/** A fault of the one who typed. */
export class UsageError extends Error {
  readonly code = 'ERR_RTPPROXY_USAGE'
}

/** The number an option was given, from `least` to `most`. */
export function wholeNumber(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new UsageError(`${name} must be a whole number from ${least} to ${most}, not '${text}'`)
    return value
  }
}
