import { isIPv6 } from 'node:net'
import type { BencodeInput } from '../core/bencode.ts'
import type { Call, Dialogue, Party, PartyMedia } from './call.ts'
import { bytesOf, type Reply } from './request.ts'
import { Counters, type Endpoint, type Stream } from './stream.ts'

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

/**
 * What `query` and `delete` reply, in rtpengine's shape, and in `totals` what the module's `$rtpstat` reads: `input` is
 * what came from all parties, `output` what went out to them.
 */
export function statisticsReply(call: Call, dialogues: readonly Dialogue[]): Reply {
  return {
    created: seconds(call.created),
    created_us: (call.created % 1000) * 1000,
    'last signal': seconds(call.lastSignal),
    SSRC: {},
    tags: tags(dialogues),
    totals: totals(call.medias),
    result: 'ok',
  }
}

function totals(medias: readonly PartyMedia[]): BencodeInput {
  const rtp = medias.map((media) => media.rtp)
  const rtcp = medias.map((media) => media.rtcp)
  const [received, receivedControl] = [rtp, rtcp].map((streams) =>
    sum(streams.map((stream) => stream.received)),
  )
  const [sent, sentControl] = [rtp, rtcp].map((streams) => sum(streams.map((stream) => stream.sent)))
  return {
    RTP: counters(received!),
    RTCP: counters(receivedControl!),
    input: { rtp: counters(received!), rtcp: counters(receivedControl!) },
    output: { rtp: counters(sent!), rtcp: counters(sentControl!) },
  }
}

function sum(all: readonly Counters[]): Counters {
  const total = new Counters()
  for (const { packets, bytes, errors } of all) {
    total.packets += packets
    total.bytes += bytes
    total.errors += errors
  }
  return total
}

function counters({ packets, bytes, errors }: Counters): BencodeInput {
  return { packets, bytes, errors }
}

/** Tags are the parties' own words, so a Map holds them and not an object. */
function tags(dialogues: readonly Dialogue[]): BencodeInput {
  const entries = new Map<Buffer, BencodeInput>()
  const medias = new Map<string, BencodeInput[]>()
  let untagged = 0
  for (const dialogue of dialogues) {
    for (const party of dialogue.parties) {
      const own = party.medias.flatMap((media, index) =>
        media === undefined ? [] : [mediaEntry(media, index, dialogue.other(party).medias[index])],
      )
      const known = party.tag === undefined ? undefined : medias.get(party.tag)
      if (known !== undefined) {
        // The offerer of a forked call has media with every branch.
        known.push(...own)
        continue
      }
      if (party.tag !== undefined) medias.set(party.tag, own)
      const key = party.tag ?? `<untagged ${++untagged}>`
      entries.set(bytesOf(key), partyEntry(party, dialogue.other(party), own))
    }
  }
  return entries
}

function partyEntry(party: Party, other: Party, medias: BencodeInput[]): BencodeInput {
  const subscription = [{ tag: bytesOf(other.tag ?? ''), type: 'offer/answer' }]
  return {
    tag: bytesOf(party.tag ?? ''),
    'via-branch': party.viaBranch === undefined ? undefined : bytesOf(party.viaBranch),
    label: party.label === undefined ? undefined : bytesOf(party.label),
    created: seconds(party.created),
    subscriptions: subscription,
    subscribers: subscription,
    medias,
  }
}

function mediaEntry(
  { rtp, rtcp, description: own, isAsymmetric }: PartyMedia,
  index: number,
  other: PartyMedia | undefined,
): BencodeInput {
  // Until a party has answered, the section is what its offer says.
  const description = own ?? other?.description
  const direction = own?.direction ?? 'sendrecv'
  return {
    index: index + 1,
    type: description?.media ?? '',
    protocol: description?.protocol ?? '',
    streams: [streamEntry(rtp, 'RTP'), streamEntry(rtcp, 'RTCP')],
    flags: [
      ...(own === undefined ? [] : ['initialized']),
      ...(isAsymmetric ? ['asymmetric'] : []),
      ...(direction === 'sendrecv' || direction === 'recvonly' ? ['send'] : []),
      ...(direction === 'sendrecv' || direction === 'sendonly' ? ['recv'] : []),
      ...(own?.rtcpMux === true ? ['rtcp-mux'] : []),
    ],
  }
}

function streamEntry(stream: Stream, kind: 'RTP' | 'RTCP'): BencodeInput {
  return {
    'local port': stream.local.port,
    'local address': stream.local.address,
    family: family(stream.local.address),
    endpoint: endpointEntry(stream.endpoint),
    'advertised endpoint': endpointEntry(stream.advertised),
    'last packet': seconds(stream.lastPacket),
    flags: [
      kind,
      ...(stream.endpoint === undefined ? [] : ['filled']),
      ...(stream.isConfirmed ? ['confirmed'] : []),
    ],
    stats: counters(stream.received),
    stats_out: counters(stream.sent),
  }
}

function endpointEntry(endpoint: Endpoint | undefined): BencodeInput {
  return endpoint === undefined ? {} : { family: family(endpoint.address), ...endpoint }
}

function family(address: string): string {
  return isIPv6(address) ? 'IPv6' : 'IPv4'
}
