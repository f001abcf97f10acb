import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { callReport, type NgReply } from '../../../src/protocol/replies/call-report.ts'
import { nodeReport } from '../../../src/protocol/replies/node-report.ts'
import { mosVariables, namedStatistic } from '../../../src/protocol/replies/quality.ts'
import { bytes, rtpenginePairs } from '../../vectors.ts'

const replyTo = (command: string): NgReply => {
  const pair = rtpenginePairs.find(({ request }) =>
    bytes(request).includes(`7:command${command.length}:${command}e`),
  )
  const query = rtpenginePairs.find(({ request }) =>
    bytes(request).includes(`7:command${command.length}:${command}7:`),
  )
  const reply = bytes((pair ?? query)!.reply!)
  return decode(reply.subarray(reply.indexOf(' ') + 1), 'utf8') as NgReply
}

const sample = (mos: number, at: number) => ({
  MOS: mos,
  'round-trip time': 2000 + mos,
  'round-trip time leg': 1000,
  jitter: 50 - mos,
  'packet loss': 3,
  'reported at': at,
})

const source = (average: number, lowest: number, highest: number): NgReply => ({
  packets: 5,
  bytes: 500,
  'average MOS': { ...sample(average, 0), samples: 4 },
  'lowest MOS': sample(lowest, 1065),
  'highest MOS': sample(highest, 1007),
})

const party = (label: string, ssrc: number): NgReply => ({
  tag: label,
  label,
  medias: [{ streams: [{ SSRC: ssrc, flags: ['RTP'], stats: { packets: 5, bytes: 500, errors: 0 } }] }],
})

const rated: NgReply = {
  created: 1000,
  SSRC: { 1: source(41, 30, 43), 2: source(38, 35, 44) },
  tags: { alice: party('alice', 1), bob: party('bob', 2) },
}

describe('the report of a call', () => {
  it('reads what rtpengine 10.5 sends', () => {
    const report = callReport(replyTo('query'))
    expect(report.created).toEqual(new Date(1795433475_329))
    expect(report.totals.rtp).toEqual({ packets: 0, bytes: 0, errors: 0 })
    expect(report.totals.sentRtp).toBeUndefined()
    expect(report.parties.map(({ tag, peers }) => [tag, peers])).toEqual([
      ['f1', ['t1']],
      ['t1', ['f1']],
    ])
    expect(report.parties[0]!.medias[0]!.streams[1]).toMatchObject({
      localAddress: '127.0.0.1',
      localPort: 30021,
      endpoint: { address: '127.0.0.1', port: 20001, family: 'IPv4' },
      isRtcp: true,
    })
  })

  it('reads the totals of older media proxies, in text as well', () => {
    const { totals } = callReport({
      totals: {
        input: { rtp: { bytes: '17200', packets: '100', errors: '1' }, rtcp: { packets: 2 } },
        output: { rtp: { bytes: 15480, packets: 90, errors: 0 } },
      },
    })
    expect(totals.rtp).toEqual({ bytes: 17200, packets: 100, errors: 1 })
    expect(totals.rtcp.packets).toBe(2)
    expect(totals.sentRtp).toEqual({ bytes: 15480, packets: 90, errors: 0 })
  })

  it('knows a party without a tag however it is written', () => {
    const report = callReport({
      tags: { '': { 'in dialogue with': 'a' }, '<untagged 1>': {}, a: { 'in dialogue with': '' } },
    })
    expect(report.parties.map(({ tag }) => tag)).toEqual([undefined, undefined, 'a'])
    expect(report.parties.map(({ peers }) => peers)).toEqual([['a'], [], []])
    const subscriptions = [{ tag: '<untagged 2>' }, { tag: 'b' }]
    expect(callReport({ tags: { a: { subscriptions } } }).parties[0]!.peers).toEqual(['b'])
  })

  it('counts all sources of a party that changed its source', () => {
    const { parties } = callReport({
      SSRC: { 1: source(41, 30, 43), 2: source(31, 20, 35) },
      tags: {
        a: { medias: [{ 'ingress SSRCs': [{ SSRC: 1 }, { SSRC: 2 }], streams: [{ flags: ['RTP'] }] }] },
      },
    })
    const [party] = parties
    expect(party!.medias[0]).toMatchObject({ ssrcs: [1, 2], streams: [{ ssrc: 1 }] })
    expect([party!.quality!.lowest!.mos, party!.quality!.highest!.mos]).toEqual([2, 4.3])
    expect(party!.quality!.average!.mos).toBeCloseTo(3.6)
  })

  it('reads lists in place of dictionaries', () => {
    const report = callReport({ tags: [{ tag: 'a' }, 7], SSRC: [{ SSRC: 9, packets: 1 }, { packets: 1 }] })
    expect(report.parties.map(({ tag }) => tag)).toEqual(['a'])
    expect(report.ssrcs.map(({ ssrc }) => ssrc)).toEqual([9])
  })

  it('adds counters beyond 2^53 up exactly', () => {
    const streams = [2n ** 62n + 1n, 2n ** 62n + 2n, 5].map((count) => ({
      flags: ['RTP'],
      stats: { bytes: count, packets: 1 },
      stats_out: { bytes: 1 },
    }))
    const report = callReport({ tags: { a: { medias: [{ streams }] } } })
    expect(report.parties[0]!.received).toEqual({ bytes: 2n ** 63n + 8n, packets: 3, errors: undefined })
    expect(report.totals.sentRtp!.bytes).toBe(3)
  })

  it('makes a field of the wrong type undefined', () => {
    const report = callReport({
      created: 'soon',
      totals: [1],
      recording: 4,
      tags: {
        a: { label: 4, medias: [{ index: {}, streams: [{ 'local port': 70000, flags: [1, 'RTP'] }] }] },
      },
      SSRC: { '-1': {}, 4294967296: {}, x: {} },
    })
    expect(report).toMatchObject({ created: undefined, recording: undefined, ssrcs: [], quality: undefined })
    expect(report.parties[0]!.label).toBeUndefined()
    expect(report.parties[0]!.medias[0]!.index).toBeUndefined()
    expect(report.parties[0]!.medias[0]!.streams[0]).toMatchObject({ localPort: undefined, flags: ['RTP'] })
  })

  it('never throws, and leaves no trace in prototypes', () => {
    const names = [
      'tags',
      'SSRC',
      'totals',
      'RTP',
      'medias',
      'streams',
      'average MOS',
      'MOS',
      '__proto__',
      'label',
    ]
    const key = fc.oneof(fc.constantFrom(...names, 'created', 'statistics', 'interfaces'), fc.string())
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.string(),
        fc.double(),
        fc.maxSafeInteger(),
        fc.bigInt(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(key, tie('value')),
      ),
    }))
    fc.assert(
      fc.property(value, (reply) => {
        const report = callReport(reply as NgReply)
        mosVariables(report, { A: 'a', B: '__proto__' })
        namedStatistic(report, 'MOS-min-at', '__proto__')
        nodeReport(reply as NgReply)
      }),
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('reads thousands of parties and sources in one pass', () => {
    const many = Array.from({ length: 5000 }, (_, i) => i)
    const report = callReport({
      tags: Object.fromEntries(many.map((i) => [`t${i}`, party(`t${i}`, i)])),
      SSRC: Object.fromEntries(many.map((i) => [i, source(40, 40, 40)])),
    })
    expect(report.parties.every(({ quality }) => quality?.average?.mos === 4)).toBe(true)
  })
})

describe('the quality of a call', () => {
  it('is in units of people', () => {
    const { quality, ssrcs } = callReport(rated)
    expect(ssrcs[0]!.lowest).toEqual({
      mos: 3,
      packetLoss: 3,
      jitterMs: 20,
      roundTripMs: 2.03,
      roundTripLegMs: 1,
      reportedAt: new Date(1_065_000),
      samples: undefined,
    })
    expect(quality!.average!.mos).toBeCloseTo(3.95)
    expect([quality!.lowest!.mos, quality!.highest!.mos, quality!.average!.samples]).toEqual([3, 4.4, 8])
  })

  it('gives the variables of Kamailio', () => {
    const variables = mosVariables(callReport(rated), { A: 'alice', B: 'nobody' })
    expect(variables).toMatchObject({
      mos_min: '3.0',
      mos_min_at: '1:05',
      mos_min_jitter: '20',
      mos_max: '4.4',
      mos_max_at: '0:07',
      mos_max_roundtrip: '2044',
      mos_average: '3.9',
      mos_average_jitter: '10',
      mos_average_samples: '4',
      mos_average_roundtrip_leg: '1000',
      mos_min_A: '3.0',
      mos_min_at_A: '1:05',
      mos_average_roundtrip_leg_A: expect.any(String),
      mos_max_A: '4.3',
      mos_average_A: '4.1',
    })
    expect(Object.keys(variables)).toHaveLength(36)
    expect(mosVariables(callReport({ SSRC: { 1: { 'highest MOS': { MOS: 40 } } } })).mos_max_jitter).toBe(
      '-1',
    )
    expect(mosVariables(callReport({}))).toEqual({})
  })

  it.each([
    ['MOS-average', undefined, '39'],
    ['mos-min', undefined, '30'],
    ['MOS-max', 'alice', '43'],
    ['MOS-min-at', undefined, '65'],
    ['MOS-max-at', undefined, '7'],
    ['jitter-min', undefined, '15'],
    ['jitter-max', 'bob', '6'],
    ['roundtrip-average', 'bob', '2038'],
    ['packetloss-max', undefined, '3'],
    ['MOS-average', 'nobody', undefined],
    ['MOS', undefined, undefined],
    ['samples-average', undefined, undefined],
  ])('gives the statistic %s of OpenSIPS for tag %s', (name, tag, value) => {
    expect(namedStatistic(callReport(rated), name, tag)).toBe(value)
  })
})

describe('the report of a node', () => {
  it('reads what rtpengine 10.5 sends, numbers in text as well', () => {
    const node = nodeReport(replyTo('statistics'))
    expect(node.totals).toMatchObject({ uptimeSeconds: 1, averageCallSeconds: 0, ended: { regular: 0 } })
    expect(node.control.clients[0]!.commands.get('query')).toEqual({ count: 1, seconds: 0.000071 })
    expect(node.control.counts.get('unsilence media')).toBe(0)
    expect(node.interval.commands.get('start recording')).toEqual({
      delaySeconds: { min: 0, max: 0, average: 0 },
      requestRate: { min: 0, max: 0, average: 0 },
    })
    expect(node.interfaces).toEqual([
      {
        name: 'default',
        address: '127.0.0.1',
        ports: { min: 30000, max: 39000, used: 4, free: 8997, total: 9001, last: 30022, usedPercent: 0.04 },
      },
    ])
  })

  it('is empty for a reply that is none', () => {
    expect(nodeReport({ statistics: 'x' })).toMatchObject({ interfaces: [], control: { clients: [] } })
  })
})
