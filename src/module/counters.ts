import type { SharedCallsCounters } from '../nodes/affinity/shared.ts'
import type { Pool } from '../nodes/pool.ts'

/** What the client holds and has counted, at one moment. */
export interface Counters {
  /** Commands under way, those that wait for a media proxy to be found included. */
  readonly commands: number
  /** Requests that wait for a reply, pings included. */
  readonly openRequests: number
  /** Commands refused with `ERR_RTPPROXY_OVERLOAD`. */
  readonly overloads: number
  /** Calls (of forked ones each branch) remembered by the option `affinity`. */
  readonly calls: number
  /** INVITE transactions remembered by `manage`. */
  readonly transactions: number
  /** Calls whose last offer and answer are kept by the option `keepDialogs`. */
  readonly dialogs: number
  /** Deletes that wait for their media proxy to come back, and those given up. */
  readonly rememberedDeletes: number
  readonly droppedDeletes: number
  /** Tokens that were refused: forged or of another call, too old, of no media proxy here. Undefined without `tokenKey`. */
  readonly tokens: { readonly forged: number; readonly stale: number; readonly unknown: number } | undefined
  /** Undefined without `store`. */
  readonly store: Readonly<SharedCallsCounters> | undefined
}

export function countersOf(
  { load, open, pins, deletes }: Pool,
  transactions: { readonly size: number },
  dialogs: { readonly size: number } | undefined,
): Counters {
  const { tokens, shared } = pins
  return {
    commands: load.open,
    openRequests: open,
    overloads: load.refused,
    calls: pins.memory?.size ?? 0,
    transactions: transactions.size,
    dialogs: dialogs?.size ?? 0,
    rememberedDeletes: deletes.size,
    droppedDeletes: deletes.dropped,
    tokens: tokens === undefined ? undefined : { ...tokens.refused },
    store: shared === undefined ? undefined : { ...shared.counters },
  }
}
