import { isIP } from 'node:net'
import { ConfigurationError, optionError } from '../errors.ts'

/** What `new EmbeddedRelay` takes. */
export interface EmbeddedRelayOptions {
  /**
   * Where NG commands come in: `udp:ADDRESS:PORT`, `udp6:[ADDRESS]:PORT`, `tcp:ADDRESS:PORT`, `tcp6:[ADDRESS]:PORT`,
   * `unix:PATH`, one or several. Port 0 is any free port; `urls` says which. Default `udp:127.0.0.1:0`.
   */
  readonly listen?: string | readonly string[]
  /** IP address of the media ports, or one of each family. Default `127.0.0.1`. */
  readonly address?: string | readonly string[]
  /** Addresses by name, for the `direction` of a command; a name that is not here means `address`. */
  readonly interfaces?: Readonly<Record<string, string | readonly string[]>>
  /** First and last port for media. Default: any the operating system gives. */
  readonly portMin?: number
  readonly portMax?: number
  /** An answered call without a packet or command for so long is deleted. Default 60000, as rtpengine's `timeout`. */
  readonly idleTimeoutMs?: number
  /**
   * The same for calls on hold or not answered yet, where silence is no fault. Default 3600000, as rtpengine's
   * `silent-timeout` and `offer-timeout`.
   */
  readonly silentTimeoutMs?: number
  /** How many calls there may be at a time; more are refused as over the load limit. Default 1000. */
  readonly maxSessions?: number
}

export interface HostAddress {
  readonly family: 4 | 6
  readonly host: string
  readonly port: number
}

export type ListenAddress =
  | ({ readonly carrier: 'udp' | 'tcp' } & HostAddress)
  | { readonly carrier: 'unix'; readonly path: string }

export interface RelaySettings {
  readonly listen: readonly ListenAddress[]
  readonly portMin: number
  readonly portMax: number
  readonly idleTimeoutMs: number
  readonly silentTimeoutMs: number
  readonly maxSessions: number
  /** The address of the interface of that name (undefined: of none), of this family if it has one. */
  readonly interfaceAddress: (name: string | undefined, family: 4 | 6) => string
}

/** As the interface has them. */
const NAMES: Readonly<Record<keyof EmbeddedRelayOptions, true>> = {
  listen: true,
  address: true,
  interfaces: true,
  portMin: true,
  portMax: true,
  idleTimeoutMs: true,
  silentTimeoutMs: true,
  maxSessions: true,
}

/** @throws ConfigurationError that names the option. */
export function checkOptions(options: EmbeddedRelayOptions): RelaySettings {
  if (typeof options !== 'object' || options === null)
    throw optionError('options', 'options must be an object')
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name))
  if (unknown !== undefined) {
    const all = Object.keys(NAMES).join(', ')
    throw optionError(unknown, `unknown option '${unknown}'; there are ${all}`)
  }
  const portMin = integer('portMin', options.portMin, 0, 1, 65534)
  const portMax = integer('portMax', options.portMax, portMin === 0 ? 0 : 65535, portMin + 1, 65535)
  if ((portMin === 0) !== (portMax === 0)) throw optionError('portMin', 'portMin and portMax go together')
  if (portMin > 0 && portMin + (portMin % 2) >= portMax) {
    throw optionError('portMax', `no even port and its neighbour from ${portMin} to ${portMax}`)
  }
  const addresses = addressList('address', options.address ?? '127.0.0.1')
  const interfaces = new Map(
    Object.entries(options.interfaces ?? {}).map(([name, list]) => [name, addressList('interfaces', list)]),
  )
  return {
    listen: [options.listen ?? 'udp:127.0.0.1:0'].flat().map(parseListen),
    portMin,
    portMax,
    idleTimeoutMs: integer('idleTimeoutMs', options.idleTimeoutMs, 60_000, 1, 2 ** 31 - 1),
    silentTimeoutMs: integer('silentTimeoutMs', options.silentTimeoutMs, 3_600_000, 1, 2 ** 31 - 1),
    maxSessions: integer('maxSessions', options.maxSessions, 1000, 1, 1_000_000),
    interfaceAddress: (name, family) => {
      const list = interfaces.get(name ?? '') ?? addresses
      return list.find((address) => isIP(address) === family) ?? list[0]!
    },
  }
}

function integer(
  option: keyof EmbeddedRelayOptions,
  value: number | undefined,
  preset: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return preset
  if (!Number.isInteger(value) || value < least || value > most) {
    throw optionError(option, `${option} must be a whole number from ${least} to ${most}, not ${value}`)
  }
  return value
}

function addressList(option: 'address' | 'interfaces', value: string | readonly string[]): readonly string[] {
  const list = [value].flat()
  const wrong = list.find((address) => isIP(address) === 0)
  if (list.length === 0 || wrong !== undefined) throw optionError(option, `'${wrong ?? ''}' is no IP address`)
  return list
}

function parseListen(url: string): ListenAddress {
  const [, carrier = '', six, rest = ''] = /^(udp|tcp|unix(?=:))(6?):(.+)$/s.exec(url) ?? []
  if (carrier === 'unix') return { carrier, path: rest }
  const address = parseHost(rest, six === '6' ? 6 : 4)
  if ((carrier !== 'udp' && carrier !== 'tcp') || address === undefined) {
    const forms = 'udp:IPV4:PORT, udp6:[IPV6]:PORT, tcp:IPV4:PORT, tcp6:[IPV6]:PORT or unix:PATH'
    throw new ConfigurationError('ERR_RTPPROXY_URL', 'listen', `listen '${url}': not ${forms}`)
  }
  return { carrier, ...address }
}

/** `ADDRESS:PORT`, an IPv6 address in brackets or not; undefined if it is not that, of this family. */
export function parseHost(text: string, family: 4 | 6): HostAddress | undefined {
  const [, bracketed, bare, port = ''] = /^(?:\[(.*)\]|(.*)):([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? bare ?? ''
  return isIP(host) === family && Number(port) <= 65535 ? { family, host, port: Number(port) } : undefined
}
