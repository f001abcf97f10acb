import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { checkLocalAddress } from '../../src/network/local-address.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TcpTransport } from '../../src/network/tcp.ts'
import type { Transport } from '../../src/network/transport.ts'
import { UdpTransport } from '../../src/network/udp.ts'
import { exchange } from './web/scene.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length
  await expect.poll(() => sockets(), { interval: 1 }).toBe(0)
})

interface Peer {
  readonly port: number
  /** Addresses that something came from. */
  readonly sources: string[]
}

async function udpPeer(host: string): Promise<Peer> {
  const sources: string[] = []
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (datagram, from) => {
    sources.push(from.address)
    socket.send(datagram, from.port, from.address)
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  cleanups.push(() => new Promise<void>((resolve) => socket.close(resolve)))
  return { port: socket.address().port, sources }
}

async function tcpPeer(host: string): Promise<Peer> {
  const sources: string[] = []
  const server = createServer((socket) => {
    sources.push(socket.remoteAddress!)
    socket.on('error', () => undefined).pipe(socket)
  })
  server.listen(0, host)
  await once(server, 'listening')
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as AddressInfo).port, sources }
}

function udp(host: string, port: number, localAddress: string): Transport {
  const address = { host, port, family: host.includes(':') ? 6 : 4, localAddress } as const
  const transport = new UdpTransport('udp:x', address, new OpenRequests())
  cleanups.push(() => transport.close())
  return transport
}

function tcp(host: string, port: number, localAddress: string): Transport {
  const transport = new TcpTransport('tcp:x', { host, port, localAddress }, new OpenRequests())
  cleanups.push(() => transport.close())
  return transport
}

/** One that is on a link, if this host has any. */
const linkLocal = Object.values(networkInterfaces())
  .flatMap((infos = []) => infos)
  .find(({ address }) => /^fe[89ab]/.test(address))?.address
if (linkLocal === undefined) console.warn('SKIPPED: this host has no link-local IPv6 address')

describe.each([
  ['UDP', udpPeer, udp],
  ['TCP', tcpPeer, tcp],
] as const)('localAddress over %s', (_, peer, to) => {
  it.each([
    ['127.0.0.1', '127.0.0.2'],
    ['::1', '::1'],
  ])('is where %s sees everything come from: %s', async (host, localAddress) => {
    const node = await peer(host)
    const transport = to(host, node.port, localAddress)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(new Set(node.sources)).toEqual(new Set([localAddress]))
  })

  it('that this host does not have is no failure of the node, and is tried again by the next command', async () => {
    const node = await peer('127.0.0.1')
    const transport = to('127.0.0.1', node.port, '192.0.2.1')
    const failed = { failure: 'local', why: 'bind EADDRNOTAVAIL 192.0.2.1' }
    expect(await Promise.all([exchange(transport, 'de'), exchange(transport, 'de')])).toEqual([
      failed,
      failed,
    ])
    expect(await exchange(transport, 'de')).toEqual(failed)
    await transport.close()
    expect(node.sources).toEqual([])
  })

  it('that this host does not have holds no close up', async () => {
    const transport = to('127.0.0.1', 9, '192.0.2.1')
    const sent = exchange(transport, 'de')
    await Promise.resolve()
    await transport.close()
    expect(await sent).toMatchObject({ failure: 'closed' })
  })

  it.skipIf(linkLocal === undefined)('leads to a link without its interface named anywhere', async () => {
    const local = checkLocalAddress(linkLocal)!
    const node = await peer(local)
    const transport = to(linkLocal!, node.port, local)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.sources).toEqual([local])
  })
})

describe('the option localAddress', () => {
  const interfaces = () => ({
    lo: [{ address: '::1', scopeid: 0 }],
    eth1: [{ address: 'fe80::2', scopeid: 3 }],
  })
  const check = (given: unknown) => checkLocalAddress(given as never, interfaces as never)

  it('is an IP address as it is given', () => {
    for (const address of ['127.0.0.2', '::1', '2001:db8::1', 'fe80::1%eth0', undefined])
      expect(check(address)).toBe(address)
  })

  it('gets the interface of a link-local address, however that is written', () => {
    expect(check('fe80::2')).toBe('fe80::2%eth1')
    expect(check('FE80:0:0::0002')).toBe('FE80:0:0::0002%eth1')
  })

  it.each([
    ['localhost', "'localhost' is no IP address to send from"],
    ['127.0.0.1:5060', 'is no IP address'],
    ['', "'' is no IP address"],
    ['[::1]', 'is no IP address'],
    [5, "'5' is no IP address"],
    [null, "'null' is no IP address"],
    ['fe80::3', 'fe80::3 is on no interface of this host; name one, as in fe80::3%eth0'],
  ])('is refused as %s', (given, message) => {
    expect(() => check(given)).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_OPTION',
        option: 'localAddress',
        message: expect.stringContaining(message),
      }),
    )
  })
})
