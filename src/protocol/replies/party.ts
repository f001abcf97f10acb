import { type Counters, counters, sum, sumOf } from './counters.ts'
import { child, children, entries, moment, type NgReply, text, texts, unsigned, whole } from './fields.ts'
import { type Quality, qualityOf, type SsrcReport, ssrcOf } from './ssrc.ts'

export interface NetworkEndpoint {
  readonly address: string | undefined
  readonly port: number | undefined
  /** `IPv4` or `IPv6`. */
  readonly family: string | undefined
}

/** One port pair half of one party: rtpengine's own port and where the party is. */
export interface StreamReport {
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  /** `IPv4` or `IPv6`. */
  readonly family: string | undefined
  /** Where the party sends from, once packets told; until then what its SDP said. */
  readonly endpoint: NetworkEndpoint | undefined
  /** What the party's SDP said. */
  readonly advertisedEndpoint: NetworkEndpoint | undefined
  readonly cryptoSuite: string | undefined
  /** When a packet came last, to the second. Before the first packet rtpengine tells when the stream was made. */
  readonly lastPacket: Date | undefined
  /** What the party sends: the first SSRC named. */
  readonly ssrc: number | undefined
  readonly flags: readonly string[]
  /** What the party sent, `stats`. */
  readonly received: Counters
  /** What was sent to the party, `stats_out`; rtpengine before 11 does not count it. */
  readonly sent: Counters | undefined
  /** Whether it carries RTCP alone; with rtcp-mux (RFC 5761) the RTP stream carries both. */
  readonly isRtcp: boolean
}

export interface MediaReport {
  /** Which `m=` line it is, from 1. */
  readonly index: number | undefined
  /** `audio`, `video` ... */
  readonly type: string | undefined
  /** As in the `m=` line: `RTP/AVP`, `RTP/SAVPF` ... */
  readonly protocol: string | undefined
  readonly codec: string | undefined
  readonly flags: readonly string[]
  readonly streams: readonly StreamReport[]
  /** All that the party has sent in this medium, one after the other: `ingress SSRCs`; older media proxies name one for each stream. */
  readonly ssrcs: readonly number[]
}

/** One party of a call: a dialog tag, as rtpengine sees it. */
export interface CallParty {
  /** Undefined for a party that has not yet answered: older media proxies send the empty text, rtpengine `<untagged N>`. */
  readonly tag: string | undefined
  readonly label: string | undefined
  readonly viaBranch: string | undefined
  readonly aliases: readonly string[]
  readonly created: Date | undefined
  /** The tags of those it talks with, so far as they have one: `subscriptions`, in older replies `in dialogue with`. */
  readonly peers: readonly string[]
  readonly medias: readonly MediaReport[]
  /** All RTP it sent. */
  readonly received: Counters
  /** All RTP sent to it; undefined where the media proxy does not count that. */
  readonly sent: Counters | undefined
  /** Of what it sent, as those who hear it report. */
  readonly quality: Quality | undefined
}

const UNTAGGED = /^(<untagged [^>]*>)?$/

export function callParties(reply: NgReply, sources: readonly SsrcReport[]): CallParty[] {
  const bySsrc = new Map(sources.map((source) => [source.ssrc, source]))
  return entries(reply, 'tags').map(([key, of]) => callParty(text(of, 'tag') ?? key ?? '', of, bySsrc))
}

function callParty(tag: string, of: NgReply, sources: ReadonlyMap<number, SsrcReport>): CallParty {
  const medias = children(of, 'medias').map(mediaReport)
  const rtp = medias.flatMap((media) => media.streams.filter((stream) => !stream.isRtcp))
  const ssrcs = new Set([...rtp.map((stream) => stream.ssrc), ...medias.flatMap((media) => media.ssrcs)])
  const dialogue = text(of, 'in dialogue with')
  const peers =
    dialogue === undefined
      ? children(of, 'subscriptions').flatMap((one) => text(one, 'tag') ?? [])
      : [dialogue]
  return {
    tag: UNTAGGED.test(tag) ? undefined : tag,
    label: text(of, 'label'),
    viaBranch: text(of, 'via-branch'),
    aliases: texts(of, 'tag-aliases'),
    created: moment(of, 'created'),
    peers: peers.filter((peer) => !UNTAGGED.test(peer)),
    medias,
    received: sum(rtp.map((stream) => stream.received)),
    sent: sumOf(rtp.map((stream) => stream.sent)),
    quality: qualityOf([...ssrcs].flatMap((ssrc) => (ssrc === undefined ? [] : (sources.get(ssrc) ?? [])))),
  }
}

function mediaReport(of: NgReply): MediaReport {
  // The sources may be named beside the streams; then they are those of the first.
  const ssrcs = children(of, 'ingress SSRCs').flatMap((one) => ssrcOf(one) ?? [])
  return {
    index: whole(of, 'index'),
    type: text(of, 'type'),
    protocol: text(of, 'protocol'),
    codec: text(of, 'codec'),
    flags: texts(of, 'flags'),
    streams: children(of, 'streams').map((stream, i) => streamReport(stream, i === 0 ? ssrcs[0] : undefined)),
    ssrcs,
  }
}

function streamReport(of: NgReply, ssrc: number | undefined): StreamReport {
  const flags = texts(of, 'flags')
  const sent = child(of, 'stats_out')
  return {
    localAddress: text(of, 'local address'),
    localPort: port(of, 'local port'),
    family: text(of, 'family'),
    endpoint: endpoint(child(of, 'endpoint')),
    advertisedEndpoint: endpoint(child(of, 'advertised endpoint')),
    cryptoSuite: text(of, 'crypto suite'),
    lastPacket: moment(of, 'last packet'),
    ssrc: ssrcOf(of) ?? ssrcOf(children(of, 'ingress SSRCs')[0]) ?? ssrc,
    flags,
    received: counters(child(of, 'stats')),
    sent: sent === undefined ? undefined : counters(sent),
    isRtcp: flags.includes('RTCP') && !flags.includes('RTP'),
  }
}

function endpoint(of: NgReply | undefined): NetworkEndpoint | undefined {
  if (of === undefined) return undefined
  return { address: text(of, 'address'), port: port(of, 'port'), family: text(of, 'family') }
}

function port(of: NgReply, key: string): number | undefined {
  return unsigned(of, key, 65535)
}
