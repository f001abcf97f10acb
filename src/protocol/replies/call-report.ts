import { type Counters, counters, sumOf } from './counters.ts'
import { child, dictionary, moment, type NgReply, unsigned, whole } from './fields.ts'
import { type CallParty, callParties } from './party.ts'
import { type Quality, qualityOf, type SsrcReport, ssrcReports } from './ssrc.ts'

export type { Counters } from './counters.ts'
export type { NgReply } from './fields.ts'
export type { CallParty, MediaReport, NetworkEndpoint, StreamReport } from './party.ts'
export type { MosProgression, MosSample, Quality, SsrcReport } from './ssrc.ts'

/** All traffic of a call. */
export interface CallTotals {
  /** RTP of all parties that came in: `totals.RTP`, in older replies `totals.input.rtp`. */
  readonly rtp: Counters
  /** RTCP that came in: `totals.RTCP`, in older replies `totals.input.rtcp`. */
  readonly rtcp: Counters
  /** RTP sent to all parties: in older replies `totals.output.rtp`, else the sum of `stats_out`. Undefined if not counted. */
  readonly sentRtp: Counters | undefined
}

/** A `query` or `delete` reply. What the reply lacks, or has with the wrong type, is undefined or an empty list. */
export interface CallReport {
  readonly created: Date | undefined
  /** When a command about the call came last, to the second. */
  readonly lastSignal: Date | undefined
  readonly totals: CallTotals
  /** Whether it is being recorded or forwarded; undefined if neither was ever asked for. */
  readonly recording:
    | { readonly active: boolean | undefined; readonly forwarding: boolean | undefined }
    | undefined
  readonly parties: readonly CallParty[]
  readonly ssrcs: readonly SsrcReport[]
  /** Of all sources; undefined until an RTCP report has come. */
  readonly quality: Quality | undefined
}

/**
 * Reads the decoded reply of `query` or `delete`, of rtpengine and of the older media proxies that speak NG. Never throws:
 * integers may come as text, lists in place of dictionaries, keys may be missing.
 */
export function callReport(reply: NgReply): CallReport {
  const of = dictionary(reply) ?? {}
  const ssrcs = ssrcReports(of)
  const parties = callParties(of, ssrcs)
  return {
    created: moment(of, 'created', Math.floor((unsigned(of, 'created_us', 999_999) ?? 0) / 1000)),
    lastSignal: moment(of, 'last signal'),
    totals: callTotals(child(of, 'totals'), parties),
    recording: recording(child(of, 'recording')),
    parties,
    ssrcs,
    quality: qualityOf(ssrcs),
  }
}

function callTotals(of: NgReply | undefined, parties: readonly CallParty[]): CallTotals {
  const input = child(of, 'input')
  const sent = child(child(of, 'output'), 'rtp')
  return {
    rtp: counters(child(of, 'RTP') ?? child(input, 'rtp')),
    rtcp: counters(child(of, 'RTCP') ?? child(input, 'rtcp')),
    sentRtp: sent === undefined ? sumOf(parties.map((party) => party.sent)) : counters(sent),
  }
}

function recording(of: NgReply | undefined): CallReport['recording'] {
  if (of === undefined) return undefined
  return { active: truth(whole(of, 'call recording')), forwarding: truth(whole(of, 'forwarding')) }
}

function truth(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0
}
