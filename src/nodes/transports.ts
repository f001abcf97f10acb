import { optionError } from '../errors.ts'
import { JsonTransport } from '../network/json.ts'
import type { NameResolver } from '../network/names.ts'
import { PairedTransport } from '../network/paired.ts'
import type { OpenRequests } from '../network/requests/open-requests.ts'
import { TcpTransport } from '../network/tcp.ts'
import type { Transport } from '../network/transport.ts'
import { UdpTransport } from '../network/udp.ts'
import { UnixTransport } from '../network/unix.ts'
import type { WebOptions } from '../network/web/address.ts'
import { HttpTransport } from '../network/web/http.ts'
import { WebSocketTransport } from '../network/web/websocket.ts'
import { isIP } from '../protocol/ip.ts'
import type { NodeAddress, NodeDefinition } from './grammar.ts'

/** How the bytes of commands and replies are written. */
export type Coding = 'bencode' | 'json'

/** What the ways to all nodes have in common. */
export interface TransportOptions {
  readonly resolver: NameResolver
  readonly coding: Coding
  readonly web: WebOptions
  /** Where everything is sent from; undefined: as the system chooses. */
  readonly localAddress: string | undefined
}

/** The way, or the two ways, to a node. Nothing is opened before the first command. */
export function transportTo(
  { url, address, stream }: Pick<NodeDefinition, 'url' | 'address' | 'stream'>,
  requests: OpenRequests,
  options: TransportOptions,
): Transport {
  const first = oneWay(url, address, requests, options)
  const transport =
    stream === undefined ? first : new PairedTransport(url, first, oneWay(url, stream, requests, options))
  return options.coding === 'json' ? new JsonTransport(transport) : transport
}

function oneWay(
  url: string,
  address: NodeAddress,
  requests: OpenRequests,
  { resolver, web, localAddress }: TransportOptions,
): Transport {
  switch (address.transport) {
    case 'udp':
      return new UdpTransport(url, { ...address, localAddress }, requests, resolver)
    case 'tcp':
      return new TcpTransport(url, { ...address, localAddress }, requests, resolver)
    case 'unix':
      return new UnixTransport(url, address, requests)
    case 'websocket':
      return new WebSocketTransport(url, address, requests, { ...web, resolver, localAddress })
    case 'http':
      return new HttpTransport(url, address, requests, { ...web, resolver, localAddress })
  }
}

/**
 * Refuses JSON where rtpengine would never answer it: on a TCP connection it finds the end of a message by its bencode.
 *
 * @throws ConfigurationError
 */
export function checkCoding(
  coding: Coding,
  { url, address, stream }: Pick<NodeDefinition, 'url' | 'address' | 'stream'>,
): void {
  const isDelimited = [address, stream].some((way) => way?.transport === 'tcp' || way?.transport === 'unix')
  if (coding === 'json' && isDelimited) throw optionError('coding', `${url} can only be spoken to in bencode`)
}

/**
 * Refuses a node of the other family than the address everything is to be sent from.
 *
 * @throws ConfigurationError
 */
export function checkFamily(
  localAddress: string | undefined,
  { url, address, stream }: Pick<NodeDefinition, 'url' | 'address' | 'stream'>,
): void {
  if (localAddress === undefined) return
  const family = isIP(localAddress)
  if ([address, stream].every((way) => way === undefined || [0, family].includes(familyOf(way)))) return
  const why = `${url} cannot be reached from ${localAddress}, which is IPv${family}`
  throw optionError('localAddress', why)
}

/** 4 or 6; 0 where that is not known, or there is none. */
function familyOf(way: NodeAddress): number {
  if ('family' in way) return way.family
  return 'url' in way ? isIP(new URL(way.url).hostname.replace(/^\[|\]$/g, '')) : 0
}
