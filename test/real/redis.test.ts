import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'
import type { CallStore } from '../../src/nodes/affinity/store.ts'
import { redisCallStore } from '../../src/redis/index.ts'
import { freePort } from '../free-port.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'
import { findProgram } from './program.ts'

const program = findProgram('redis-server', 'redis-server')

/** A redis-server that keeps nothing, on a free loopback port. */
class RedisServer {
  readonly port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'redis-'))
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.port = port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const parameters = [
      '--save',
      '',
      '--appendonly',
      'no',
      '--bind',
      '127.0.0.1',
      '--port',
      String(this.port),
    ]
    this.#child = spawn(program!, parameters, { cwd: this.#directory, stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of this.#child.stdout!) {
      if (String(chunk).includes('Ready to accept connections')) break
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child!.kill('SIGKILL')
    await once(this.#child!, 'exit')
  }

  async stop(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGCONT')
      await this.kill()
    }
    rmSync(this.#directory, { recursive: true })
  }
}

const STORE_WAIT_MS = 1000

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function message(method: 'INVITE' | 'BYE', callId: string): SipMessage {
  const sdp = method === 'INVITE' ? SDP : ''
  const type = sdp && 'Content-Type: application/sdp\r\n'
  const text =
    `${method} sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>;tag=t\r\n` +
    `Call-ID: ${callId}\r\nCSeq: 1 ${method}\r\n${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
  return SipMessage.parse(Buffer.from(text), { address: '127.0.0.1' })
}

describe.skipIf(program === undefined)('calls shared through redis', () => {
  let server: RedisServer
  const opened: { close(): Promise<unknown> }[] = []
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)

  beforeAll(() => {
    process.on('unhandledRejection', note)
  })
  afterAll(() => {
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
    await server.stop()
  })

  async function start(): Promise<void> {
    server = new RedisServer(await freePort())
    await server.start()
  }

  async function store(): Promise<CallStore> {
    const made = await redisCallStore({ url: server.url })
    opened.push(made)
    return made
  }

  async function proxies(): Promise<ScriptedProxy[]> {
    const made = [new ScriptedProxy(), new ScriptedProxy()]
    opened.push(...made)
    return made
  }

  /** A client as another SIP proxy process has it. All weight lies on the node without `=0`. */
  async function client(sockets: string, options: RtpProxyNgOptions = {}): Promise<RtpProxyNg> {
    const shared = await redisCallStore({ url: server.url })
    const media = new RtpProxyNg({
      ...{ sockets, store: shared, timeoutMs: 100, attempts: 2 },
      // So long that redis is not taken for dead when it has to wait for the processor.
      storeWaitMs: STORE_WAIT_MS,
      ...options,
    })
    opened.push(media)
    await media.start()
    return media
  }

  it('are found by another, branch by branch, and gone when their time is over', async () => {
    await start()
    const [one, two] = [await store(), await store()]
    const odd = `\r\n\u0000 ${'é'.repeat(40)} FLUSHALL ${'x'.repeat(300)}`
    for (const callId of ['call', odd]) {
      await one.keep(callId, '', 'udp:192.0.2.1:2223', 60_000)
      await one.keep(callId, 'z9hG4bK1', 'udp:192.0.2.2:2223', 60_000)
      expect(Object.fromEntries(await two.find(callId, 60_000))).toEqual({
        '': 'udp:192.0.2.1:2223',
        z9hG4bK1: 'udp:192.0.2.2:2223',
      })
      await two.forget(callId, 'z9hG4bK1')
      expect([...(await one.find(callId, 60_000)).keys()]).toEqual([''])
      await two.forget(callId, undefined)
      expect((await one.find(callId, 60_000)).size).toBe(0)
    }
    await one.keep('short', '', 'udp:192.0.2.1:2223', 3000)
    const raw = createClient({ url: server.url })
    await raw.connect()
    expect(await raw.pTTL('rtpproxy-ng:call:short')).toBeLessThanOrEqual(3000)
    await two.find('short', 5000)
    expect(await raw.pTTL('rtpproxy-ng:call:short')).toBeGreaterThan(4000)
    await one.keep('short', '', 'udp:192.0.2.1:2223', 50)
    await expect.poll(async () => (await two.find('short', 50)).size, { interval: 60 }).toBe(0)
    await raw.close()
  })

  it('go to the node of their offer from another process, whatever the balancing there says', async () => {
    await start()
    const [a, b] = await proxies()
    const [first, second] = [`udp:127.0.0.1:${await a!.listenUdp()}`, `udp:127.0.0.1:${await b!.listenUdp()}`]
    const here = await client(`${first} ${second}=0`)
    const there = await client(`${first}=0 ${second}`)
    expect((await here.offer(message('INVITE', 'shared'))).node).toBe(first)
    // It is written when the offer has its answer already, and a call unknown when it is asked for would stay where it went.
    const kept = await store()
    await expect.poll(async () => (await kept.find('shared', 60_000)).size).toBe(1)
    expect((await there.offer(message('INVITE', 'shared'))).node).toBe(first)
    expect((await there.destroy(message('BYE', 'shared'))).node).toBe(first)
    expect(there.counters.store).toMatchObject({ hits: 1, timeouts: 0, failures: 0 })
    expect((await there.offer(message('INVITE', 'new'))).node).toBe(second)
  })

  it('tell each other which nodes are out of order, also those that start later', async () => {
    await start()
    const [a, b] = await proxies()
    const urls = [`udp:127.0.0.1:${await a!.listenUdp()}`, `udp:127.0.0.1:${await b!.listenUdp()}`]
    const here = await client(urls.join(' '))
    const there = await client(urls.join(' '))
    a!.script = scripts.silent
    const told = once(there, 'node:down')
    // A call whose byte sum is even goes to the first of two.
    await here.offer(message('INVITE', '@@'))
    expect((await told)[0]).toMatchObject({ url: urls[0], state: 'down' })
    a!.script = scripts.ok
    const late = await client(urls.join(' '))
    await expect.poll(() => late.show()[0]!.state).toBe('down')
    expect(late.show()[1]!.state).toBe('up')
  })

  it('do without it while it is frozen or dead: they wait once, then not at all, and it is used again when it is back', async () => {
    await start()
    const [a] = await proxies()
    const media = await client(`udp:127.0.0.1:${await a!.listenUdp()}`)
    const events: string[] = []
    media.on('store:down', () => events.push('down'))
    media.on('store:up', () => events.push('up'))
    server.signal('SIGSTOP')
    const started = performance.now()
    await media.offer(message('INVITE', 'first'))
    // Frozen as it is, who waited for it would wait for ever.
    expect(performance.now() - started).toBeGreaterThan(STORE_WAIT_MS - 5)
    for (let i = 0; i < 50; i++) await media.offer(message('INVITE', `more-${i}`))
    expect(events).toEqual(['down'])
    expect(media.counters.store!.skipped).toBe(50)
    server.signal('SIGCONT')
    let calls = 0
    const isBack = async () => {
      await media.offer(message('INVITE', `back-${calls++}`))
      return events.at(-1)
    }
    await expect.poll(isBack, { timeout: 20_000, interval: 100 }).toBe('up')
    await server.kill()
    await expect.poll(isBack, { timeout: 20_000, interval: 100 }).toBe('down')
    await server.start()
    await expect.poll(isBack, { timeout: 20_000, interval: 100 }).toBe('up')
    expect(events).toEqual(['down', 'up', 'down', 'up'])
    expect(media.counters.store!.finds).toBeGreaterThan(0)
  })

  it('start without it, and find it when it comes', async () => {
    server = new RedisServer(await freePort())
    const [a] = await proxies()
    const media = await client(`udp:127.0.0.1:${await a!.listenUdp()}`)
    await media.offer(message('INVITE', 'alone'))
    const up = once(media, 'store:up')
    await server.start()
    await up
    await media.offer(message('INVITE', 'together'))
    await expect.poll(() => media.counters.store!.finds).toBeGreaterThan(0)
  })
})
