import { type HostAddress, parseHost } from '../../relay/options.ts'

export interface WebAddress extends HostAddress {
  readonly carrier: 'http' | 'websocket'
}

/** `http:ADDRESS:PORT` or `ws:ADDRESS:PORT`; undefined for anything else. */
export function parseWebAddress(url: string): WebAddress | undefined {
  const [, scheme, rest = ''] = /^(http|ws):(?:\/\/)?(.+)$/.exec(url) ?? []
  const host = parseHost(rest, rest.startsWith('[') ? 6 : 4)
  if (scheme === undefined || host === undefined) return undefined
  return { carrier: scheme === 'ws' ? 'websocket' : 'http', ...host }
}
