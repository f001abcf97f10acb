import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NgClient } from '../../../src/ng/index.ts'
import { FakeRtpEngine } from '../../../src/testing/index.ts'
import { sdpOf } from '../../relay/client.ts'
import { findProgram, RtpEngine } from '../program.ts'

const sdp = sdpOf('127.0.0.1', 'm=audio 5004 RTP/AVP 0')

/** Whether the call is over and whether there was a warning, after an offer by `a` on branch 1, and an answer by `b` or none. */
async function outcome(ng: NgClient, isAnswered: boolean, keys: Record<string, unknown>): Promise<string> {
  const callId = JSON.stringify([isAnswered, keys])
  const call = { 'call-id': callId, 'from-tag': 'a', 'via-branch': '1', sdp }
  await ng.request('offer', call)
  if (isAnswered) await ng.request('answer', { ...call, 'to-tag': 'b' })
  const { warning } = await ng.request('delete', {
    'call-id': callId,
    'delete-delay': 0,
    ...keys,
  } as never)
  const { calls = [] } = await ng.request('list', { limit: 1000 })
  return `${(calls as unknown[]).map(String).includes(callId) ? 'lives' : 'over'}${warning === undefined ? '' : ', warned'}`
}

const tags = ['a', 'b', 'z', '', undefined]
const keys = tags.flatMap((from) =>
  tags.flatMap((to) =>
    ['1', '2', undefined].flatMap((branch) =>
      [undefined, ['to-tag']].map((flags) => ({
        ...(from !== undefined && { 'from-tag': from }),
        ...(to !== undefined && { 'to-tag': to }),
        ...(branch !== undefined && { 'via-branch': branch }),
        ...(flags !== undefined && { flags }),
      })),
    ),
  ),
)

describe.skipIf(!findProgram('rtpengine', 'rtpengine-daemon'))('what a delete ends', () => {
  const fake = new FakeRtpEngine()
  let engine: RtpEngine
  beforeAll(async () => {
    engine = await RtpEngine.start(20_000)
    await fake.start()
  })
  afterAll(async () => {
    await engine.stop()
    await fake.close()
  })

  it.each([
    ['offered', false],
    ['answered', true],
  ])(
    'is the same for rtpengine and for the embedded relay, whatever the tags and branches: %s',
    async (_, isAnswered) => {
      const [real, relay] = [new NgClient(engine.url), new NgClient(fake.urls[0]!)]
      for (const key of keys)
        expect
          .soft(await outcome(relay, isAnswered, key), JSON.stringify(key))
          .toBe(await outcome(real, isAnswered, key))
      await real.close()
      await relay.close()
    },
  )
})
