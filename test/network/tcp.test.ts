import { once } from 'node:events'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { StreamFrames } from '../../src/network/framing/stream-frames.ts'
import { systemNames } from '../../src/network/names.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../src/network/requests/timer-wheel.ts'
import { type TcpDelays, TcpTransport } from '../../src/network/tcp.ts'
import type { ExchangeFailure } from '../../src/network/transport.ts'
import { NgClient } from '../../src/ng/client.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { freePort } from '../free-port.ts'

const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  // No test leaves a socket or a listener behind.
  await expect.poll(() => sockets(), { interval: 1 }).toBe(0)
})

type Answer = (message: Buffer, connection: Socket, connections: number) => void

/** A node whose answers each test writes itself. */
class Peer {
  readonly messages: Buffer[] = []
  readonly connections: Socket[] = []
  /** Bytes of each arrival. */
  readonly arrivals: number[] = []
  answer: Answer
  readonly #server = createServer((connection) => this.#accept(connection))

  constructor(answer: Answer) {
    this.answer = answer
  }

  #accept(connection: Socket): void {
    this.connections.push(connection)
    const number = this.connections.length
    const frames = new StreamFrames((message) => {
      this.messages.push(message)
      this.answer(message, connection, number)
    })
    connection.on('error', () => undefined)
    connection.on('data', (chunk) => {
      this.arrivals.push(chunk.length)
      if (!connection.destroyed) frames.push(chunk)
    })
  }

  get bodies(): string[] {
    return this.messages.map((message) => message.toString('latin1', COOKIE_LENGTH + 1))
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<this> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    cleanups.push(() => this.close())
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }
}

const echo: Answer = (message, connection) => connection.write(message)
const peer = (answer = echo, host = '127.0.0.1') => new Peer(answer).listen(0, host)

function transport(port: number, delays: Partial<TcpDelays> = {}, requests = new OpenRequests()) {
  const address = { host: '127.0.0.1', port }
  const tcp = new TcpTransport(`tcp:127.0.0.1:${port}`, address, requests, systemNames, {
    firstMs: 1,
    ...delays,
  })
  cleanups.push(() => tcp.close())
  return { tcp, requests }
}

type Outcome = { reply: string } | { failure: ExchangeFailure['kind'] }

/** Sends `payload` and says what became of it. */
function exchange(
  tcp: TcpTransport,
  payload: string,
  timing = { timeoutMs: 5000, attempts: 1 },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${payload}`, 'latin1')
    tcp.send(
      {
        datagram,
        replied: (bytes, offset) => resolve({ reply: bytes.toString('latin1', offset) }),
        failed: ({ kind }) => resolve({ failure: kind }),
      },
      timing,
    )
  })
}

/** Keeps what would run after a second or more, for the test to run it. */
function heldTimers() {
  const held: { ms: number; run: () => void; timer: unknown }[] = []
  const real = setTimeout
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    if (ms < 1000) return real(run, ms)
    held.push({ ms, run, timer: {} })
    return held.at(-1)!.timer
  }) as never)
  return held
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const replied = (bodies: string[]): Outcome[] => bodies.map((reply) => ({ reply }))
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `d1:xi${i}ee`)

describe('requests over TCP', () => {
  it('share one connection and each get their own reply, in whatever order it comes', async () => {
    const held: Buffer[] = []
    const node = await peer((message, connection) => {
      held.push(message)
      if (held.length === 1000) connection.write(Buffer.concat(held.reverse()))
    })
    const { tcp, requests } = transport(node.port)
    const bodies = numbered(1000)
    expect(await Promise.all(bodies.map((body) => exchange(tcp, body)))).toEqual(replied(bodies))
    expect(node.connections).toHaveLength(1)
    expect([requests.size, requests.dropped]).toEqual([0, { late: 0, foreign: 0, malformed: 0 }])
  })

  it('get their replies whole, however the stream is cut', async () => {
    const node = await peer((message, connection) => {
      connection.setNoDelay(true)
      for (const byte of message) connection.write(Buffer.of(byte))
    })
    const { tcp } = transport(node.port)
    const bodies = ['de', 'd3:sdp9:v=0\r\no= ee', 'd1:ali1ed1:b0:eee']
    expect(await Promise.all(bodies.map((body) => exchange(tcp, body)))).toEqual(replied(bodies))
  })

  it('of one turn go out in few writes, each message whole in one of them', async () => {
    const node = await peer()
    const { tcp } = transport(node.port)
    await exchange(tcp, 'de')
    const writes = vi.spyOn(Socket.prototype, 'write')
    const bodies = numbered(3000).map((body) => `d1:a100:${'x'.repeat(100)}1:b${body}e`)
    const outcomes = bodies.map((body) => exchange(tcp, body))
    // Both ends are in this process: those of the client are the ones that write to the port of the node.
    expect(await Promise.all(outcomes)).toEqual(replied(bodies))
    const batches = writes.mock.calls
      .filter((_, i) => (writes.mock.contexts[i] as Socket).remotePort === node.port)
      .map(([batch]) => Buffer.from(batch as Buffer).length)
    const bytes = bodies.reduce((sum, body) => sum + COOKIE_LENGTH + 1 + body.length, 0)
    expect(batches.reduce((sum, length) => sum + length, 0)).toBe(bytes)
    // Not many more than it would take if the peer had room for all of them.
    expect(batches.length).toBeLessThanOrEqual(2 * Math.ceil(bytes / (32_768 - 200)))
    expect(Math.max(...batches)).toBeLessThanOrEqual(32_768)
    expect(node.arrivals.length).toBeLessThan(100)
  })

  it.each([100, 1300, 20_000, 40_000])(
    'that wait for replies are no more than a peer has room for before it has read any: of %d bytes each',
    async (length) => {
      const held: [Buffer, Socket][] = []
      const node = await peer((message, connection) => held.push([message, connection]))
      const { tcp } = transport(node.port)
      const bodies = numbered(2000 / Math.ceil(length / 1000)).map(
        (body) => `d1:x${length}:${'y'.repeat(length)}1:b${body}e`,
      )
      const whole = COOKIE_LENGTH + 1 + bodies.at(-1)!.length
      const outcomes = Promise.all(bodies.map((body) => exchange(tcp, body)))
      for (let answered = 0; answered < bodies.length; ) {
        await expect.poll(() => held.length, { interval: 1 }).toBeGreaterThan(0)
        expect(held.length * whole).toBeLessThanOrEqual(49_152 + held.length * 4)
        // One reply at a time, and in any order.
        const [[message, connection]] = held.splice(answered % held.length, 1) as [[Buffer, Socket]]
        connection.write(message)
        answered++
      }
      expect(await outcomes).toEqual(replied(bodies))
    },
  )

  it('may be larger than a batch, and their replies larger than a chunk', async () => {
    const node = await peer()
    const { tcp } = transport(node.port)
    const bodies = [10, 60_000, 500_000, 3].map((length) => `d1:x${length}:${'y'.repeat(length)}e`)
    expect(await Promise.all(bodies.map((body) => exchange(tcp, body)))).toEqual(replied(bodies))
    expect(node.bodies).toEqual(bodies)
  })

  it('are sent once over one connection, however long the reply takes, as long as the peer talks', async () => {
    let held: Buffer | undefined
    const node = await peer((message, connection) => {
      if (message.includes('d1:ae')) held = message
      else connection.write(message)
    })
    const { tcp, requests } = transport(node.port)
    const timing = { timeoutMs: 40, attempts: 100 }
    const first = exchange(tcp, 'd1:ae', timing)
    const started = performance.now()
    while (performance.now() - started < 200) await exchange(tcp, 'd1:be', timing)
    node.connections[0]!.write(held!)
    expect(await first).toEqual({ reply: 'd1:ae' })
    expect(node.bodies.filter((body) => body === 'd1:ae')).toHaveLength(1)
    expect([node.connections.length, requests.size]).toEqual([1, 0])
  })

  it('wait as long as all their attempts would take, and are told of each', async () => {
    const node = await peer((message, connection) => {
      if (message.includes('d1:be')) connection.write(message)
    })
    const { tcp, requests } = transport(node.port)
    await exchange(tcp, 'd1:be')
    const told: number[] = []
    const started = performance.now()
    const outcome = new Promise((resolve) => {
      const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}d1:ae`)
      const unanswered = (sends: number) => told.push(sends) > 0
      tcp.send(
        { datagram, replied: () => expect.unreachable(), failed: resolve, unanswered },
        { timeoutMs: 40, attempts: 3 },
      )
    })
    expect(await outcome).toEqual({ kind: 'timeout' })
    expect(performance.now() - started).toBeGreaterThanOrEqual(120)
    expect(told).toEqual([1, 2])
    expect(requests.size).toBe(0)
  })

  it('are not sent when they ended before it was their turn', async () => {
    const node = await peer()
    const { tcp, requests } = transport(node.port)
    await exchange(tcp, 'de')
    const never = () => expect.unreachable()
    const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}d1:ae`)
    const request = tcp.send({ datagram, replied: never, failed: never }, { timeoutMs: 5000, attempts: 1 })
    request.cancel()
    expect(await exchange(tcp, 'd1:be')).toEqual({ reply: 'd1:be' })
    expect(node.bodies).toEqual(['de', 'd1:be'])
    expect(requests.size).toBe(0)
  })

  it('go over IPv6 as well', async () => {
    const node = await peer(echo, '::1')
    const tcp = new TcpTransport('tcp:[::1]', { host: '::1', port: node.port }, new OpenRequests())
    cleanups.push(() => tcp.close())
    expect(await exchange(tcp, 'de')).toEqual({ reply: 'de' })
  })
})

describe('what comes in', () => {
  it('is dropped and counted when it is no reply to an open request, and the connection lives on', async () => {
    const node = await peer((message, connection) => {
      const notification = '0123456789abcdef d6:notify6:onDTMFe'
      connection.write(
        Buffer.concat([Buffer.from(`${notification}1_2 de`), message, message, Buffer.from(notification)]),
      )
    })
    const { tcp, requests } = transport(node.port)
    expect(await exchange(tcp, 'd1:ae')).toEqual({ reply: 'd1:ae' })
    expect(await exchange(tcp, 'd1:be')).toEqual({ reply: 'd1:be' })
    await expect.poll(() => requests.dropped).toEqual({ late: 2, foreign: 6, malformed: 0 })
    expect(node.connections).toHaveLength(1)
  })

  it('is garbage, and goes on to be: what runs out of time says for what', async () => {
    const node = await peer((_, connection) => connection.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const client = new NgClient(`tcp:127.0.0.1:${node.port}`, { timeoutMs: 20, attempts: 2 })
    cleanups.push(() => client.close())
    await expect(client.ping()).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_TIMEOUT',
      message: expect.stringMatching(/does not answer: the peer sent no NG messages$/),
      cause: { message: 'the peer sent no NG messages' },
    })
  })

  it('is garbage: the connection is given up, and what is open goes over the next one', async () => {
    const node = await peer((message, connection, connections) => {
      connection.write(connections < 3 ? 'HTTP/1.1 400 Bad Request\r\n\r\n' : message)
    })
    const { tcp, requests } = transport(node.port)
    expect(await exchange(tcp, 'd1:ae')).toEqual({ reply: 'd1:ae' })
    expect(node.connections).toHaveLength(3)
    expect(requests.dropped).toEqual({ late: 0, foreign: 0, malformed: 2 })
    expect(new Set(node.messages.map(String)).size).toBe(1)
  })
})

describe('when the connection breaks', () => {
  it('what is open is sent again with the same cookie, what was answered is not', async () => {
    const node = await peer((message, connection, connections) => {
      if (connections > 1 || message.includes('d1:ae')) connection.write(message)
      else if (message.includes('d1:ce')) connection.end()
    })
    const { tcp, requests } = transport(node.port)
    expect(await exchange(tcp, 'd1:ae')).toEqual({ reply: 'd1:ae' })
    const outcomes = await Promise.all(['d1:be', 'd1:ce'].map((body) => exchange(tcp, body)))
    expect(outcomes).toEqual(replied(['d1:be', 'd1:ce']))
    expect(node.bodies).toEqual(['d1:ae', 'd1:be', 'd1:ce', 'd1:be', 'd1:ce'])
    expect(node.messages.slice(1, 3)).toEqual(node.messages.slice(3))
    expect([node.connections.length, requests.size]).toEqual([2, 0])
  })

  it('what began more than 30 seconds ago is not sent again: rtpengine may have forgotten the cookie', async () => {
    const node = await peer(() => undefined)
    let now = 0
    const { tcp } = transport(node.port, {}, new OpenRequests(new TimerWheel(() => now)))
    const timing = { timeoutMs: 60_000, attempts: 1 }
    const old = exchange(tcp, 'd1:ae', timing)
    await expect.poll(() => node.messages).toHaveLength(1)
    now = 20_000
    const young = exchange(tcp, 'd1:be', timing)
    await expect.poll(() => node.messages).toHaveLength(2)
    now = 31_000
    node.answer = echo
    node.connections[0]!.destroy()
    expect(await Promise.all([old, young])).toEqual([{ failure: 'refused' }, { reply: 'd1:be' }])
    expect(node.bodies).toEqual(['d1:ae', 'd1:be', 'd1:be'])
  })

  it('by a reset, it is the same', async () => {
    const node = await peer((message, connection, connections) => {
      if (connections === 1) connection.resetAndDestroy()
      else connection.write(message)
    })
    const { tcp } = transport(node.port)
    expect(await exchange(tcp, 'd1:ae')).toEqual({ reply: 'd1:ae' })
    expect(node.connections).toHaveLength(2)
  })

  it('with nothing open, the next request connects at once', async () => {
    const node = await peer()
    const { tcp } = transport(node.port, { firstMs: 60_000, longestMs: 60_000 })
    expect(await exchange(tcp, 'd1:ae')).toEqual({ reply: 'd1:ae' })
    node.connections[0]!.end()
    await expect.poll(() => sockets(), { interval: 1 }).toBe(1)
    expect(await exchange(tcp, 'd1:be')).toEqual({ reply: 'd1:be' })
    expect(node.connections).toHaveLength(2)
  })

  it('again and again, each wait is up to twice as long as the one before, and a reply makes them short again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const timers = heldTimers()
    const node = await peer((message, connection, connections) => {
      if (connections % 6 === 0) connection.write(message)
      else connection.destroy()
    })
    const { tcp } = transport(node.port, { firstMs: 1000, longestMs: 10_000 })
    for (const body of ['d1:ae', 'd1:be']) {
      const outcome = exchange(tcp, body)
      for (const ms of [1000, 2000, 4000, 8000, 10_000]) {
        await expect.poll(() => timers, { interval: 1 }).toHaveLength(1)
        expect(timers[0]!.ms).toBe(ms)
        timers.pop()!.run()
      }
      expect(await outcome).toEqual({ reply: body })
      node.connections.at(-1)!.destroy()
      await expect.poll(() => sockets(), { interval: 1 }).toBe(1)
    }
    expect(timers).toEqual([])
  })

  it('requests of the meantime wait for the next connection, and all go out over it', async () => {
    const timers = heldTimers()
    const node = await peer((message, connection, connections) => {
      if (connections === 1) connection.destroy()
      else connection.write(message)
    })
    const { tcp } = transport(node.port, { firstMs: 2000 })
    const outcomes = [exchange(tcp, 'd1:ae')]
    await expect.poll(() => timers, { interval: 1 }).toHaveLength(1)
    const real = Socket.prototype.connect as (...args: unknown[]) => Socket
    const connects = vi.spyOn(Socket.prototype, 'connect')
    outcomes.push(exchange(tcp, 'd1:be'))
    await turn()
    expect(connects).not.toHaveBeenCalled()
    const connecting = new Promise((resolve) => {
      connects.mockImplementation(function (this: Socket, ...args: unknown[]) {
        queueMicrotask(() => resolve(undefined))
        return real.apply(this, args)
      } as never)
    })
    timers[0]!.run()
    await connecting
    outcomes.push(exchange(tcp, 'd1:ce'))
    expect(await Promise.all(outcomes)).toEqual(replied(['d1:ae', 'd1:be', 'd1:ce']))
    expect(node.bodies).toEqual(['d1:ae', 'd1:ae', 'd1:be', 'd1:ce'])
    expect(connects).toHaveBeenCalledTimes(1)
  })

  it('the waits of several hosts differ, by up to half', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const timers = heldTimers()
    const node = await peer((_, connection) => connection.destroy())
    const { tcp } = transport(node.port, { firstMs: 2000 })
    const outcome = exchange(tcp, 'de')
    await expect.poll(() => timers, { interval: 1 }).toHaveLength(1)
    expect(timers[0]!.ms).toBe(1000)
    await tcp.close()
    expect(await outcome).toEqual({ failure: 'closed' })
  })

  it('what runs out of time meanwhile fails with timeout, and then nobody connects again', async () => {
    const timers = heldTimers()
    const node = await peer((_, connection) => connection.destroy())
    const { tcp, requests } = transport(node.port, { firstMs: 2000 })
    expect(await exchange(tcp, 'de', { timeoutMs: 30, attempts: 2 })).toEqual({ failure: 'timeout' })
    expect([timers.length, requests.size, requests.wheel.size]).toEqual([1, 0, 0])
    const connects = vi.spyOn(Socket.prototype, 'connect')
    timers[0]!.run()
    await turn()
    expect(connects).not.toHaveBeenCalled()
  })
})

describe('a peer that takes no part', () => {
  it('and says nothing is left for a new connection, over which what is open is sent again', async () => {
    const node = await peer((message, connection, connections) => {
      if (connections > 1) connection.write(message)
    })
    const { tcp } = transport(node.port)
    expect(await exchange(tcp, 'd1:ae', { timeoutMs: 40, attempts: 50 })).toEqual({ reply: 'd1:ae' })
    expect(node.messages[0]).toEqual(node.messages[1])
    expect(node.connections).toHaveLength(2)
  })

  it('is not one that answered in time, when the next request goes out just as the watch over it runs out', async () => {
    const node = await peer()
    let now = 0
    const { tcp, requests } = transport(node.port, {}, new OpenRequests(new TimerWheel(() => now)))
    await exchange(tcp, 'd1:ai1ee')
    now += 6000
    const second = exchange(tcp, 'd1:bi1ee')
    requests.wheel.turn()
    expect(await second).toEqual({ reply: 'd1:bi1ee' })
    expect(node.connections).toHaveLength(1)
  })

  it('and takes nothing, though it talks, is left as well', async () => {
    const large = `d1:x900000:${'y'.repeat(900_000)}e`
    const node = await peer((message, connection, connections) => {
      if (connections > 1) connection.write(message)
      else {
        connection.pause()
        const talk = setInterval(() => connection.write('0123456789abcdef de'), 5)
        connection.once('close', () => clearInterval(talk))
      }
    })
    const { tcp, requests } = transport(node.port)
    const timing = { timeoutMs: 100, attempts: 100 }
    const first = exchange(tcp, 'd1:ae', timing)
    await expect.poll(() => requests.dropped.foreign, { interval: 1 }).toBeGreaterThan(0)
    const outcomes = Array.from({ length: 20 }, () => exchange(tcp, large, timing))
    expect(await Promise.all([first, ...outcomes])).toEqual(replied(['d1:ae', ...outcomes.map(() => large)]))
    expect(node.connections.length).toBeGreaterThan(1)
  })

  it('is sent nothing that ended while it took nothing', async () => {
    const large = `d1:x900000:${'y'.repeat(900_000)}e`
    const node = await peer((_, connection) => connection.pause())
    const { tcp } = transport(node.port)
    const timing = { timeoutMs: 5000, attempts: 1 }
    const first = exchange(tcp, 'd1:ae', timing)
    await expect.poll(() => node.messages, { interval: 1 }).toHaveLength(1)
    const outcomes = Array.from({ length: 20 }, () => exchange(tcp, large, timing))
    const ended = exchange(tcp, 'd1:be', { timeoutMs: 60, attempts: 1 })
    expect(await ended).toEqual({ failure: 'timeout' })
    node.answer = echo
    node.connections[0]!.write(node.messages[0]!)
    node.connections[0]!.resume()
    expect(await Promise.all([first, ...outcomes])).toEqual(replied(['d1:ae', ...outcomes.map(() => large)]))
    expect(node.bodies).not.toContain('d1:be')
  })

  it('gets what was on its way as it was, whatever becomes of the datagram', async () => {
    const node = await peer((_, connection) => connection.pause())
    const { tcp } = transport(node.port)
    const timing = { timeoutMs: 5000, attempts: 1 }
    const first = exchange(tcp, 'd1:ae', timing)
    await expect.poll(() => node.messages, { interval: 1 }).toHaveLength(1)
    const written = vi.spyOn(Socket.prototype, 'write')
    const never = () => expect.unreachable()
    const body = `d1:x900000:${'y'.repeat(900_000)}e`
    const requests = Array.from({ length: 10 }, () => {
      const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${body}`)
      return { datagram, open: tcp.send({ datagram, replied: never, failed: never }, timing) }
    })
    await expect.poll(() => written.mock.calls.length, { interval: 1 }).toBeGreaterThan(0)
    const count = written.mock.calls.length
    // As when the command goes to another node, with a cookie of that.
    for (const { open, datagram } of requests) {
      open.cancel()
      datagram.fill('z')
    }
    node.answer = echo
    node.connections[0]!.write(node.messages[0]!)
    node.connections[0]!.resume()
    expect(await first).toEqual({ reply: 'd1:ae' })
    expect(await exchange(tcp, 'd1:be')).toEqual({ reply: 'd1:be' })
    expect(node.bodies).toEqual(['d1:ae', ...Array.from({ length: count }, () => body), 'd1:be'])
  })
})

describe('when there is no connection to be had', () => {
  it('all that is open is refused at once when nothing listens, and the next request tries again', async () => {
    const port = await freePort()
    const { tcp, requests } = transport(port, { firstMs: 60_000 })
    const started = performance.now()
    const outcomes = await Promise.all([1, 2, 3].map(() => exchange(tcp, 'de')))
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ failure: 'refused' })))
    expect(performance.now() - started).toBeLessThan(2000)
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
    const node = await new Peer(echo).listen(port)
    expect(await exchange(tcp, 'de')).toEqual({ reply: 'de' })
    expect(node.connections).toHaveLength(1)
  })

  it('what was open at a break is refused when the node does not come back', async () => {
    const node = await peer((_, connection) => {
      void node.close()
      connection.destroy()
    })
    const { tcp } = transport(node.port)
    expect(await exchange(tcp, 'de')).toEqual({ failure: 'refused' })
  })

  it('it is unreachable when the name does not resolve, or the connection takes too long', async () => {
    const lost = new TcpTransport(
      'tcp:no-such-host.invalid',
      { host: 'no-such-host.invalid', port: 1 },
      new OpenRequests(),
    )
    cleanups.push(() => lost.close())
    expect(await exchange(lost, 'de')).toEqual({ failure: 'unreachable' })

    const { tcp } = transport(1, { connectMs: 10 })
    // A host that does not answer at all: the connection is never made.
    vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
      return this
    })
    expect(await exchange(tcp, 'de')).toEqual({ failure: 'unreachable' })
  })

  it('a request sent again from its own failure starts the next connection', async () => {
    const { tcp } = transport(await freePort())
    let failures = 0
    const outcome = new Promise((resolve) => {
      const datagram = Buffer.alloc(COOKIE_LENGTH + 3, 'de')
      const failed = () => {
        if (++failures === 3) resolve(failures)
        else tcp.send(one, { timeoutMs: 5000, attempts: 1 })
      }
      const one = { datagram, replied: failed, failed }
      tcp.send(one, { timeoutMs: 5000, attempts: 1 })
    })
    expect(await outcome).toBe(3)
  })
})

describe('closing', () => {
  it('fails what is open, ends the connection, and what is sent afterwards fails too', async () => {
    const node = await peer(() => undefined)
    const { tcp, requests } = transport(node.port)
    const open = exchange(tcp, 'de')
    await expect.poll(() => node.messages, { interval: 1 }).toHaveLength(1)
    const ended = once(node.connections[0]!, 'close')
    const closing = tcp.close()
    const meanwhile = exchange(tcp, 'de')
    await closing
    expect([await open, await meanwhile]).toEqual([{ failure: 'closed' }, { failure: 'closed' }])
    expect(await exchange(tcp, 'de')).toEqual({ failure: 'closed' })
    await ended
    await tcp.close()
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
  })

  it('while the name is being resolved, while connecting, and while waiting to connect again, leaves nothing', async () => {
    const node = await peer((_, connection) => connection.destroy())
    const resolving = transport(node.port).tcp
    const first = exchange(resolving, 'de')
    const connects = vi.spyOn(Socket.prototype, 'connect')
    await resolving.close()
    expect(await first).toEqual({ failure: 'closed' })
    await turn()
    expect(connects).not.toHaveBeenCalled()

    const connecting = transport(node.port).tcp
    const second = exchange(connecting, 'de')
    await turn()
    await connecting.close()
    expect(await second).toEqual({ failure: 'closed' })

    const timers = heldTimers()
    const clears = vi.spyOn(globalThis, 'clearTimeout')
    const waiting = transport(node.port, { firstMs: 2000 }).tcp
    const third = exchange(waiting, 'de')
    await expect.poll(() => timers, { interval: 1 }).toHaveLength(1)
    await waiting.close()
    expect(await third).toEqual({ failure: 'closed' })
    expect(clears).toHaveBeenCalledWith(timers[0]!.timer)
  })
})
