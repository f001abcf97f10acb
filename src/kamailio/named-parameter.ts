import { ConfigurationError } from '../errors.ts'
import { parseSockets } from '../nodes/grammar.ts'

/** Checks a module's sockets, one set a string; errors name the module's parameter. */
export function checkSockets(sockets: readonly string[], parameter: string): void {
  for (const one of sockets) named(parameter, () => parseSockets([one]))
}

/**
 * What `read` makes of a parameter's value.
 *
 * @throws ConfigurationError that names the parameter, whatever option `read` knows it by.
 */
export function named<T>(parameter: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const code = error.code === 'ERR_RTPPROXY_URL' ? error.code : 'ERR_RTPPROXY_OPTION'
    throw new ConfigurationError(code, parameter, error.message)
  }
}
