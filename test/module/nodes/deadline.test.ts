import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CallStore } from '../../../src/nodes/affinity/store.ts'
import { scripts } from '../../media-proxy.ts'
import { bye, client, deaf, errorOf, invite, nextState, proxy } from './scene.ts'

/** A store that answers nothing. */
const stuck: CallStore = {
  find: () => new Promise(() => undefined),
  keep: async () => undefined,
  forget: async () => undefined,
  report: async () => undefined,
  watch: async () => undefined,
  close: async () => undefined,
}

function watched(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController()
  const { signal } = controller
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  return { controller, listeners: () => add.mock.calls.length - remove.mock.calls.length }
}

afterEach(() => {
  vi.useRealTimers()
})

const clean = { commands: 0, openRequests: 0, calls: 0 }

describe('a deadline', () => {
  it('ends a command wherever it stands, and nothing is sent after it', async () => {
    // What is sent goes its way in real time, and what is waited for in this: no pause of the machine can upset their order.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({
      sockets: `${a.url} ${b.url}`,
      timeoutMs: 50,
      attempts: 3,
      deadlineMs: 210,
    })
    a.script = deaf
    b.script = deaf
    const ended = vi.fn()
    const command = errorOf(media.offer(invite())).finally(ended)
    await vi.advanceTimersByTimeAsync(209)
    expect(ended).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(30)
    const error = await command
    expect(error).toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE', node: b.url, command: 'offer' })
    expect(error.message).toContain('within 210 ms')
    expect(error.cause).toMatchObject({ code: 'ERR_RTPPROXY_TIMEOUT', node: a.url })
    expect(media.counters).toMatchObject({ ...clean, openRequests: expect.any(Number) })
    // The ping that follows a deadline comes behind all that was sent before: what is on its way still is no surprise then.
    await expect.poll(() => b.pings, { interval: 1 }).toBe(2)
    const sent = b.commands.length
    await expect.poll(() => media.openRequests).toBe(0)
    expect([a.commands.length, b.commands.length]).toEqual([3, sent])
    expect(media.show().map(({ open }) => open)).toEqual([0, 0])
  })

  it('of one call stands before that of the client, and 0 is none', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, timeoutMs: 60, attempts: 2, deadlineMs: 30, deadOn: [] })
    a.script = deaf
    const started = performance.now()
    const error = await errorOf(media.destroy(bye(), { deadlineMs: 0 }))
    expect(error.cause).toMatchObject({ code: 'ERR_RTPPROXY_TIMEOUT' })
    expect(performance.now() - started).toBeGreaterThanOrEqual(119)
    expect((await errorOf(media.destroy(bye()))).message).toContain('within 30 ms')
  })

  it('shorter than all sends finds a silent node out all the same', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 60, attempts: 2 })
    a.script = scripts.silent
    await errorOf(media.offer(invite(), { deadlineMs: 40 }))
    expect(states).toEqual([`up>suspect ${a.url}`])
    expect(await nextState(media)).toBe('down')
    expect((await media.offer(invite())).node).toBe(b.url)
  })

  it('that a live node has missed does it no harm', async () => {
    const a = await proxy(deaf)
    const { media, states } = await client({ sockets: a.url, timeoutMs: 5000, deadlineMs: 40 })
    await errorOf(media.offer(invite()))
    await expect.poll(() => states).toEqual([`up>suspect ${a.url}`, `suspect>up ${a.url}`])
  })

  it('ends a wait for the store', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, store: stuck, storeWaitMs: 5000 })
    expect(await errorOf(media.offer(invite(), { deadlineMs: 30 }))).toMatchObject({
      code: 'ERR_RTPPROXY_NO_NODE',
    })
    expect([media.counters, a.commands]).toMatchObject([clean, []])
  })

  it('leaves nothing on the signal', async () => {
    const a = await proxy(deaf)
    const { media } = await client({ sockets: a.url, timeoutMs: 5000 })
    const { controller, listeners } = watched()
    const command = errorOf(media.offer(invite(), { deadlineMs: 30, signal: controller.signal }))
    expect(listeners()).toBe(1)
    await command
    expect(listeners()).toBe(0)
  })
})

describe('a signal', () => {
  it('ends a command under way with all that belongs to it', async () => {
    const a = await proxy(deaf)
    const { media, states } = await client({ sockets: a.url, timeoutMs: 5000, deadlineMs: 9000 })
    const { controller, listeners } = watched()
    const command = errorOf(media.offer(invite(), { signal: controller.signal }))
    await expect.poll(() => a.commands.length).toBe(1)
    controller.abort(new Error('hung up'))
    expect(await command).toMatchObject({
      code: 'ERR_RTPPROXY_ABORTED',
      node: a.url,
      cause: { message: 'hung up' },
    })
    expect([media.counters, listeners(), states]).toMatchObject([clean, 0, []])
    expect(media.show()[0]).toMatchObject({ open: 0, state: 'up' })
  })

  it('ends a wait for the store, and for a node to be found', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({ sockets: a.url, store: stuck, storeWaitMs: 5000 })
    const first = watched()
    const waiting = errorOf(media.offer(invite(), { signal: first.controller.signal }))
    first.controller.abort()
    expect(await waiting).toMatchObject({ code: 'ERR_RTPPROXY_ABORTED', node: undefined })

    const other = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 5000, disableMs: 0 })
    await a.close()
    await b.close()
    await errorOf(other.media.offer(invite()))
    for (const one of [a, b]) {
      one.script = scripts.silent
      await one.back()
    }
    const second = watched()
    const searching = errorOf(other.media.offer(invite(), { signal: second.controller.signal }))
    second.controller.abort()
    expect(await searching).toMatchObject({ code: 'ERR_RTPPROXY_ABORTED' })
    expect([first.listeners(), second.listeners(), other.media.counters.commands]).toEqual([0, 0, 0])
  })

  it('that ends the probe of a node leaves the node to the next command', async () => {
    const a = await proxy()
    const { media, states } = await client({ sockets: a.url, timeoutMs: 5000, disableMs: 0, halfOpen: true })
    await a.close()
    await errorOf(media.offer(invite()))
    await a.back()
    a.script = deaf
    const controller = new AbortController()
    const probe = errorOf(media.offer(invite(), { signal: controller.signal }))
    await expect.poll(() => a.commands.length).toBe(1)
    controller.abort()
    await probe
    a.script = scripts.ok
    expect((await media.offer(invite())).node).toBe(a.url)
    expect(states).toEqual([`up>down ${a.url}`, `down>up ${a.url}`])
  })

  it('may end the last command at a node that is no longer configured', async () => {
    const a = await proxy(deaf)
    const { media } = await client({ sockets: a.url, timeoutMs: 5000 })
    const controller = new AbortController()
    const command = errorOf(media.offer(invite(), { signal: controller.signal }))
    await media.setNodes([])
    controller.abort()
    expect(await command).toMatchObject({ code: 'ERR_RTPPROXY_ABORTED' })
    expect(media.counters).toMatchObject(clean)
  })
})

describe('closing', () => {
  it('ends a command that waits for the store', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, store: stuck, storeWaitMs: 5000 })
    const waiting = errorOf(media.offer(invite()))
    await media.close()
    expect(await waiting).toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    expect(media.counters).toMatchObject(clean)
  })

  it('ends a command that waits for a node to come back', async () => {
    const [a, b] = [await proxy(scripts.silent), await proxy(scripts.silent)]
    const { media } = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 100, attempts: 1 })
    expect(media.show().map(({ state }) => state)).toEqual(['down', 'down'])
    const waiting = errorOf(media.offer(invite()))
    await media.close()
    expect(await waiting).toMatchObject({ code: 'ERR_RTPPROXY_CLOSED', command: 'offer' })
    expect(media.counters).toMatchObject(clean)
  })

  it('during the start leaves nothing running', async () => {
    const a = await proxy(scripts.silent)
    const { RtpProxyNg } = await import('../../../src/module/client.ts')
    const media = new RtpProxyNg({ sockets: a.url, pingMs: 20, timeoutMs: 5000 })
    const started = media.start()
    await expect.poll(() => a.pings).toBe(1)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await media.close()
    await started
    const left = timers.mock.calls.filter(([, delay]) => delay! >= 18 && delay! <= 22)
    timers.mockRestore()
    expect([left, media.show()[0]!.state]).toEqual([[], 'up'])
  })
})
