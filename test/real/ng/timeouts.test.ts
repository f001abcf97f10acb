import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NgClient } from '../../../src/ng/client.ts'
import { type MediaTimeout, MediaTimeouts } from '../../../src/timeouts/timeouts.ts'
import { findProgram, RtpEngine } from '../program.ts'

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

describe.skipIf(findProgram('rtpengine', 'rtpengine-daemon') === undefined)('a call without media', () => {
  const timeouts = new MediaTimeouts({ listen: 'http://127.0.0.1:0' })
  const told: MediaTimeout[] = []
  const opened: { stop(): Promise<void> }[] = []
  beforeAll(() => timeouts.start())
  afterAll(async () => {
    await Promise.all(opened.map((engine) => engine.stop()))
    await timeouts.close()
  })
  timeouts.on('timeout', (timeout) => told.push(timeout))

  it.each([
    ['by its tags, one at a time', 0, 48_000, [{ tags: ['<al&ice>'] }, { tags: ['bob'] }]],
    ['by its Call-ID', 1, 52_000, [{ callId: `"é&'1@x`, tags: [] }]],
    ['by Call-ID and tags', 2, 56_000, [{ callId: `"é&'2@x`, tags: ['<al&ice>', 'bob'] }]],
  ])('is told of %s', async (_, format, media, expected) => {
    told.length = 0
    // `%%` stands for the address of whoever has set up the call.
    const url = timeouts.url!.replace('127.0.0.1', format === 1 ? '%%' : '127.0.0.1')
    const more = [`--b2b-url=${url}`, `--xmlrpc-format=${format}`, '--timeout=1', '--silent-timeout=1']
    const engine = await RtpEngine.start(media, undefined, undefined, more)
    opened.push(engine)
    const client = new NgClient(engine.url)
    const call = { 'call-id': `"é&'${format}@x`, 'from-tag': '<al&ice>' }
    await client.offer({ ...call, sdp })
    await client.answer({ ...call, 'to-tag': 'bob', sdp })
    await client.close()
    await expect.poll(() => told.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(expected.length)
    expect(told).toEqual(expected.map((one) => ({ callId: undefined, source: '127.0.0.1', ...one })))
    expect(timeouts.counters).toMatchObject({ refused: 0, malformed: 0 })
  })
})
