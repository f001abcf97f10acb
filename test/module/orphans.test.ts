import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'
import type { OrphanOptions } from '../../src/module/orphans.ts'
import { NgClient } from '../../src/ng/client.ts'
import type { CallStore } from '../../src/nodes/affinity/store.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const offer = (callId: string) => ({ 'call-id': callId, 'from-tag': 'f', sdp: SDP })

let engine: FakeRtpEngine
let stranger: NgClient
const opened: RtpProxyNg[] = []

async function client(options: RtpProxyNgOptions = {}): Promise<RtpProxyNg> {
  const media = new RtpProxyNg({ sockets: engine.urls, timeoutMs: 1000, attempts: 1, ...options })
  opened.push(media)
  await media.start()
  return media
}

beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  stranger = new NgClient(engine.urls[0]!)
})
afterEach(async () => {
  for (const media of opened.splice(0)) await media.close()
  await stranger.close()
  await engine.close()
})

describe('orphans', () => {
  it('are the calls of a media proxy that nobody here knows', async () => {
    const media = await client()
    await media.command('offer', offer('mine'))
    await stranger.offer(offer('lost'))
    const { orphans, missing, calls, complete, failed } = await media.orphans({ olderThanMs: 0 })
    expect(orphans).toEqual([
      { node: engine.urls[0], callId: 'lost', ageMs: expect.any(Number), deleted: false },
    ])
    expect({ missing, calls, complete, failed }).toEqual({
      missing: [],
      calls: 2,
      complete: true,
      failed: [],
    })
    expect(engine.calls).toHaveLength(2)
  })

  it('are ended on demand, and only they', async () => {
    const media = await client()
    await media.command('offer', offer('mine'))
    for (let i = 0; i < 40; i++) await stranger.offer(offer(`lost-${i}`))
    const { orphans } = await media.orphans({ olderThanMs: 0, delete: true })
    expect(orphans.filter(({ deleted }) => deleted)).toHaveLength(40)
    expect(engine.calls.map(({ callId }) => callId)).toEqual(['mine'])
  })

  it('are left alone while they are young: they may be on their way here', async () => {
    const media = await client()
    await stranger.offer(offer('young'))
    expect(await media.orphans({ delete: true })).toMatchObject({ orphans: [], calls: 1 })
    expect(engine.calls).toHaveLength(1)
  })

  it('have their reverse: calls remembered here that the media proxy does not have', async () => {
    const media = await client()
    await media.command('offer', offer('gone'))
    await stranger.delete({ 'call-id': 'gone' })
    const { missing } = await media.orphans()
    expect(missing).toMatchObject([{ callId: 'gone', node: engine.urls[0] }])
  })

  it('are not said to be all of them when the list was cut off', async () => {
    const media = await client()
    for (const name of ['a', 'b', 'c']) await stranger.offer(offer(name))
    expect(await media.orphans({ olderThanMs: 0, limit: 2 })).toMatchObject({
      complete: false,
      calls: 2,
      missing: [],
    })
  })

  it('of a media proxy that does not answer are in the report as an error', async () => {
    const media = await client()
    await engine.stop()
    const { failed, complete } = await media.orphans()
    expect(complete).toBe(false)
    expect(failed).toMatchObject([{ node: engine.urls[0], error: { name: 'NodeError' } }])
  })

  it('cannot be told without a memory of calls, or at a media proxy there is not', async () => {
    const forgetful = await client({ affinity: false })
    await expect(forgetful.orphans()).rejects.toMatchObject({ option: 'affinity' })
    const media = await client()
    await expect(media.orphans({ node: 'udp:127.0.0.1:9' })).rejects.toMatchObject({ option: 'node' })
  })

  it('can be given up looking for', async () => {
    const media = await client()
    await expect(media.orphans({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_ABORTED',
    })
  })

  it('are left alone when the media proxy does not tell how old they are', async () => {
    const media = await client()
    await stranger.offer(offer('ageless'))
    engine.script('query', { with: { created: 'yesterday' } })
    expect(await media.orphans({ olderThanMs: 0, delete: true })).toMatchObject({ orphans: [], calls: 1 })
    expect(engine.calls).toHaveLength(1)
  })

  it('do not take the call of the same name with them that is known to be at another media proxy', async () => {
    await using other = new FakeRtpEngine()
    await other.start()
    const media = await client({ sockets: [...engine.urls, ...other.urls].join(' ') })
    await media.command('offer', offer('moved'))
    const [here, there] = media.nodeOf('moved') === engine.urls[0] ? [engine, other] : [other, engine]
    await using former = new NgClient(there.urls[0]!)
    await former.offer(offer('moved'))
    const { orphans } = await media.orphans({ olderThanMs: 0, delete: true })
    expect(orphans).toMatchObject([{ node: there.urls[0], callId: 'moved', deleted: true }])
    expect([here.calls.length, there.calls.length]).toEqual([1, 0])
    expect(media.nodeOf('moved')).toBe(here.urls[0])
    expect((await media.orphans({ olderThanMs: 0 })).orphans).toEqual([])
  })

  it('are not told while the shared store cannot be asked: the calls of the others must not end for that', async () => {
    let isAway = false
    const calls = new Map<string, Map<string, string>>()
    const store: CallStore = {
      find: async (callId) => {
        if (isAway) throw new Error('away')
        return calls.get(callId) ?? new Map()
      },
      keep: async (callId, branch, node) => void calls.set(callId, new Map([[branch, node]])),
      forget: async (callId) => void calls.delete(callId),
      report: async () => undefined,
      watch: async () => undefined,
      close: async () => undefined,
    }
    const others = await client({ store })
    await others.command('offer', offer('theirs'))
    const media = await client({ store })
    expect(await media.orphans({ olderThanMs: 0, delete: true })).toMatchObject({
      orphans: [],
      complete: true,
    })
    isAway = true
    expect(await media.orphans({ olderThanMs: 0, delete: true })).toMatchObject({
      orphans: [],
      complete: false,
      calls: 1,
    })
    expect(engine.calls).toHaveLength(1)
  })

  it('that were ended before the media proxy fell silent are in the report beside the error', async () => {
    const media = await client()
    for (let i = 0; i < 20; i++) await stranger.offer(offer(`lost-${i}`))
    let deletes = 0
    engine.script(({ command }) => (command === 'delete' && ++deletes > 5 ? { silent: true } : undefined))
    const { orphans, failed, complete } = await media.orphans({ olderThanMs: 0, delete: true })
    expect([orphans.length, failed.length, complete]).toEqual([5, 1, false])
  })

  it.each([
    { olderThanMs: Number.NaN },
    { olderThanMs: '60000' },
    { limit: 0 },
    { limit: 1.5 },
    { delete: 'no' },
  ])('are not looked for with %o, since what is wrong there would end calls that go on', async (options) => {
    const media = await client()
    await expect(media.orphans(options as OrphanOptions)).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_OPTION',
      option: Object.keys(options)[0],
    })
  })
})
