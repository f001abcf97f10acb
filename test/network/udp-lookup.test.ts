import { createSocket, Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../src/network/open-requests.ts'
import { TimerWheel } from '../../src/network/timer-wheel.ts'
import { UdpTransport } from '../../src/network/udp.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'

const lookups = vi.hoisted(() => [] as ((address: { address: string }) => void)[])
vi.mock('node:dns/promises', () => ({ lookup: () => new Promise((resolve) => lookups.push(resolve)) }))

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  lookups.length = 0
})

async function echo() {
  const node = createSocket('udp4').bind(0, '127.0.0.1')
  await once(node, 'listening')
  const datagrams: string[] = []
  node.on('message', (datagram, from) => {
    datagrams.push(datagram.toString('latin1', COOKIE_LENGTH + 1))
    node.send(datagram, from.port, from.address)
  })
  cleanups.push(() => new Promise((resolve) => node.close(() => resolve(undefined))))
  return { port: node.address().port, datagrams }
}

function start(port: number, requests = new OpenRequests()) {
  const udp = new UdpTransport('udp:slow.example', { host: 'slow.example', port, family: 4 }, requests)
  cleanups.push(() => udp.close())
  const send = (payload: string, timing = { timeoutMs: 5000, attempts: 5 }) => {
    const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${payload}`)
    return new Promise<string>((resolve) => {
      udp.send({ datagram, replied: () => resolve('replied'), failed: ({ kind }) => resolve(kind) }, timing)
    })
  }
  return { udp, requests, send }
}

describe('while the name of a node is being resolved', () => {
  it('one look-up serves all, and each datagram goes out once, however often its time came round', async () => {
    const { port, datagrams } = await echo()
    let now = 0
    const wheel = new TimerWheel(() => now)
    const { requests, send } = start(port, new OpenRequests(wheel))
    const timing = { timeoutMs: 1000, attempts: 5 }
    const replies = [send('d1:ae', timing), send('d1:be', timing)]
    for (now = 1000; now <= 4000; now += 1000) wheel.turn()
    expect(lookups).toHaveLength(1)
    lookups[0]!({ address: '127.0.0.1' })
    expect(await Promise.all(replies)).toEqual(['replied', 'replied'])
    // One more, so that all that was sent before it has arrived.
    expect(await send('d1:ce', timing)).toBe('replied')
    expect(datagrams).toEqual(['d1:ae', 'd1:be', 'd1:ce'])
    expect(requests.size).toBe(0)
    wheel.close()
  })

  it('a request may run out of time, and is not sent afterwards', async () => {
    const { port, datagrams } = await echo()
    const { send } = start(port)
    expect(await send('d1:ae', { timeoutMs: 1, attempts: 1 })).toBe('timeout')
    const next = send('d1:be')
    lookups[0]!({ address: '127.0.0.1' })
    expect(await next).toBe('replied')
    expect(datagrams).toEqual(['d1:be'])
  })

  it('closing fails what waits, and the socket that comes too late is closed', async () => {
    const { port, datagrams } = await echo()
    const { udp, send } = start(port)
    const connects = vi.spyOn(Socket.prototype, 'connect')
    const waiting = send('d1:ae')
    const closing = udp.close()
    expect(await waiting).toBe('closed')
    lookups[0]!({ address: '127.0.0.1' })
    await closing
    expect(() => (connects.mock.contexts[0] as Socket).address()).toThrow('Not running')
    expect(datagrams).toEqual([])
  })
})
