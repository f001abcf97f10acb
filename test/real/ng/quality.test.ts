import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NgClient } from '../../../src/ng/client.ts'
import { type CallReport, callReport } from '../../../src/protocol/replies/call-report.ts'
import { nodeReport } from '../../../src/protocol/replies/node-report.ts'
import { mosVariables, namedStatistic } from '../../../src/protocol/replies/quality.ts'
import { findProgram, RtpEngine } from '../program.ts'
import { Phone } from './phone.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('the report of a call through a real rtpengine', () => {
  const call = { 'call-id': 'quality', 'from-tag': 'a' }
  let engine: RtpEngine
  let client: NgClient
  let alice: Phone
  let bob: Phone
  let began: number
  let rounds = 0
  let report: CallReport

  beforeAll(async () => {
    engine = await RtpEngine.start(20000)
    client = new NgClient(engine.url)
    alice = await Phone.open(0xf0000001)
    bob = await Phone.open(0x1002)
    began = Math.floor(Date.now() / 1000)
    const offer = await client.offer({ ...call, sdp: alice.sdp, label: 'caller' })
    bob.connect(offer.sdp)
    const answer = await client.answer({ ...call, 'to-tag': 'b', sdp: bob.sdp, label: 'callee' })
    alice.connect(answer.sdp)
    for (let i = 0; i < 10; i++) await alice.talk(bob)
    for (let i = 0; i < 7; i++) await bob.talk(alice)
    // rtpengine rates a source once it knows the round trips to both sides, and at most once in a while.
    do {
      await alice.report(bob, 1000 + rounds)
      await bob.report(alice, 2000 + rounds)
      rounds++
      report = callReport(await client.query({ 'call-id': 'quality' }))
    } while (report.ssrcs.length < 2)
  }, 20_000)

  afterAll(async () => {
    alice.close()
    bob.close()
    await client.close()
    await engine.stop()
  })

  it('counts packets and bytes of each party exactly as sent', () => {
    expect(alice.sent).toEqual({ packets: 10, bytes: 1720 })
    const [a, b] = ['a', 'b'].map((tag) => report.parties.find((party) => party.tag === tag))
    expect(a).toMatchObject({ label: 'caller', peers: ['b'], received: { ...alice.sent, errors: 0 } })
    expect(b).toMatchObject({ label: 'callee', peers: ['a'], received: { ...bob.sent, errors: 0 } })
    expect(report.totals.rtp).toEqual({ packets: 17, bytes: 17 * 172, errors: 0 })
    expect(report.totals.rtcp).toEqual({ packets: 2 * rounds, bytes: 2 * rounds * 52, errors: 0 })
  })

  it('tells which source each party sent', () => {
    expect(new Set(report.ssrcs.map((one) => one.ssrc))).toEqual(new Set([alice.ssrc, bob.ssrc]))
    for (const source of report.ssrcs)
      expect(source).toMatchObject({ cumulativeLoss: 0, average: { packetLoss: 0 } })
    const streams = report.parties.flatMap((party) => party.medias.flatMap((media) => media.streams))
    expect(streams.filter((one) => !one.isRtcp).map((one) => one.ssrc)).toEqual([alice.ssrc, bob.ssrc])
    expect(streams.map((one) => one.isRtcp)).toEqual([false, true, false, true])
  })

  it('tells the quality that follows from the reports', () => {
    const { average, lowest, highest } = report.quality!
    for (const sample of [average!, lowest!, highest!]) {
      expect(sample.mos).toBeGreaterThan(4)
      expect(sample.mos).toBeLessThan(4.6)
      expect(sample).toMatchObject({ packetLoss: 0, jitterMs: 0 })
      expect(sample.roundTripMs).toBeLessThan(1000)
    }
    expect(lowest!.reportedAt!.getTime() / 1000).toBeGreaterThanOrEqual(began)
    expect(report.created!.getTime() / 1000).toBeGreaterThanOrEqual(began)
  })

  it('gives the variables of Kamailio and the statistics of OpenSIPS', () => {
    const variables = mosVariables(report, { A: 'caller', B: 'callee' })
    expect(variables.mos_average).toMatch(/^4\.\d$/)
    expect(variables.mos_min_at).toMatch(/^0:\d\d$/)
    expect(variables.mos_average_packetloss).toBe('0')
    expect(Object.keys(variables)).toHaveLength(54)
    expect(namedStatistic(report, 'MOS-average')).toMatch(/^4\d$/)
    expect(namedStatistic(report, 'mos-max-at', 'b')).toMatch(/^\d+$/)
  })

  it('counts the commands of the node', async () => {
    const reply = await client.statistics()
    const node = nodeReport(reply)
    expect(node.current.sessions).toEqual({ own: 1, foreign: 0, total: 1 })
    expect(node.control.counts.get('offer')).toBe(1)
    expect(node.control.clients[0]).toMatchObject({ address: '127.0.0.1', errors: 0 })
    expect(node.control.clients[0]!.commands.get('answer')).toMatchObject({ count: 1 })
    expect(node.interfaces[0]).toMatchObject({ address: '127.0.0.1', ports: { min: 20000, used: 4 } })
    expect(node.totals.uptimeSeconds).toBeTypeOf('number')
    expect(node.interval.commands.get('offer')!.delaySeconds.min).toBeTypeOf('number')
  })
})
