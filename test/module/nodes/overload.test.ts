import { afterEach, describe, expect, it, vi } from 'vitest'
import type { NgError } from '../../../src/errors.ts'
import { scripts } from '../../media-proxy.ts'
import { bye, client, deaf, EVEN, errorOf, invite, noPorts, ODD, ok, proxy, refuse } from './scene.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Has so much time be over at once. */
function later(ms: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

describe('an offer of a new call', () => {
  it.each([
    ['load limit', scripts.loadlimit, 'ERR_RTPPROXY_LOAD_LIMIT'],
    ['no ports', noPorts, 'ERR_RTPPROXY_NG'],
  ])(
    'that finds %s goes to the next node, and the full one is spared, not disabled',
    async (_, full, code) => {
      const [a, b] = [await proxy(full), await proxy()]
      const { media, states } = await client({ sockets: `${a.url} ${b.url}`, spareMs: 60_000 })
      expect((await media.offer(invite())).node).toBe(b.url)
      expect((await media.offer(invite({ callId: 'BB' }))).node).toBe(b.url)
      expect(a.commands).toHaveLength(1)
      a.script = scripts.ok
      later(60_000)
      expect((await media.offer(invite({ callId: 'CC' }))).node).toBe(a.url)
      for (const one of [a, b]) one.script = full
      expect(await errorOf(media.offer(invite({ callId: 'DD' })))).toMatchObject({ code })
      expect(states).toEqual([])
      expect(media.counters.calls).toBe(3)
    },
  )

  it('tells of the last error when all are full, after each was asked once', async () => {
    const [a, b] = [await proxy(scripts.loadlimit), await proxy(noPorts)]
    const { media } = await client({ sockets: `${a.url} ${b.url}` })
    for (let call = 0; call < 2; call++) {
      expect(await errorOf(media.offer(invite()))).toMatchObject({ node: b.url, reason: 'Ran out of ports.' })
    }
    expect([a.commands.length, b.commands.length, media.counters.calls]).toEqual([2, 2, 0])
  })

  it('is refused by any other error, which says nothing of room', async () => {
    const [a, b] = [await proxy(scripts.error), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}` })
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_NG', node: a.url })
    expect([b.commands, states]).toEqual([[], []])
  })

  it.each([
    ['an expression', /general ERROR/i],
    ['one of several, whatever their flags', [/never said/g, /error/gy, /error/g]],
    [
      'a function',
      ({ reason, node, command }: NgError) => `${command} ${node} ${reason}`.includes('general'),
    ],
  ])(
    'that is refused with what %s names goes to the next node, and nothing is held against the first',
    async (_, failoverOn) => {
      const [a, b] = [await proxy(refuse('A general error.')), await proxy()]
      const { media, states } = await client({ sockets: `${a.url} ${b.url}`, failoverOn })
      for (const callId of [EVEN, 'BB', 'DD'])
        expect((await media.offer(invite({ callId }))).node).toBe(b.url)
      expect([a.commands.length, states]).toEqual([3, []])
      // Only an offer may be made elsewhere: what the node says of a call that it has stands.
      b.script = refuse('A general error.')
      for (const failed of [media.offer(invite()), media.answer(ok()), media.query(invite())])
        expect(await errorOf(failed)).toMatchObject({ code: 'ERR_RTPPROXY_NG', node: b.url })
      // And when every node says so, the last one's word is the error.
      expect(await errorOf(media.offer(invite({ callId: 'FF' })))).toMatchObject({
        node: b.url,
        reason: 'A general error.',
      })
    },
  )

  it('fails with the error of a function that throws, and the client goes on', async () => {
    const [a, b] = [await proxy(refuse('A general error.')), await proxy()]
    const failoverOn = () => {
      throw new Error('mine')
    }
    const { media } = await client({ sockets: `${a.url} ${b.url}`, failoverOn })
    expect(await errorOf(media.offer(invite()))).toMatchObject({
      code: 'ERR_RTPPROXY_OPTION',
      option: 'failoverOn',
      message: 'failoverOn: the function threw: mine',
      cause: { message: 'mine' },
    })
    expect([b.commands, media.counters.commands, media.counters.calls]).toEqual([[], 0, 0])
    a.script = scripts.ok
    expect((await media.offer(invite())).node).toBe(a.url)
  })

  it('whose node is dead counts as new at the others, full ones among them', async () => {
    const [a, b, c] = [await proxy(), await proxy(noPorts), await proxy()]
    const { media } = await client({ sockets: `${a.url}=100 ${b.url}=100 ${c.url}` })
    await media.offer(invite({ callId: 'P' }))
    await a.close()
    expect((await media.offer(invite({ callId: 'P' }))).node).toBe(c.url)
    expect(b.commands).toHaveLength(1)
  })
})

describe('a set', () => {
  it('has nodes of weight 0 as a last resort, in use while no other can be used', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const sockets = `${a.url} ${b.url}=0`
    const { media } = await client({ sockets, lastResort: true, spareMs: 100 })
    expect((await media.offer(invite({ callId: ODD }))).node).toBe(a.url)
    a.script = noPorts
    expect((await media.offer(invite({ callId: 'AB' }))).node).toBe(b.url)
    await a.close()
    await expect.poll(() => media.destroy(bye({ callId: 'none' })).then(({ node }) => node)).toBe(b.url)
    media.enable(b.url, false)
    expect(await errorOf(media.offer(invite({ callId: 'AD' })))).toMatchObject({
      code: 'ERR_RTPPROXY_NO_NODE',
    })
  })

  it('does not use nodes of weight 0 without that', async () => {
    const [a, b] = [await proxy(noPorts), await proxy()]
    const { media } = await client({ sockets: `${a.url} ${b.url}=0` })
    expect(await errorOf(media.offer(invite()))).toMatchObject({ reason: 'Ran out of ports.' })
    expect(b.commands).toEqual([])
  })
})

describe('overload', () => {
  it('refuses commands at once, deletes last', async () => {
    const a = await proxy()
    const { media } = await client({ sockets: a.url, openLimit: 20, timeoutMs: 10_000 })
    a.script = deaf
    const open = Array.from({ length: 18 }, (_, i) => errorOf(media.offer(invite({ callId: `${i}` }))))
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_OVERLOAD' })
    expect(await errorOf(media.query(bye()))).toMatchObject({ code: 'ERR_RTPPROXY_OVERLOAD' })
    const deletes = [errorOf(media.destroy(bye())), errorOf(media.destroy(bye()))]
    expect(await errorOf(media.destroy(bye()))).toMatchObject({ code: 'ERR_RTPPROXY_OVERLOAD' })
    expect(media.counters).toMatchObject({ commands: 20, openRequests: 20, overloads: 3, calls: 18 })
    await media.close()
    for (const error of await Promise.all([...open, ...deletes])) {
      expect(error).toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    }
    expect(media.counters).toMatchObject({ commands: 0, openRequests: 0 })
    expect(media.show()[0]).toMatchObject({ open: 0 })
  })

  it('of one node sends new calls to the others, and refuses those of calls it has', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({ sockets: `${a.url} ${b.url}`, nodeOpenLimit: 10, timeoutMs: 10_000 })
    await media.offer(invite())
    a.script = deaf
    const open = Array.from({ length: 9 }, () => errorOf(media.query(bye())))
    expect(await errorOf(media.query(bye()))).toMatchObject({ code: 'ERR_RTPPROXY_OVERLOAD', node: a.url })
    expect((await media.offer(invite({ callId: 'BB' }))).node).toBe(b.url)
    b.script = deaf
    const more = Array.from({ length: 9 }, (_, i) => errorOf(media.offer(invite({ callId: `${i}` }))))
    expect(await errorOf(media.offer(invite({ callId: 'DD' })))).toMatchObject({
      code: 'ERR_RTPPROXY_OVERLOAD',
      node: undefined,
    })
    expect(media.show().map((node) => node.open)).toEqual([9, 9])
    a.script = scripts.ok
    expect((await media.destroy(bye())).node).toBe(a.url)
    expect(media.counters.overloads).toBe(2)
    await media.close()
    await Promise.all([...open, ...more])
    expect(media.show().map((node) => node.open)).toEqual([0, 0])
  })

  it('leaves no room taken by commands that a strategy has failed', async () => {
    const a = await proxy()
    const balancing = () => {
      throw new Error('no tea')
    }
    const b = await proxy()
    const { media } = await client({ sockets: `${a.url} ${b.url}`, balancing, openLimit: 1 })
    for (let call = 0; call < 3; call++) {
      expect(await errorOf(media.offer(invite()))).toMatchObject({
        code: 'ERR_RTPPROXY_OPTION',
        option: 'balancing',
      })
    }
    expect(media.counters).toMatchObject({ commands: 0, calls: 0, overloads: 0 })
  })

  it('is not brought about by commands too large for a datagram, nor is a node kept from coming back', async () => {
    const a = await proxy()
    const { media, states } = await client({ sockets: a.url, openLimit: 1, halfOpen: true, disableMs: 0 })
    await a.close()
    await errorOf(media.offer(invite()))
    await a.back()
    for (let call = 0; call < 2; call++) {
      const error = await errorOf(media.request('offer', { 'call-id': 'c', text: 'x'.repeat(65_450) }))
      expect(error).toMatchObject({ code: 'ERR_RTPPROXY_TOO_LARGE' })
    }
    expect([media.counters, media.show()[0]!.open]).toMatchObject([{ commands: 0, calls: 0 }, 0])
    await media.offer(invite())
    expect(states).toEqual([`up>down ${a.url}`, `down>up ${a.url}`])
  })
})
