import { createSocket, Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, vi } from 'vitest'
import type { NameResolver } from '../../src/network/names.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { UdpTransport } from '../../src/network/udp.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'

interface LookUp {
  answer(...addresses: string[]): void
  fail(cause: Error): void
}

/** The look-ups that were asked for, which each test answers itself. */
export const lookups: LookUp[] = []
const names: NameResolver = {
  addresses: () =>
    new Promise((resolve, reject) => {
      lookups.push({ answer: (...addresses) => resolve(addresses), fail: reject })
    }),
  services: () => expect.unreachable(),
}

/** Sockets of this process; one that was closed counts until the event loop has come round. */
export const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  lookups.length = 0
  // No test leaves a socket behind.
  await expect.poll(() => sockets(), { interval: 1 }).toBe(0)
})

/** A node that sends back what it gets, at once or when the test says so. */
class Peer {
  readonly socket = createSocket('udp4')
  readonly datagrams: string[] = []
  /** Ports that datagrams came from. */
  readonly ports = new Set<number>()
  /** Replies not given yet. */
  readonly held: (() => void)[] = []
  holds = false
  #closed: Promise<void> | undefined

  constructor() {
    this.socket.on('message', (datagram, from) => {
      this.datagrams.push(datagram.toString('latin1', COOKIE_LENGTH + 1))
      this.ports.add(from.port)
      const reply = () => this.socket.send(datagram, from.port, from.address)
      if (this.holds) this.held.push(reply)
      else reply()
    })
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.socket.close(() => resolve()))
    return this.#closed
  }
}

async function bound(address: string, port: number): Promise<Peer> {
  const peer = new Peer()
  peer.socket.bind(port, address)
  await once(peer.socket, 'listening')
  return peer
}

/** A node at 127.0.0.1 that sends back what it gets. */
export async function echo() {
  const peer = await bound('127.0.0.1', 0)
  cleanups.push(() => peer.close())
  return { port: peer.socket.address().port, datagrams: peer.datagrams }
}

/** Two nodes at one port of two addresses: 127.0.0.1 and 127.0.0.2. */
export async function move() {
  for (;;) {
    const from = await bound('127.0.0.1', 0)
    const { port } = from.socket.address()
    try {
      const to = await bound('127.0.0.2', port)
      cleanups.push(
        () => from.close(),
        () => to.close(),
      )
      return { from, to, port }
    } catch {
      // Another program has this port at the other address.
      await from.close()
    }
  }
}

/** Closes `udp` the moment its next socket begins to connect. */
export function closedWhenConnecting(udp: UdpTransport): Promise<void> {
  const connect = Socket.prototype.connect as (...args: unknown[]) => void
  return new Promise((resolve) => {
    const connecting = function (this: Socket, ...args: unknown[]): void {
      connect.apply(this, args)
      resolve(udp.close())
    }
    vi.spyOn(Socket.prototype, 'connect').mockImplementation(connecting as never)
  })
}

/** A transport to the node `slow.example`. */
export function start(port: number, requests = new OpenRequests()) {
  const address = { host: 'slow.example', port, family: 4 } as const
  const udp = new UdpTransport('udp:slow.example', address, requests, names)
  cleanups.push(() => udp.close())
  const send = (payload: string, timing = { timeoutMs: 5000, attempts: 5 }) => {
    const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${payload}`)
    return new Promise<string>((resolve) => {
      udp.send({ datagram, replied: () => resolve('replied'), failed: ({ kind }) => resolve(kind) }, timing)
    })
  }
  /** Sends the first command, which looks the name up. */
  const openAt = async (...addresses: string[]) => {
    const first = send('d1:0e')
    lookups.at(-1)!.answer(...addresses)
    expect(await first).toBe('replied')
  }
  return { udp, requests, send, openAt }
}
