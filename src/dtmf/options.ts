import { BlockList, isIP } from 'node:net'
import { optionError } from '../errors.ts'

export interface DtmfEventsOptions {
  /** Where datagrams come in: `udp:HOST:PORT` or `udp:[IPv6]:PORT`, port 0 for any. Default: nowhere, only `feed`. */
  readonly listen?: string | undefined
  /** Events kept for each reader that does not keep up; then the oldest is dropped. 1 to 1,000,000, default 1000. */
  readonly queueLimit?: number | undefined
  /**
   * How long after an event its copies from other sources are known as such, in milliseconds: the most by which UDP and the
   * TCP connections may be apart. 0 to 3,600,000, default 5000.
   */
  readonly repeatMs?: number | undefined
  /** Addresses datagrams may come from, others are refused. Default: all. */
  readonly from?: readonly string[] | undefined
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
}

export interface CheckedDtmfOptions {
  readonly listen: ListenAddress | undefined
  readonly queueLimit: number
  readonly repeatMs: number
  readonly from: BlockList | undefined
}

/** @throws ConfigurationError that names the option. */
export function checkDtmfOptions(options: DtmfEventsOptions): CheckedDtmfOptions {
  return {
    listen: options.listen === undefined ? undefined : listenAddress(options.listen, 'udp:'),
    queueLimit: integer('queueLimit', options.queueLimit ?? 1000, 1, 1_000_000),
    repeatMs: integer('repeatMs', options.repeatMs ?? 5000, 0, 3_600_000),
    from: options.from === undefined ? undefined : addresses(options.from),
  }
}

function integer(option: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw optionError(option, `${option} must be an integer from ${min} to ${max}`)
}

const LISTEN = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/

/** @throws ConfigurationError for the option `listen`. */
export function listenAddress(url: unknown, scheme: 'udp:' | 'http://'): ListenAddress {
  const place = typeof url === 'string' && url.startsWith(scheme) ? url.slice(scheme.length) : ''
  const [, ipv6, ipv4, digits] = LISTEN.exec(place) ?? []
  const host = ipv6 ?? ipv4 ?? ''
  const family = isIP(host)
  const port = Number(digits)
  if (family !== (ipv6 === undefined ? 4 : 6) || port > 65535)
    throw optionError('listen', `listen must be ${scheme}ADDRESS:PORT, an IPv6 address in brackets`)
  return { host, port, family: ipv6 === undefined ? 4 : 6 }
}

/** @throws ConfigurationError for the option `from`. */
export function addresses(from: unknown): BlockList {
  if (!Array.isArray(from)) throw optionError('from', 'from must be a list of IP addresses')
  const allowed = new BlockList()
  for (const address of from) {
    const family = typeof address === 'string' ? isIP(address) : 0
    if (family === 0) throw optionError('from', 'from must be a list of IP addresses')
    allowed.addAddress(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return allowed
}
