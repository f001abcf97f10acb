import { describe, expect, it } from 'vitest'
import { scripts } from '../../media-proxy.ts'
import { bye, client, EVEN, errorOf, invite, noPorts, ODD, ok, proxy } from './scene.ts'

const two = async (options = {}) => {
  const [a, b] = [await proxy(), await proxy()]
  const scene = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 250, attempts: 2, ...options })
  return { a, b, ...scene }
}

describe('without affinity', () => {
  it('every command is balanced by its Call-ID, as in the module, whatever was before', async () => {
    const { a, b, media } = await two({ affinity: false })
    await media.offer(invite())
    await a.close()
    expect(await media.offer(invite())).toMatchObject({ node: b.url, token: undefined })
    await a.back()
    media.enable(a.url, true)
    expect((await media.answer(ok())).node).toBe(a.url)
    expect(await media.destroy(bye())).toEqual({ node: a.url, warning: undefined, remembered: false })
    expect(media.counters.calls).toBe(0)
  })

  it('a delete whose node is dead goes to the next one', async () => {
    const { a, b, media } = await two({ affinity: false })
    await media.offer(invite())
    await a.close()
    expect(await media.destroy(bye())).toMatchObject({ node: b.url, remembered: false })
    expect(media.counters.rememberedDeletes).toBe(0)
  })

  it('a node disabled by hand gets nothing at all', async () => {
    const { a, b, media } = await two({ affinity: false })
    await media.offer(invite())
    media.enable(a.url, false)
    expect((await media.offer(invite())).node).toBe(b.url)
  })
})

describe('a call', () => {
  it('stays on its node while weights change and nodes come back', async () => {
    const { a, b, media } = await two()
    media.enable(a.url, false)
    expect((await media.offer(invite())).node).toBe(b.url)
    media.enable(a.url, true)
    expect((await media.answer(ok())).node).toBe(b.url)
    expect((await media.offer(invite())).node).toBe(b.url)
    await media.setNodes(`${a.url}=100 ${b.url}=1`)
    expect((await media.query(bye())).result).toBe('ok')
    expect((await media.destroy(bye())).node).toBe(b.url)
    expect(a.commands).toEqual([])
    expect((await media.offer(invite())).node).toBe(a.url)
  })

  it('keeps its node although that is disabled by hand or draining, where new calls do not go', async () => {
    const { a, b, media } = await two()
    await media.offer(invite())
    media.enable(a.url, false)
    expect((await media.offer(invite())).node).toBe(a.url)
    expect((await media.offer(invite({ callId: 'B@' }))).node).toBe(b.url)
    media.enable(a.url, true)
    const drained = media.drain(a.url)
    expect((await media.offer(invite())).node).toBe(a.url)
    expect((await media.offer(invite({ callId: '@B' }))).node).toBe(b.url)
    expect((await media.destroy(bye())).node).toBe(a.url)
    await drained
  })

  it('goes on at the next node when its own is dead, and stays there', async () => {
    const { a, b, media } = await two()
    await media.offer(invite())
    await a.close()
    expect((await media.offer(invite())).node).toBe(b.url)
    await a.back()
    media.enable(a.url, true)
    expect((await media.offer(invite())).node).toBe(b.url)
    expect(media.show().map(({ calls }) => calls)).toEqual([0, 1])
  })

  it('is back on its node when no other would have it', async () => {
    const { a, b, media } = await two({ disableMs: 0 })
    b.script = scripts.error
    await media.offer(invite())
    await a.close()
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_NG', node: b.url })
    expect(media.show().map(({ calls }) => calls)).toEqual([1, 0])
    await a.back()
    await expect
      .poll(() =>
        media.offer(invite()).then(
          ({ node }) => node,
          () => '',
        ),
      )
      .toBe(a.url)
  })

  it('that was not taken leaves nothing behind', async () => {
    const { a, media } = await two()
    a.script = scripts.error
    await errorOf(media.offer(invite()))
    expect(media.counters.calls).toBe(0)
  })

  it('is not forgotten by an offer whose signal was aborted before', async () => {
    const { a, b, media } = await two()
    media.enable(a.url, false)
    await media.offer(invite())
    await errorOf(media.offer(invite(), { signal: AbortSignal.abort() }))
    media.enable(a.url, true)
    expect((await media.offer(invite())).node).toBe(b.url)
  })

  it('without room on its own node fails, and does not move', async () => {
    const { a, b, media } = await two()
    await media.offer(invite())
    a.script = noPorts
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_NG', node: a.url })
    expect([b.commands, media.counters.calls]).toEqual([[], 1])
  })
})

describe('a forked call', () => {
  it('has all branches on one node, each of which ends by itself', async () => {
    const { a, b, media } = await two({ balancing: 'least-open' })
    const { node } = await media.offer(invite({ branch: 'b1' }), { flags: '1' })
    const other = node === a.url ? b : a
    expect((await media.offer(invite({ branch: 'b2' }), { flags: '1' })).node).toBe(node)
    expect([...media.callsOn(node)]).toEqual([
      { callId: EVEN, viaBranch: 'b1' },
      { callId: EVEN, viaBranch: 'b2' },
    ])
    await media.destroy(bye({ branch: 'b1' }), { flags: '1' })
    expect([...media.callsOn(node)]).toEqual([{ callId: EVEN, viaBranch: 'b2' }])
    media.enable(node, false)
    expect((await media.answer(ok({ branch: 'b2' }), { flags: '1' })).node).toBe(node)
    expect(other.commands).toEqual([])
  })

  it('is ended on every node that has a branch of it by a delete that names none', async () => {
    const { a, b, media } = await two()
    await media.offer(invite({ branch: 'b1' }), { flags: '1' })
    // What another branch found out of order is back before the delete.
    await a.close()
    await media.offer(invite({ branch: 'b2' }), { flags: '1' })
    await a.back()
    media.enable(a.url, true)
    expect(media.counters.calls).toBe(2)
    expect(await media.destroy(bye())).toMatchObject({ node: b.url, remembered: false })
    await expect.poll(() => a.commands).toEqual([`offer ${EVEN}`, `delete ${EVEN}`])
    expect(media.counters.calls).toBe(0)
  })

  it('answered without its branch stays one call', async () => {
    const { a, media } = await two()
    await media.offer(invite(), { flags: '1' })
    expect((await media.answer(ok())).node).toBe(a.url)
    expect([...media.callsOn(a.url)]).toEqual([{ callId: EVEN, viaBranch: 'b1' }])
  })
})

describe('tokens', () => {
  const tokenKey = 'sixteen bytes or more'

  it('lead another process to the node of the call', async () => {
    const { a, b, media } = await two({ tokenKey })
    media.enable(a.url, false)
    const { token } = await media.offer(invite())
    expect(token).toMatch(/^[\w-]{28}$/)
    const other = await client({ sockets: `${a.url} ${b.url}`, tokenKey })
    expect((await other.media.answer(ok(), { token })).node).toBe(b.url)
    expect((await other.media.offer(invite())).node).toBe(b.url)
    expect(other.media.counters.tokens).toEqual({ forged: 0, stale: 0, unknown: 0 })
  })

  it('of another call, or of nobody, count for nothing', async () => {
    const { a, b, media } = await two({ tokenKey })
    media.enable(a.url, false)
    const { token } = await media.offer(invite())
    media.enable(a.url, true)
    expect((await media.offer(invite({ callId: 'BB' }), { token })).node).toBe(a.url)
    expect((await media.offer(invite({ callId: 'DD' }), { token: 'x'.repeat(28) })).node).toBe(a.url)
    expect(media.counters.tokens).toEqual({ forged: 2, stale: 0, unknown: 0 })
    await media.setNodes(a.url)
    expect((await media.offer(invite(), { token })).node).toBe(a.url)
    expect(media.counters.tokens).toEqual({ forged: 2, stale: 0, unknown: 1 })
    expect(b.commands).toEqual([`offer ${EVEN}`])
  })

  it('do not outweigh what is known here: the call may have moved since', async () => {
    const { a, b, media } = await two({ tokenKey })
    const { token } = await media.offer(invite())
    await a.close()
    expect((await media.offer(invite(), { token })).node).toBe(b.url)
    await a.back()
    media.enable(a.url, true)
    expect((await media.destroy(bye(), { token })).node).toBe(b.url)
  })

  it('work without a memory of calls', async () => {
    const { a, b, media } = await two({ tokenKey, affinity: false })
    const { token } = await media.offer(invite({ callId: ODD }))
    await media.setNodes(`${a.url}=200 ${b.url}`)
    expect((await media.offer(invite({ callId: ODD }), { token })).node).toBe(b.url)
    expect((await media.offer(invite({ callId: ODD }))).node).toBe(a.url)
  })
})
