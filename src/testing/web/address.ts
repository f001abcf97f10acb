import { ConfigurationError } from '../../errors.ts'
import { type HostAddress, parseHost } from '../../relay/options.ts'

export interface WebAddress extends HostAddress {
  readonly carrier: 'http' | 'websocket'
}

/**
 * `http:ADDRESS:PORT` or `ws:ADDRESS:PORT`; undefined for another scheme.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_URL`
 */
export function parseWebAddress(url: string): WebAddress | undefined {
  const [, scheme, rest = ''] = /^(http|ws):(?:\/\/)?(.*)$/s.exec(url) ?? []
  const host = parseHost(rest, rest.startsWith('[') ? 6 : 4)
  if (scheme === undefined) return undefined
  if (host === undefined) {
    const why = `listen '${url}': not ${scheme}:IPV4:PORT or ${scheme}:[IPV6]:PORT`
    throw new ConfigurationError('ERR_RTPPROXY_URL', 'listen', why)
  }
  return { carrier: scheme === 'ws' ? 'websocket' : 'http', ...host }
}
