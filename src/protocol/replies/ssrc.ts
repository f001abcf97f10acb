import {
  child,
  children,
  decimal,
  entries,
  integer,
  moment,
  type NgReply,
  unsigned,
  whole,
} from './fields.ts'

/**
 * Quality at one moment, or on average. rtpengine estimates it by the E-model (ITU-T G.107) from the RTCP receiver reports of
 * the party that hears the stream (RFC 3550, section 6.4.2): without them there is none.
 */
export interface MosSample {
  /** Mean opinion score (ITU-T P.800), 1.0 to about 4.4. On the wire: times ten, `MOS`. */
  readonly mos: number | undefined
  /** Per cent of the packets that were lost, `packet loss`. */
  readonly packetLoss: number | undefined
  /** Interarrival jitter in milliseconds, `jitter`. */
  readonly jitterMs: number | undefined
  /** Between both parties in milliseconds. On the wire: microseconds, `round-trip time`. */
  readonly roundTripMs: number | undefined
  /** Between rtpengine and the party in milliseconds. On the wire: microseconds, `round-trip time leg`. */
  readonly roundTripLegMs: number | undefined
  /** When it was reported, to the second, `reported at`. An average has none. */
  readonly reportedAt: Date | undefined
  /** How many reports an average is made of, `samples`. */
  readonly samples: number | undefined
}

export interface Quality {
  readonly average: MosSample | undefined
  readonly lowest: MosSample | undefined
  readonly highest: MosSample | undefined
}

/** How the MOS went over the call, `MOS progression`. */
export interface MosProgression {
  /** Seconds between two entries; rtpengine doubles it as the call grows. */
  readonly intervalSeconds: number | undefined
  readonly entries: readonly MosSample[]
}

/** One synchronisation source (RFC 3550, section 3): what a party sent as one stream. */
export interface SsrcReport extends Quality {
  readonly ssrc: number
  readonly packets: number | bigint | undefined
  readonly bytes: number | bigint | undefined
  readonly lastSequence: number | undefined
  readonly lastTimestamp: number | undefined
  /** Packets lost by the receiver's count, `cumulative loss`; negative when it got some twice. */
  readonly cumulativeLoss: number | undefined
  readonly progression: MosProgression | undefined
}

const UINT32 = 0xffffffff

export function ssrcOf(of: NgReply | undefined): number | undefined {
  return unsigned(of, 'SSRC', UINT32)
}

/** The sources of `reply.SSRC`: a dictionary by SSRC, or a list. */
export function ssrcReports(reply: NgReply): SsrcReport[] {
  return entries(reply, 'SSRC').flatMap(([key, of]) => {
    const ssrc = key === undefined ? ssrcOf(of) : (unsigned({ key }, 'key', UINT32) ?? ssrcOf(of))
    return ssrc === undefined ? [] : [ssrcReport(ssrc, of)]
  })
}

function ssrcReport(ssrc: number, of: NgReply): SsrcReport {
  return {
    ssrc,
    packets: integer(of, 'packets'),
    bytes: integer(of, 'bytes'),
    average: sample(child(of, 'average MOS')),
    lowest: sample(child(of, 'lowest MOS')),
    highest: sample(child(of, 'highest MOS')),
    lastSequence: whole(of, 'last RTP seq'),
    lastTimestamp: unsigned(of, 'last RTP timestamp', UINT32),
    cumulativeLoss: whole(of, 'cumulative loss'),
    progression: progression(child(of, 'MOS progression')),
  }
}

function progression(of: NgReply | undefined): MosProgression | undefined {
  if (of === undefined) return undefined
  const samples = children(of, 'entries').map(sample)
  return {
    intervalSeconds: whole(of, 'interval'),
    entries: samples.filter((one) => one !== undefined),
  }
}

function sample(of: NgReply | undefined): MosSample | undefined {
  if (of === undefined) return undefined
  return {
    mos: divided(whole(of, 'MOS'), 10),
    packetLoss: decimal(of, 'packet loss'),
    jitterMs: decimal(of, 'jitter'),
    roundTripMs: divided(whole(of, 'round-trip time'), 1000),
    roundTripLegMs: divided(whole(of, 'round-trip time leg'), 1000),
    reportedAt: moment(of, 'reported at'),
    samples: whole(of, 'samples'),
  }
}

function divided(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by
}

/**
 * The quality of several sources: the mean of their averages, their lowest and their highest MOS. A MOS of zero is none.
 * Undefined if no source has any.
 */
export function qualityOf(sources: readonly SsrcReport[]): Quality | undefined {
  const rated = (samples: readonly (MosSample | undefined)[]) =>
    samples.filter((one): one is MosSample & { mos: number } => (one?.mos ?? 0) > 0)
  const extreme = (samples: readonly (MosSample & { mos: number })[], sign: 1 | -1) =>
    samples.reduce<(MosSample & { mos: number }) | undefined>(
      (best, one) => (best === undefined || sign * one.mos > sign * best.mos ? one : best),
      undefined,
    )
  const average = mean(rated(sources.map((one) => one.average)))
  const lowest = extreme(rated(sources.map((one) => one.lowest)), -1)
  const highest = extreme(rated(sources.map((one) => one.highest)), 1)
  return average === undefined && lowest === undefined && highest === undefined
    ? undefined
    : { average, lowest, highest }
}

function mean(samples: readonly MosSample[]): MosSample | undefined {
  if (samples.length === 0) return undefined
  const present = (key: 'mos' | 'packetLoss' | 'jitterMs' | 'roundTripMs' | 'roundTripLegMs' | 'samples') =>
    samples.map((one) => one[key]).filter((one) => one !== undefined)
  const total = (values: readonly number[]) =>
    values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0)
  const average = (key: Parameters<typeof present>[0]) => {
    const values = present(key)
    return divided(total(values), values.length)
  }
  return {
    mos: average('mos'),
    packetLoss: average('packetLoss'),
    jitterMs: average('jitterMs'),
    roundTripMs: average('roundTripMs'),
    roundTripLegMs: average('roundTripLegMs'),
    reportedAt: undefined,
    samples: total(present('samples')),
  }
}
