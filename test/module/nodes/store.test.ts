import { describe, expect, it } from 'vitest'
import type { CallStore } from '../../../src/nodes/affinity/store.ts'
import { bye, client, EVEN, invite, ok, proxy } from './scene.ts'

/** A store in this process, with what it holds. */
function memoryStore() {
  const calls = new Map<string, Map<string, string>>()
  const store: CallStore = {
    find: async (callId) => new Map(calls.get(callId)),
    keep: async (callId, viaBranch, node) => {
      calls.set(callId, (calls.get(callId) ?? new Map()).set(viaBranch, node))
    },
    forget: async (callId, viaBranch) => {
      if (viaBranch === undefined) calls.delete(callId)
      else calls.get(callId)?.delete(viaBranch)
    },
    report: async () => undefined,
    watch: async () => undefined,
    close: async () => undefined,
  }
  return { calls, store }
}

describe('a shared store', () => {
  it('leads another process to the node of a call, and is told when the call is over', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { calls, store } = memoryStore()
    const sockets = `${a.url} ${b.url}`
    const [first, second] = [await client({ sockets, store }), await client({ sockets, store })]
    first.media.enable(a.url, false)
    expect((await first.media.offer(invite())).node).toBe(b.url)
    await expect.poll(() => calls.get(EVEN)).toEqual(new Map([['', b.url]]))
    expect((await second.media.answer(ok())).node).toBe(b.url)
    expect((await second.media.destroy(bye())).node).toBe(b.url)
    await expect.poll(() => calls.size).toBe(0)
    expect(second.media.counters).toMatchObject({ calls: 0, store: { finds: 1, hits: 1 } })
  })

  it('tells of every branch, so that a delete that names none reaches every node', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { calls, store } = memoryStore()
    calls.set(
      EVEN,
      new Map([
        ['b1', a.url],
        ['b2', b.url],
        ['b3', 'udp:192.0.2.1:1'],
      ]),
    )
    const { media } = await client({ sockets: `${a.url} ${b.url}`, store })
    await media.destroy(bye())
    await expect.poll(() => [a.commands, b.commands]).toEqual([[`delete ${EVEN}`], [`delete ${EVEN}`]])
    expect([calls.size, media.counters.calls]).toEqual([0, 0])
  })

  it('that knows of a node that is not here leaves the call to balancing', async () => {
    const a = await proxy()
    const { calls, store } = memoryStore()
    calls.set(EVEN, new Map([['', 'udp:192.0.2.1:1']]))
    const { media } = await client({ sockets: a.url, store })
    expect((await media.offer(invite())).node).toBe(a.url)
    await expect.poll(() => calls.get(EVEN)?.get('')).toBe(a.url)
  })

  it('is asked once for a call, and not for one that is known here', async () => {
    const a = await proxy()
    const { store } = memoryStore()
    const { media } = await client({ sockets: a.url, store })
    for (let command = 0; command < 3; command++) await media.offer(invite())
    expect(media.counters.store).toMatchObject({ finds: 1, hits: 0 })
  })

  it('that fails is told of once, and holds no call up', async () => {
    const a = await proxy()
    const { store } = memoryStore()
    const broken = async () => {
      throw new Error('no tea')
    }
    const { media } = await client({ sockets: a.url, store: { ...store, find: broken, keep: broken } })
    const downs: unknown[] = []
    media.on('store:down', (reason) => downs.push(reason))
    for (const callId of ['1', '2', '3']) expect((await media.offer(invite({ callId }))).node).toBe(a.url)
    expect(downs).toMatchObject([{ code: 'ERR_RTPPROXY_UNREACHABLE', cause: { message: 'no tea' } }])
  })
})
