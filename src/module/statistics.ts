import type { BencodeValue } from '../core/bencode.ts'

/** Packets of one direction; a counter the reply lacks is undefined. */
export interface TrafficCounters {
  readonly bytes: number | bigint | undefined
  readonly packets: number | bigint | undefined
  readonly errors: number | bigint | undefined
}

/** The RTP totals of a call, out of a `query` reply. */
export interface CallStatistics {
  /** What the media proxy received. */
  readonly input: TrafficCounters
  /** What it sent; all undefined where the media proxy counts only what it receives (rtpengine before 11). */
  readonly output: TrafficCounters
}

/** A decoded `query` reply, its strings as text. */
export type QueryReply = { readonly [key: string]: BencodeValue<string> }

const NO_COUNTERS: TrafficCounters = { bytes: undefined, packets: undefined, errors: undefined }

function dictionary(value: BencodeValue<string> | undefined): QueryReply | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as QueryReply)
    : undefined
}

function counter(value: BencodeValue<string> | undefined): number | bigint | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}

function counters(value: QueryReply): TrafficCounters {
  return { bytes: counter(value.bytes), packets: counter(value.packets), errors: counter(value.errors) }
}

/**
 * The totals of a call: `totals.input.rtp` and `totals.output.rtp`, as the media proxies of the module's time sent them,
 * else `totals.RTP` with the streams' `stats_out`, as rtpengine does now. Undefined if the reply has neither.
 */
export function callStatistics(reply: QueryReply): CallStatistics | undefined {
  const totals = dictionary(reply.totals)
  const input = dictionary(dictionary(totals?.input)?.rtp)
  const output = dictionary(dictionary(totals?.output)?.rtp)
  if (input !== undefined && output !== undefined) return { input: counters(input), output: counters(output) }
  const rtp = dictionary(totals?.RTP)
  return rtp === undefined ? undefined : { input: counters(rtp), output: sentCounters(reply) }
}

/** Adds up what every RTP stream of every party has sent. */
function sentCounters(reply: QueryReply): TrafficCounters {
  let sum: TrafficCounters = NO_COUNTERS
  for (const tag of Object.values(dictionary(reply.tags) ?? {})) {
    for (const media of list(dictionary(tag)?.medias)) {
      for (const stream of list(dictionary(media)?.streams).map(dictionary)) {
        const sent = dictionary(stream?.stats_out)
        if (sent !== undefined && !list(stream?.flags).includes('RTCP')) sum = add(sum, counters(sent))
      }
    }
  }
  return sum
}

function list(value: BencodeValue<string> | undefined): readonly BencodeValue<string>[] {
  return Array.isArray(value) ? value : []
}

function add(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  const plus = (
    x: number | bigint | undefined,
    y: number | bigint | undefined,
  ): number | bigint | undefined => {
    if (x === undefined || y === undefined) return x ?? y
    const sum = BigInt(x) + BigInt(y)
    return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : sum
  }
  return {
    bytes: plus(a.bytes, b.bytes),
    packets: plus(a.packets, b.packets),
    errors: plus(a.errors, b.errors),
  }
}

/** The text of `$rtpstat`; a missing counter prints as -1, as in the module. */
export function statisticsText({ input, output }: CallStatistics): string {
  const side = ({ bytes = -1, packets = -1, errors = -1 }: TrafficCounters) =>
    `${bytes} bytes, ${packets} packets, ${errors} errors`
  return `Input: ${side(input)}; Output: ${side(output)}`
}
