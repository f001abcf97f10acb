import { ConfigurationError, optionError } from '../errors.ts'
import { parseWebUrl, type WebAddress } from '../network/web/address.ts'
import { isIPv6 } from '../protocol/ip.ts'

/** Where a node listens. */
export type NodeAddress =
  | {
      readonly transport: 'udp' | 'tcp'
      readonly family: 4 | 6
      readonly host: string
      readonly port: number
    }
  | { readonly transport: 'unix'; readonly path: string }
  | WebAddress

export interface NodeDefinition {
  /** The URL as written, without the weight: the node's name in management commands. */
  readonly url: string
  /** Counts nodes in the order they were written over all sets, from 0. */
  readonly index: number
  readonly weight: number
  readonly address: NodeAddress
  /** The second of two URLs: where what does not fit into datagrams goes. */
  readonly stream?: NodeAddress
  /** 0 (default) takes calls first. */
  readonly tier?: number
  /** The URL as written, if `url` is what its name resolved to. */
  readonly origin?: string
}

export interface SetDefinition {
  readonly id: number
  readonly nodes: NodeDefinition[]
}

/** Port of a node whose URL has none. */
const DEFAULT_PORT = 22222
/** `sun_path` has room for 108 bytes, the last of them 0 (unix(7)); Node cuts a longer path in silence. */
const MAX_PATH_BYTES = 107
const MAX_WEIGHT = 0xffff_ffff
const MAX_SET_ID = 0xffff_ffff

function urlError(url: string, why: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_URL', 'rtpproxy_sock', `media proxy '${url}': ${why}`)
}

/**
 * Parses `udp:HOST[:PORT]`, `udp6:HOST[:PORT]`, `tcp:HOST[:PORT]`, `tcp6:HOST[:PORT]`, `ws://HOST[:PORT][/PATH]`, `wss:`, `http:`,
 * `https:`, `unix:PATH` or a bare UNIX path. The scheme may be in any case, IPv6 hosts in brackets; the port is what follows the last
 * colon. `udp6:` and `tcp6:` are for names that lead to IPv6 addresses; an IPv6 address itself may stand behind `tcp:` as well.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_URL`
 */
export function parseUrl(url: string): NodeAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined || scheme === 'unix') {
    const path = scheme === undefined ? url : url.slice('unix:'.length)
    if (path === '') throw urlError(url, 'the path is empty')
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw urlError(url, `the path is longer than ${MAX_PATH_BYTES} bytes`)
    return { transport: 'unix', path }
  }
  if (/^(?:ws|http)s?$/.test(scheme)) return parseWebUrl(url)
  if (!/^(udp|tcp)6?$/.test(scheme))
    throw urlError(url, `unknown scheme '${scheme}:' (udp, udp6, tcp, tcp6, ws, wss, http, https, unix)`)
  const { host, port } = hostAndPort(url, url.slice(scheme.length + 1))
  if (host === '' || /[\s/\\@?#]/.test(host)) throw urlError(url, 'the host is missing or malformed')
  if (scheme === 'udp' && isIPv6(host)) throw urlError(url, 'an IPv6 address needs udp6:')
  if (host.includes(':') && !isIPv6(host))
    throw urlError(url, 'malformed host; put IPv6 addresses in brackets')
  const family = scheme.endsWith('6') || isIPv6(host) ? 6 : 4
  return { transport: scheme.startsWith('udp') ? 'udp' : 'tcp', family, host, port }
}

function hostAndPort(url: string, rest: string): { host: string; port: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest)
  const colon = rest.lastIndexOf(':')
  const host = bracketed?.[1] ?? (colon < 0 ? rest : rest.slice(0, colon))
  const portText = bracketed === null ? (colon < 0 ? '' : rest.slice(colon + 1)) : (bracketed[2] ?? '')
  if (bracketed !== null && !isIPv6(host)) throw urlError(url, `'${host}' is no IPv6 address`)
  if (portText === '') return { host, port: DEFAULT_PORT }
  const port = Number(portText)
  if (!/^[0-9]{1,5}$/.test(portText) || port < 1 || port > 65535)
    throw urlError(url, `'${portText}' is no port`)
  return { host, port }
}

/** What may stand between the two URLs of one node. */
const SECOND_URL = /\s*\|\s*(?=(?:udp|tcp)6?:|(?:ws|http)s?:)/i

const NO_PAIR = 'two URLs of one media proxy are one of udp: and one of tcp:, ws: or http:'

/** `URL[|URL][=WEIGHT]` */
function parseNode(word: string, index: number): NodeDefinition {
  // A UNIX path ends before the first `=`, as in the module; a web address may have one of its own.
  const isWeb = /(?:^|\|)(?:ws|http)s?:/i.test(word)
  const equals = isWeb ? word.search(/=[^=/]*$/) : word.indexOf('=')
  const url = equals < 0 ? word : word.slice(0, equals)
  const weightText = equals < 0 ? '1' : word.slice(equals + 1)
  const weight = Number(weightText)
  if (weightText.includes('|')) throw urlError(word, 'the weight stands behind the second URL')
  if (!/^[0-9]+$/.test(weightText) || weight > MAX_WEIGHT)
    throw urlError(word, `'${weightText}' is no weight`)
  return { url, index, weight, ...parseUrls(url) }
}

/**
 * Parses the URL of a node, or its two: `udp:HOST:PORT|tcp:HOST:PORT`, datagrams first.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_URL`
 */
export function parseUrls(url: string): { address: NodeAddress; stream?: NodeAddress } {
  const [first = '', second, more] = url.split(SECOND_URL)
  // What is left of a `|` here has no second URL behind it, or one of another scheme; only paths may have one of their own.
  const isMisplaced =
    url.startsWith('|') || [first, second].some((one = '') => /^(?:udp|tcp)6?:.*\|/is.test(one))
  if (isMisplaced || more !== undefined) throw urlError(url, NO_PAIR)
  const address = parseUrl(first)
  if (second === undefined) return { address }
  const stream = parseUrl(second)
  const fits = address.transport === 'udp' && stream.transport !== 'udp' && stream.transport !== 'unix'
  if (!fits) throw urlError(url, NO_PAIR)
  return { address, stream }
}

/**
 * Parses the strings of `rtpproxy_sock`: `[ID ==] URL[=WEIGHT] ...` each. Without `ID ==` the set is 0; an id given again
 * adds to its set; blank strings are ignored. One media proxy may have two URLs, `udp:... | tcp:...`: see `parseUrls`.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` (set id, empty list) or `ERR_RTPPROXY_URL`.
 */
export function parseSockets(sockets: readonly string[]): SetDefinition[] {
  const sets = new Map<number, SetDefinition>()
  let index = 0
  for (const text of sockets) {
    if (text.trim() === '') continue
    const marker = text.indexOf('==')
    const idText = marker < 0 ? '0' : text.slice(0, marker).trim()
    const id = Number(idText)
    if (!/^[0-9]+$/.test(idText) || id > MAX_SET_ID) {
      throw optionError('rtpproxy_sock', `'${text}': '${idText}' is no set id`)
    }
    const words = text
      .slice(marker < 0 ? 0 : marker + 2)
      .trim()
      .replaceAll(new RegExp(SECOND_URL, 'gi'), '|')
    if (words === '') {
      throw optionError('rtpproxy_sock', `'${text}': no media proxy in set ${id}`)
    }
    const set = sets.get(id) ?? { id, nodes: [] }
    for (const word of words.split(/\s+/)) set.nodes.push(parseNode(word, index++))
    sets.set(id, set)
  }
  return [...sets.values()]
}
