import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NgClient } from '../../../src/ng/client.ts'
import { MediaCall } from '../../../src/session/call.ts'
import { findProgram, RtpEngine } from '../program.ts'

const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`

describe.skipIf(findProgram('rtpengine', 'rtpengine-daemon') === undefined)('a forked call', () => {
  let engine: RtpEngine
  let client: NgClient
  beforeAll(async () => {
    engine = await RtpEngine.start(44_000)
    client = new NgClient(engine.url)
  })
  afterAll(async () => {
    await client.close()
    await engine.stop()
  })

  /** Ports that are open, by party. */
  const ports = async (callId: string): Promise<Record<string, unknown>> => {
    const { tags } = await client.query({ 'call-id': callId })
    return Object.fromEntries(
      Object.entries(tags as Record<string, { medias: { streams: { 'local port'?: number }[] }[] }>).map(
        ([tag, { medias }]) => [tag, medias[0]?.streams[0]?.['local port']],
      ),
    )
  }
  const anyPort = expect.any(Number)

  it('keeps the branch that talks whatever becomes of the others, and leaves nothing behind', async () => {
    const call = new MediaCall(client, { callId: 'forked', callerTag: 'alice' })
    const [desk, mobile] = [call.branch('z9hG4bKdesk'), call.branch('z9hG4bKmobile')]
    for (const branch of [desk, mobile]) await branch.offer('alice', sdpOf(4000))
    await desk.answer('bob', sdpOf(4100))
    expect(Object.values(await ports('forked'))).toEqual([anyPort, anyPort, anyPort])
    await mobile.end()
    // One that was never offered, and the one that is over.
    for (const name of ['z9hG4bKsilent', 'z9hG4bKmobile']) await call.branch(name).end()
    const open = Object.entries(await ports('forked')).filter(([, port]) => port !== undefined)
    expect(open).toEqual([
      ['alice', anyPort],
      ['bob', anyPort],
    ])
    await desk.offer('bob', sdpOf(4200))
    await desk.restore()
    await desk.end()
    await expect(client.query({ 'call-id': 'forked' })).rejects.toMatchObject({ reason: 'Unknown call-id' })
  })

  it('whose branch is ended with the tag of its caller ends altogether when rtpengine does not know the branch', async () => {
    const call = { 'call-id': 'trap', 'from-tag': 'alice' }
    await client.offer({ ...call, 'via-branch': 'z9hG4bKdesk', sdp: sdpOf(4000) })
    await client.answer({ ...call, 'to-tag': 'bob', 'via-branch': 'z9hG4bKdesk', sdp: sdpOf(4100) })
    await client.delete({ ...call, 'via-branch': 'z9hG4bKsilent' })
    await expect(client.query(call)).rejects.toMatchObject({ reason: 'Unknown call-id' })
  })
})
