import { exact, integer, type NgReply } from './fields.ts'

/** Packets of one direction. A counter the reply lacks is undefined; one beyond 2^53 is a bigint. */
export interface Counters {
  readonly packets: number | bigint | undefined
  /** Bytes of UDP payload: RTP or RTCP with its headers. */
  readonly bytes: number | bigint | undefined
  /** Packets that could not be sent on. */
  readonly errors: number | bigint | undefined
}

const NONE: Counters = { packets: undefined, bytes: undefined, errors: undefined }

export function counters(of: NgReply | undefined): Counters {
  return { packets: integer(of, 'packets'), bytes: integer(of, 'bytes'), errors: integer(of, 'errors') }
}

/** The exact sum; a counter that only some have is the sum of those. */
export function sum(all: readonly Counters[]): Counters {
  return all.reduce(
    (a, b) => ({
      packets: plus(a.packets, b.packets),
      bytes: plus(a.bytes, b.bytes),
      errors: plus(a.errors, b.errors),
    }),
    NONE,
  )
}

/** The sum of what there is, or undefined if there is nothing. */
export function sumOf(all: readonly (Counters | undefined)[]): Counters | undefined {
  const present = all.filter((one) => one !== undefined)
  return present.length === 0 ? undefined : sum(present)
}

function plus(a: number | bigint | undefined, b: number | bigint | undefined): number | bigint | undefined {
  return a === undefined || b === undefined ? (a ?? b) : exact(BigInt(a) + BigInt(b))
}
