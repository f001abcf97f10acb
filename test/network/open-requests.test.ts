import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { OpenRequests } from '../../src/network/open-requests.ts'
import type { Exchange, ExchangeFailure } from '../../src/network/transport.ts'
import { MAX_DATAGRAM, UdpTransport } from '../../src/network/udp.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { deadPort } from '../media-proxy.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A bare peer whose answers each test writes itself. */
async function peer(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  cleanups.push(() => new Promise((resolve) => socket.close(() => resolve(undefined))))
  return socket
}

function transport(port: number, host = '127.0.0.1', requests = new OpenRequests()) {
  const udp = new UdpTransport(
    `udp:${host}:${port}`,
    { host, port, family: host.includes(':') ? 6 : 4 },
    requests,
  )
  cleanups.push(() => udp.close())
  return { udp, requests }
}

type Outcome = { reply: Buffer } | { failure: ExchangeFailure['kind'] }

/** Sends `payload` and says what became of it. */
function exchange(
  udp: UdpTransport,
  payload: string | Buffer,
  timing = { timeoutMs: 5000, attempts: 1 },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const one: Exchange = {
      datagram: Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), Buffer.from(payload)]),
      replied: (bytes, offset) => resolve({ reply: bytes.subarray(offset) }),
      failed: ({ kind }) => resolve({ failure: kind }),
    }
    udp.send(one, timing)
  })
}

describe('requests over UDP', () => {
  it('each get their own reply, whatever order the replies come in', async () => {
    const node = await peer()
    const waiting: [Buffer, number][] = []
    node.on('message', (datagram, from) => {
      waiting.push([datagram, from.port])
      if (waiting.length === 200)
        for (const [bytes, port] of waiting.reverse()) node.send(bytes, port, '127.0.0.1')
    })
    const { udp, requests } = transport(node.address().port)
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, i) => exchange(udp, `d1:xi${i}ee`)))
    expect(outcomes.map((outcome) => ('reply' in outcome ? outcome.reply.toString() : outcome))).toEqual(
      Array.from({ length: 200 }, (_, i) => `d1:xi${i}ee`),
    )
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
  })

  it('are sent again, byte for byte, once a timeout until the attempts are used up', async () => {
    const node = await peer()
    const datagrams: Buffer[] = []
    node.on('message', (datagram) => datagrams.push(datagram))
    const { udp } = transport(node.address().port)
    const started = performance.now()
    expect(await exchange(udp, 'de', { timeoutMs: 60, attempts: 3 })).toEqual({ failure: 'timeout' })
    expect(performance.now() - started).toBeGreaterThanOrEqual(179)
    expect(datagrams).toHaveLength(3)
    expect(new Set(datagrams.map(String)).size).toBe(1)
  })

  it('fail at once, all of them, when the port is closed, and the socket goes on', async () => {
    const port = await deadPort()
    const { udp } = transport(port)
    const started = performance.now()
    const outcomes = await Promise.all([1, 2, 3].map(() => exchange(udp, 'de')))
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ failure: 'refused' })))
    expect(performance.now() - started).toBeLessThan(2000)
    const node = createSocket('udp4')
    node.on('message', (datagram, from) => node.send(datagram, from.port, from.address))
    node.bind(port, '127.0.0.1')
    await once(node, 'listening')
    cleanups.push(() => new Promise((resolve) => node.close(() => resolve(undefined))))
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
  })

  it('get replies of any size a datagram can have', async () => {
    const node = await peer()
    const body = Buffer.alloc(MAX_DATAGRAM - COOKIE_LENGTH - 1, 'x')
    node.on('message', (datagram, from) => {
      node.send(Buffer.concat([datagram.subarray(0, COOKIE_LENGTH + 1), body]), from.port, from.address)
    })
    const { udp } = transport(node.address().port)
    expect(await exchange(udp, 'de')).toEqual({ reply: body })
    expect(await exchange(udp, Buffer.alloc(MAX_DATAGRAM))).toEqual({ failure: 'too-large' })
  })

  it('drop and count what is late, repeated, foreign or malformed', async () => {
    const node = await peer()
    const other = await peer()
    const requests = new OpenRequests()
    const { udp } = transport(node.address().port, '127.0.0.1', requests)
    const { udp: otherUdp } = transport(other.address().port, '127.0.0.1', requests)
    let openAtOther: Buffer | undefined
    let otherPort = 0
    other.on('message', (datagram, from) => {
      openAtOther = datagram
      otherPort = from.port
    })
    const pending = exchange(otherUdp, 'de')
    await expect.poll(() => openAtOther).toBeDefined()
    node.on('message', (datagram, from) => {
      const bad = [
        '',
        ' ',
        'garbage',
        '1_2 d6:result2:oke',
        openAtOther!,
        datagram.subarray(0, COOKIE_LENGTH - 1),
      ]
      const wrongCase = Buffer.from(datagram)
      wrongCase[0] = wrongCase[0]! ^ 1
      for (const bytes of [...bad, wrongCase, datagram, datagram, datagram])
        node.send(bytes, from.port, from.address)
    })
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
    await expect.poll(() => requests.dropped).toEqual({ late: 2, foreign: 3, malformed: 4 })
    other.send(openAtOther!, otherPort, '127.0.0.1')
    expect(await pending).toEqual({ reply: Buffer.from('de') })
  })

  it('fail when the transport is closed, and when it was closed before', async () => {
    const node = await peer()
    const { udp, requests } = transport(node.address().port)
    const open = exchange(udp, 'de')
    await udp.close()
    expect(await open).toEqual({ failure: 'closed' })
    expect(await exchange(udp, 'de')).toEqual({ failure: 'closed' })
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
  })

  it('fail as unreachable when the name does not resolve', async () => {
    const { udp } = transport(2223, 'no-such-host.invalid')
    expect(await exchange(udp, 'de')).toEqual({ failure: 'unreachable' })
  })

  it('leave nothing behind when they are cancelled', async () => {
    const node = await peer()
    const { udp, requests } = transport(node.address().port)
    const never = () => expect.unreachable()
    const datagram = Buffer.alloc(COOKIE_LENGTH + 3, 'de')
    const request = udp.send({ datagram, replied: never, failed: never }, { timeoutMs: 10, attempts: 1 })
    request.cancel()
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
  })

  it('go over IPv6 as well', async () => {
    const node = await peer('::1')
    node.on('message', (datagram, from) => node.send(datagram, from.port, from.address))
    const { udp } = transport(node.address().port, '::1')
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
  })
})
