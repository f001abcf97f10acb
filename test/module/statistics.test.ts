import { describe, expect, it } from 'vitest'
import { decode } from '../../src/core/bencode.ts'
import { callStatistics, type QueryReply, statisticsText } from '../../src/module/statistics.ts'
import { bytes, rtpenginePairs } from '../vectors.ts'

const text = (reply: object) => {
  const statistics = callStatistics(reply as QueryReply)
  return statistics && statisticsText(statistics)
}

describe('the totals of a call', () => {
  it('come from totals.input and totals.output, a missing counter as -1', () => {
    const totals = {
      input: { rtp: { bytes: 17200, packets: 100 } },
      output: { rtp: { bytes: 1, packets: 2, errors: 2n ** 60n } },
    }
    expect(text({ totals })).toBe(
      'Input: 17200 bytes, 100 packets, -1 errors; Output: 1 bytes, 2 packets, 1152921504606846976 errors',
    )
  })

  it('come from totals.RTP and the streams of newer rtpengines', () => {
    const stream = (flags: string[], packets: number) => ({
      flags,
      stats_out: { bytes: packets * 10, packets, errors: 0 },
    })
    const tags = {
      a: { medias: [{ streams: [stream(['RTP'], 3), stream(['RTCP'], 99)] }] },
      b: { medias: [{ streams: [stream(['RTP'], 4)] }] },
    }
    expect(text({ totals: { RTP: { bytes: 70, packets: 7, errors: 1 } }, tags })).toBe(
      'Input: 70 bytes, 7 packets, 1 errors; Output: 70 bytes, 7 packets, 0 errors',
    )
  })

  it('are read from what a real rtpengine 10.5 answered, which does not count what it sends', () => {
    const { reply } = rtpenginePairs.find(({ name }) => name === 'query')!
    const dictionary = bytes(reply!).subarray(bytes(reply!).indexOf(' ') + 1)
    expect(text(decode(dictionary, 'utf8') as object)).toBe(
      'Input: 0 bytes, 0 packets, 0 errors; Output: -1 bytes, -1 packets, -1 errors',
    )
  })

  it('are nothing when the reply has none', () => {
    for (const reply of [
      {},
      { totals: 5 },
      { totals: { input: {} } },
      { totals: { input: { rtp: [] }, output: { rtp: {} } } },
    ]) {
      expect(text(reply)).toBeUndefined()
    }
  })
})
