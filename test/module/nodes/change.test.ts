import { describe, expect, it } from 'vitest'
import { scripts } from '../../media-proxy.ts'
import { bye, client, deaf, EVEN, errorOf, invite, ODD, ok, proxy } from './scene.ts'

const aborted = { code: 'ERR_RTPPROXY_ABORTED', command: 'drain' }

/** Whether a promise is settled when everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

describe('draining', () => {
  it('lets calls end where they are, and resolves with the last delete', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}` })
    await media.offer(invite())
    await media.offer(invite({ callId: 'BB' }))
    const drained = media.drain(a.url)
    expect((await media.offer(invite({ callId: 'DD' }))).node).toBe(b.url)
    await media.answer(ok())
    await media.destroy(bye())
    expect([await isSettled(drained), media.show()[0]]).toMatchObject([
      false,
      { calls: 1, state: 'draining' },
    ])
    await media.destroy(bye({ callId: 'BB' }))
    await drained
    expect(states).toEqual([`up>draining ${a.url}`])
  })

  it('resolves when the last call is forgotten, or there is none', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, affinity: { lifetimeMs: 60 } })
    await media.drain(a.url)
    media.enable(a.url, true)
    await media.offer(invite())
    await Promise.all([media.drain(a.url), media.drain(a.url)])
    expect(media.show()[0]).toMatchObject({ calls: 0, state: 'draining' })
  })

  it('waits for commands under way as well', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, timeoutMs: 5000 })
    a.script = deaf
    const controller = new AbortController()
    const command = errorOf(media.query(bye(), { signal: controller.signal }))
    const drained = media.drain(a.url)
    expect(await isSettled(drained)).toBe(false)
    controller.abort()
    await Promise.all([command, drained])
  })

  it('ends when the node is enabled, and fails then', async () => {
    const a = await proxy()
    const { media, states } = await client({ sockets: a.url })
    await media.offer(invite())
    const drained = errorOf(media.drain(a.url))
    media.enable(a.url, true)
    expect(await drained).toMatchObject({ ...aborted, node: a.url })
    expect(states).toEqual([`up>draining ${a.url}`, `draining>up ${a.url}`])
    expect((await media.offer(invite({ callId: 'BB' }))).node).toBe(a.url)
  })

  it('fails when the node goes or the client is closed, although its calls go too', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({ sockets: `${a.url} ${b.url}` })
    await media.offer(invite())
    await media.offer(invite({ callId: ODD }))
    const drains = [errorOf(media.drain(a.url)), errorOf(media.drain(b.url))]
    await media.setNodes(b.url)
    expect(await drains[0]).toMatchObject({
      ...aborted,
      message: expect.stringContaining('no longer configured'),
    })
    await media.close()
    expect(await drains[1]).toMatchObject({ ...aborted, message: expect.stringContaining('closed') })
  })

  it('fails in all sets when it ends in one', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({ sockets: [a.url, `1 == ${a.url}`] })
    await media.offer(invite())
    await media.offer(invite({ callId: 'other' }), { set: 1 })
    const drained = errorOf(media.drain(a.url))
    await media.setNodes([a.url, `1 == ${b.url}`])
    expect(await drained).toMatchObject(aborted)
    await media.destroy(bye())
  })

  it('needs the memory of calls, and a node', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url })
    expect(await errorOf(media.drain('udp:192.0.2.1:1'))).toMatchObject({ option: 'url' })
    const other = await client({ sockets: a.url, affinity: false })
    expect(await errorOf(other.media.drain(a.url))).toMatchObject({ option: 'affinity' })
    expect(other.states).toEqual([])
  })

  it('makes no probe of a node that was down', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}`, disableMs: 0, halfOpen: true })
    await a.close()
    await media.offer(invite())
    await media.drain(a.url)
    await a.back()
    expect((await media.offer(invite({ callId: 'BB' }))).node).toBe(b.url)
    await expect.poll(() => states.at(-1)).toBe(`down>draining ${a.url}`)
    expect(a.commands).toEqual([])
  })
})

describe('a change of nodes', () => {
  it('keeps state, calls and open requests of those that stay', async () => {
    const [a, b, c] = [await proxy(), await proxy(), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 50, attempts: 50 })
    await media.offer(invite())
    media.enable(b.url, false)
    a.script = deaf
    const answer = media.answer(ok())
    await expect.poll(() => a.commands.length).toBeGreaterThan(1)
    await media.setNodes([`${c.url} ${b.url}=3`, `${a.url}=5`, `7 == ${c.url}`])
    expect(media.show()).toMatchObject([
      { url: c.url, index: 0, state: 'up' },
      { url: b.url, index: 1, weight: 3, state: 'disabled' },
      { url: a.url, index: 2, weight: 5, calls: 1, open: 1 },
      { url: c.url, set: 7, index: 3 },
    ])
    a.script = scripts.ok
    expect((await answer).node).toBe(a.url)
    expect(states.filter((state) => !state.includes('suspect'))).toEqual([`up>disabled ${b.url}`])
    expect(c.pings).toBe(2)
  })

  it('lets what is open at a node that goes be answered yet, and moves its calls with their next command', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: a.url, timeoutMs: 50, attempts: 50 })
    await media.offer(invite())
    a.script = deaf
    const answer = media.answer(ok())
    await expect.poll(() => a.commands.length).toBeGreaterThan(1)
    await media.setNodes(b.url)
    a.script = scripts.ok
    expect((await answer).node).toBe(a.url)
    expect(media.counters).toMatchObject({ calls: 0, commands: 0, openRequests: 0 })
    expect(await media.destroy(bye())).toMatchObject({ node: b.url, remembered: false })
    expect(states.filter((state) => state.includes('down'))).toEqual([])
  })

  it('goes on with the nodes there are when one that goes has not answered', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: a.url, timeoutMs: 250, attempts: 2 })
    a.script = deaf
    const offer = media.offer(invite())
    await media.setNodes(b.url)
    expect((await offer).node).toBe(b.url)
    expect([...media.callsOn(b.url)]).toEqual([{ callId: EVEN, viaBranch: undefined }])
    expect(states.filter((state) => state.includes('down'))).toEqual([])
  })

  it('that is wrong changes nothing', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url })
    expect(await errorOf(media.setNodes('sctp:x'))).toMatchObject({ code: 'ERR_RTPPROXY_URL' })
    expect(media.show()).toMatchObject([{ url: a.url }])
    await media.close()
    expect(await errorOf(media.setNodes(a.url))).toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
  })

  it('during the start does as one after it', async () => {
    const [a, b] = [await proxy(scripts.silent), await proxy()]
    const { RtpProxyNg } = await import('../../../src/module/client.ts')
    const media = new RtpProxyNg({ sockets: a.url, timeoutMs: 5000 })
    const started = media.start()
    await media.setNodes(b.url)
    await started
    expect(media.show()).toMatchObject([{ url: b.url, state: 'up' }])
    await media.close()
  })

  it('takes a whole set away, and brings it back', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url })
    await media.setNodes([])
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_SET' })
    await media.setNodes(a.url)
    expect((await media.offer(invite())).node).toBe(a.url)
  })
})
