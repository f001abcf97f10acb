import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../../src/module/client.ts'
import { NgClient } from '../../../src/ng/client.ts'
import { findProgram, RtpEngine } from '../program.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const offer = (callId: string) => ({ 'call-id': callId, 'from-tag': 'f', sdp: SDP })

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('orphans on a real rtpengine', () => {
  let engine: RtpEngine
  beforeAll(async () => {
    engine = await RtpEngine.start(28_000)
  })
  afterAll(() => engine?.stop())

  it.each([
    ['UDP', () => engine.url, 100],
    ['TCP', () => engine.tcpUrl, 800],
  ])('are found among other calls over %s, and ended', async (name, url, count) => {
    await using media = new RtpProxyNg({ sockets: url() })
    await using stranger = new NgClient(engine.tcpUrl)
    await media.start()
    await media.command('offer', offer(`mine ${name}`))
    await Promise.all(Array.from({ length: count }, (_, i) => stranger.offer(offer(`lost ${name} ${i}`))))
    const found = await media.orphans({ olderThanMs: 0, limit: 5000 })
    expect(found).toMatchObject({ calls: count + 1, complete: true, missing: [], failed: [] })
    expect(found.orphans).toHaveLength(count)
    expect(Math.max(...found.orphans.map(({ ageMs }) => ageMs))).toBeLessThan(30_000)
    const { orphans } = await media.orphans({ olderThanMs: 0, limit: 5000, delete: true })
    expect(orphans).toHaveLength(count)
    expect((await stranger.list({ limit: 5000 })).calls).toEqual([`mine ${name}`])
    await media.command('delete', { 'call-id': `mine ${name}` })
  })
})
