import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type ManagementOptions,
  type ManagementServer,
  managementServer,
} from '../../src/management/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

let engine: FakeRtpEngine
let media: RtpProxyNg
let server: ManagementServer
async function start(options: ManagementOptions = {}): Promise<void> {
  server = await managementServer(media, options)
}
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  media = new RtpProxyNg({ sockets: `2 == ${engine.urls[0]}=3`, timeoutMs: 1000, attempts: 1 })
  await media.start()
})
afterEach(async () => {
  await server.close()
  await media.close()
  await engine.close()
})

describe('the events of the status page', () => {
  async function events() {
    const controller = new AbortController()
    const response = await fetch(`${server.url}/events`, { signal: controller.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk
    })().catch(() => undefined)
    const all = () =>
      text
        .split('\n\n')
        .slice(0, -1)
        .filter((event) => event !== ':')
        .map((event) => JSON.parse(event.slice('data: '.length)))
    return {
      all,
      end: async () => {
        controller.abort()
        await reading
      },
    }
  }

  it('tell the state at once, and of every change of it', async () => {
    await start({ sampleMs: 60_000 })
    const stream = await events()
    await expect.poll(() => stream.all().length).toBeGreaterThan(0)
    expect(stream.all()[0]).toMatchObject({ calls: 0, nodes: [{ url: engine.urls[0], state: 'up' }] })
    media.enable(engine.urls[0]!, false)
    await expect.poll(() => stream.all().at(-1).nodes[0].state).toBe('disabled')
    await stream.end()
  })

  it('have samples of each node while somebody looks, and nobody is pinged when nobody does', async () => {
    await start({ sampleMs: 100 })
    const stream = await events()
    await expect.poll(() => stream.all().at(-1)?.nodes[0].samples.length).toBeGreaterThan(2)
    const quiet = { commands: 0, failures: 0, commandMs: null }
    expect(stream.all().at(-1).nodes[0].samples[0]).toEqual({
      ...{ ms: expect.any(Number), open: 0, calls: 0 },
      ...quiet,
    })
    await engine.stop()
    await expect.poll(() => stream.all().at(-1).nodes[0].samples.at(-1).ms, { timeout: 5000 }).toBeNull()
    await stream.end()
    await expect.poll(() => media.listenerCount('node:state')).toBe(0)
  })

  it('have the commands of each node, how long they took and how many failed', async () => {
    await start({ sampleMs: 100 })
    const stream = await events()
    await expect.poll(() => stream.all().length).toBeGreaterThan(0)
    const { set } = media.show()[0]!
    await media.request('query', { 'call-id': 'none' }, { set }).catch(() => undefined)
    await media.request('list', { limit: 1 }, { set })
    const counted = () =>
      stream
        .all()
        .at(-1)
        .nodes[0].samples.filter(({ commands }: { commands: number }) => commands > 0)
    await expect
      .poll(() => counted().reduce((sum: number, { commands }: { commands: number }) => sum + commands, 0))
      .toBe(2)
    expect(counted().reduce((sum: number, { failures }: { failures: number }) => sum + failures, 0)).toBe(1)
    expect(counted()[0].commandMs).toBeGreaterThan(0)
    await stream.end()
  })

  it('come once in a while, not twice, when somebody goes and comes again while pings are under way', async () => {
    engine.script('ping', { delayMs: 100 })
    await start({ sampleMs: 60_000 })
    const first = await events()
    await engine.received('ping')
    await first.end()
    await expect.poll(() => media.listenerCount('node:state')).toBe(0)
    const stream = await events()
    await expect.poll(() => stream.all().at(-1)?.nodes[0].samples.length).toBe(1)
    // Answered behind both pings of the samples.
    await media.ping({ node: engine.urls[0]!, set: 2 })
    media.enable(engine.urls[0]!, false)
    await expect.poll(() => stream.all().at(-1).nodes[0].state).toBe('disabled')
    expect(stream.all().at(-1).nodes[0].samples).toHaveLength(1)
    await stream.end()
  })

  it('of the others do not wait for a media proxy that does not answer', async () => {
    const dead = new FakeRtpEngine()
    await dead.start()
    dead.script('ping', { silent: true })
    await media.close()
    media = new RtpProxyNg({ sockets: `${engine.urls[0]} ${dead.urls[0]}`, timeoutMs: 30_000, attempts: 1 })
    const started = media.start()
    await start({ sampleMs: 100 })
    const stream = await events()
    const told = () =>
      stream
        .all()
        .at(-1)
        ?.nodes.map(({ samples }: { samples: { ms: unknown }[] }) => samples[0]?.ms)
    await expect.poll(told, { timeout: 5000 }).toEqual([expect.any(Number), null])
    await stream.end()
    await media.close()
    await started
    await dead.close()
  })

  it('end for who takes nothing of them any more', async () => {
    await media.close()
    // Many, so that what is told soon fills what the systems on the way hold.
    const sockets = Array.from({ length: 300 }, (_, set) => `${set} == ${engine.urls[0]}`)
    media = new RtpProxyNg({ sockets })
    await media.start()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await start({ sampleMs: 60_000 })
    const { hostname, port } = new URL(server.url)
    const client = connect(Number(port), hostname).pause()
    client.on('error', () => undefined)
    client.write(`GET /events HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
    await expect.poll(() => media.listenerCount('node:state')).toBe(1)
    for (let i = 0; i < 300; i++) {
      media.enable(engine.urls[0]!, i % 2 > 0)
      await new Promise(setImmediate)
    }
    vi.advanceTimersByTime(15_000)
    expect(media.listenerCount('node:state')).toBe(1)
    vi.advanceTimersByTime(15_000)
    await expect.poll(() => media.listenerCount('node:state')).toBe(0)
    vi.useRealTimers()
    client.destroy()
  })

  it('have something in between for who waits, when nothing happens', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await start({ sampleMs: 60_000 })
    const response = await fetch(`${server.url}/events`)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!/"samples":\[\{/.test(text)) text += (await reader.read()).value
    vi.advanceTimersByTime(15_000)
    vi.useRealTimers()
    expect((await reader.read()).value).toBe(':\n\n')
    await reader.cancel()
  })

  it('end when the server is closed', async () => {
    await start()
    const response = await fetch(`${server.url}/events`)
    const reader = response.body!.getReader()
    await reader.read()
    const end = (async () => {
      while (!(await reader.read()).done);
    })()
    await server.close()
    await expect(end).rejects.toThrow()
  })
})
