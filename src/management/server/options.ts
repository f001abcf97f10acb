import { isIP } from 'node:net'
import { optionError } from '../../errors.ts'

/** A registry of metrics, as the package `prom-client` has it. */
export interface MetricsRegistry {
  readonly contentType: string
  metrics(): Promise<string> | string
}

/** What `managementServer` takes. */
export interface ManagementOptions {
  /** Where it listens: `ADDRESS:PORT` (an IPv6 address in brackets), or `unix:PATH`. Default `127.0.0.1:0`, any free port. */
  readonly listen?: string | undefined
  /**
   * What clients have to send as `Authorization: Bearer TOKEN`, at least 16 characters. Without it only loopback addresses and UNIX sockets
   * are listened at, and no browser page from elsewhere is answered.
   */
  readonly token?: string | undefined
  /** Most bytes of a request. Default 65536. */
  readonly bodyLimit?: number | undefined
  /** Most requests of one client in a minute. Default 600. */
  readonly requestsPerMinute?: number | undefined
  /** How often media proxies are pinged for the status page, in milliseconds, as long as somebody looks at it. Default 2000. */
  readonly sampleMs?: number | undefined
  /** What `/metrics` shows: a registry of `prom-client`. Default: there is no `/metrics`. */
  readonly metrics?: MetricsRegistry | undefined
}

export type ListenPlace =
  | { readonly path: string; readonly host?: undefined }
  | { readonly host: string; readonly port: number; readonly path?: undefined }

export interface CheckedManagement {
  readonly place: ListenPlace
  readonly token: string | undefined
  readonly bodyLimit: number
  readonly requestsPerMinute: number
  readonly sampleMs: number
  readonly metrics: MetricsRegistry | undefined
}

const SHORTEST_TOKEN = 16

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names the option.
 */
export function checkManagement(options: ManagementOptions): CheckedManagement {
  const { listen = '127.0.0.1:0', token, metrics } = options
  const place = placeOf(listen)
  if (token !== undefined && (typeof token !== 'string' || token.length < SHORTEST_TOKEN))
    throw optionError('token', `token must have at least ${SHORTEST_TOKEN} characters`)
  if (token === undefined && place.host !== undefined && !isLoopback(place.host))
    throw optionError('listen', `${listen} is not on loopback: that needs the option token`)
  if (metrics !== undefined && typeof metrics?.metrics !== 'function')
    throw optionError('metrics', 'metrics must be a registry of prom-client')
  return {
    place,
    token,
    bodyLimit: count('bodyLimit', options.bodyLimit ?? 65_536, 1024, 16_777_216),
    requestsPerMinute: count('requestsPerMinute', options.requestsPerMinute ?? 600, 1, 1_000_000),
    sampleMs: count('sampleMs', options.sampleMs ?? 2000, 100, 3_600_000),
    metrics,
  }
}

function count(option: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw optionError(option, `${option} must be a whole number from ${least} to ${most}`)
  return value
}

function placeOf(listen: unknown): ListenPlace {
  const text = typeof listen === 'string' ? listen : ''
  if (text.startsWith('unix:') && text.length > 5) return { path: text.slice(5) }
  const [, ipv6, ipv4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = ipv6 ?? ipv4 ?? ''
  const port = Number(digits)
  if (isIP(host) !== (ipv6 === undefined ? 4 : 6) || !(port <= 65_535))
    throw optionError('listen', 'listen must be ADDRESS:PORT, an IPv6 address in brackets, or unix:PATH')
  return { host, port }
}

/** Whether an address leads to this host alone. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
