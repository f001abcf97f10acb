import { createSocket, Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../src/network/requests/timer-wheel.ts'
import type { Exchange, ExchangeFailure } from '../../src/network/transport.ts'
import { MAX_DATAGRAM, UdpTransport } from '../../src/network/udp.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { freePort } from '../free-port.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
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

const realSend = Socket.prototype.send as (...args: unknown[]) => void

/** Lets the system fail the next `times` sends, of any socket, with `code`. */
function failSends(code: string, times: number): void {
  let left = times
  const failing = function (this: Socket, ...args: unknown[]): void {
    if (left-- <= 0) realSend.apply(this, args)
    else process.nextTick(args.at(-1) as (error: Error) => void, Object.assign(new Error(code), { code }))
  }
  vi.spyOn(Socket.prototype, 'send').mockImplementation(failing as never)
}

describe('requests over UDP', () => {
  it('are not sent again after 30 seconds, when rtpengine may have forgotten the cookie', async () => {
    const node = await peer()
    const received: string[] = []
    node.on('message', (datagram) => received.push(datagram.toString('latin1', COOKIE_LENGTH + 1)))
    let now = 0
    const requests = new OpenRequests(new TimerWheel(() => now))
    const { udp } = transport(node.address().port, '127.0.0.1', requests)
    const outcome = exchange(udp, 'old', { timeoutMs: 10_000, attempts: 5 })
    for (let sends = 1; sends <= 3; sends++) {
      await expect.poll(() => received).toHaveLength(sends)
      now += 10_020
      requests.wheel.turn()
    }
    for (let waits = 4; waits <= 5; waits++) {
      now += 10_020
      requests.wheel.turn()
    }
    expect(await outcome).toEqual({ failure: 'timeout' })
    void exchange(udp, 'new')
    await expect.poll(() => received).toContain('new')
    expect(received).toEqual(['old', 'old', 'old', 'new'])
  })

  it('each get their own reply, a thousand open at once and answered in reverse', async () => {
    const node = await peer()
    const received: Buffer[] = []
    let port = 0
    node.on('message', (datagram, from) => {
      received.push(datagram)
      port = from.port
    })
    const { udp, requests } = transport(node.address().port)
    const bodies = Array.from({ length: 1000 }, (_, i) => `d1:xi${i}ee`)
    const outcomes: Promise<Outcome>[] = []
    // By the hundred, which the buffers of the system hold.
    while (outcomes.length < 1000) {
      for (const body of bodies.slice(outcomes.length, outcomes.length + 100))
        outcomes.push(exchange(udp, body))
      await expect.poll(() => received.length, { interval: 1 }).toBe(outcomes.length)
    }
    expect(requests.size).toBe(1000)
    while (received.length > 0) {
      for (let i = 0; i < 100; i++) node.send(received.pop()!, port, '127.0.0.1')
      await expect.poll(() => requests.size, { interval: 1 }).toBe(received.length)
    }
    const replies = (await Promise.all(outcomes)).map((outcome) =>
      'reply' in outcome ? outcome.reply.toString() : outcome.failure,
    )
    expect(replies).toEqual(bodies)
    expect([requests.dropped.late, requests.wheel.size]).toEqual([0, 0])
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
    const port = await freePort()
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

  it('are not failed by the refusals of others that show after the node came back', async () => {
    const node = await peer()
    node.on('message', (datagram, from) => node.send(datagram, from.port, from.address))
    const { udp } = transport(node.address().port)
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
    failSends('ECONNREFUSED', 3)
    // Each of the three sends leaves an error behind; the next command is sent as soon as the first one is told.
    const refused = [1, 2, 3].map(() => exchange(udp, 'de'))
    const next = new Promise<Outcome>((resolve) => {
      const datagram = Buffer.alloc(COOKIE_LENGTH + 3)
      const failed = () => resolve(exchange(udp, 'de'))
      udp.send({ datagram, replied: failed, failed }, { timeoutMs: 5000, attempts: 1 })
    })
    expect(await Promise.all(refused)).toEqual(refused.map(() => ({ failure: 'refused' })))
    expect(await next).toEqual({ reply: Buffer.from('de') })
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
    const opening = exchange(udp, 'de')
    await udp.close()
    expect(await opening).toEqual({ failure: 'closed' })
    expect(await exchange(udp, 'de')).toEqual({ failure: 'closed' })
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
  })

  it('fail when the transport is closed in the middle, and leave no socket behind', async () => {
    const node = await peer()
    const connects = vi.spyOn(Socket.prototype, 'connect')
    const { udp, requests } = transport(node.address().port)
    const open = exchange(udp, 'de')
    await once(node, 'message')
    const [socket] = connects.mock.contexts as Socket[]
    expect(socket!.address().port).toBeGreaterThan(0)
    const closing = udp.close()
    const meanwhile = exchange(udp, 'de')
    await closing
    expect([await open, await meanwhile]).toEqual([{ failure: 'closed' }, { failure: 'closed' }])
    expect(() => socket!.address()).toThrow('Not running')
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

describe('what this host cannot send', () => {
  const timing = { timeoutMs: 40, attempts: 3 }

  it('is sent at the next attempt', async () => {
    const node = await peer()
    node.on('message', (datagram, from) => node.send(datagram, from.port, from.address))
    const { udp } = transport(node.address().port)
    failSends('ENOBUFS', 2)
    expect(await exchange(udp, 'de', timing)).toEqual({ reply: Buffer.from('de') })
  })

  it('fails as local when no attempt left the host, as timeout when one did', async () => {
    const node = await peer()
    const { udp } = transport(node.address().port)
    failSends('ENOBUFS', 3)
    expect(await exchange(udp, 'de', timing)).toEqual({ failure: 'local' })
    failSends('ENOBUFS', 2)
    expect(await exchange(udp, 'de', timing)).toEqual({ failure: 'timeout' })
  })

  it('fails at once as unreachable when there is no route, and fails no other', async () => {
    const node = await peer()
    node.on('message', (datagram, from) => node.send(datagram, from.port, from.address))
    const { udp } = transport(node.address().port)
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
    failSends('ENETUNREACH', 1)
    const outcomes = await Promise.all([exchange(udp, 'de'), exchange(udp, 'de')])
    expect(outcomes).toEqual([{ failure: 'unreachable' }, { reply: Buffer.from('de') }])
  })

  it('fails as local when the socket broke, and the next command gets a new one', async () => {
    const node = await peer()
    const ports = new Set<number>()
    node.on('message', (datagram, from) => {
      ports.add(from.port)
      node.send(datagram, from.port, from.address)
    })
    const { udp } = transport(node.address().port)
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
    failSends('EBADF', 1)
    expect(await exchange(udp, 'de')).toEqual({ failure: 'local' })
    expect(await exchange(udp, 'de')).toEqual({ reply: Buffer.from('de') })
    expect(ports.size).toBe(2)
  })

  it('is sent again when the path turned out too narrow for it', async () => {
    const node = await peer()
    const sends = vi.spyOn(Socket.prototype, 'send')
    let received = 0
    node.on('message', (datagram, from) => {
      const tooNarrow = Object.assign(new Error('recvmsg EMSGSIZE'), { code: 'EMSGSIZE' })
      if (++received === 1) (sends.mock.contexts[0] as Socket).emit('error', tooNarrow)
      else node.send(datagram, from.port, from.address)
    })
    const { udp } = transport(node.address().port)
    expect(await exchange(udp, 'de', timing)).toEqual({ reply: Buffer.from('de') })
    expect(received).toBe(2)
  })
})
