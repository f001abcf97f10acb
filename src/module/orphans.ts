import { NgError, optionError, RtpProxyNgError } from '../errors.ts'
import type { CallKey } from '../nodes/affinity/calls.ts'
import type { Node } from '../nodes/node.ts'
import type { Pool } from '../nodes/pool.ts'
import type { NgParameters } from '../protocol/vocabulary/types.ts'
import type { CallOptions } from './calls.ts'
import type { QueryReply } from './statistics.ts'

export interface OrphanOptions {
  /** URL of the media proxy to look at. Default: all of them. */
  readonly node?: string | undefined
  /**
   * Calls younger than that are left alone: they may be on their way here. So are those whose age the media proxy does not tell. In
   * milliseconds, 0 or more. Default 60000.
   */
  readonly olderThanMs?: number | undefined
  /** Ends what it finds. Default false. */
  readonly delete?: boolean | undefined
  /**
   * How many calls of a media proxy to look at. Default 1000 where its replies must fit into a datagram, else 100000. A reply that does
   * not fit never comes. A whole number from 1.
   */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A call on a media proxy that nobody here knows. */
export interface Orphan {
  readonly node: string
  readonly callId: string
  /** Since it was set up there, by the clocks of both hosts. */
  readonly ageMs: number
  readonly deleted: boolean
}

export interface OrphanReport {
  readonly orphans: readonly Orphan[]
  /** What is remembered here, but its media proxy does not have: it was restarted, or has given the call up. */
  readonly missing: readonly (CallKey & { readonly node: string })[]
  /** How many calls the media proxies have in all. */
  readonly calls: number
  /** Whether every call of every media proxy was looked at, and the shared store told of each that is not known here. */
  readonly complete: boolean
  /** Media proxies that did not answer. */
  readonly failed: readonly { readonly node: string; readonly error: RtpProxyNgError }[]
}

type Request = (command: string, parameters: NgParameters, options: CallOptions) => Promise<QueryReply>

export interface OrphanContext {
  readonly pool: Pool
  readonly request: Request
}

/** The options, checked. `limit` undefined: as many as the way to the media proxy carries. */
interface Search extends Pick<OrphanOptions, 'limit' | 'signal'> {
  readonly olderThanMs: number
  readonly delete: boolean
}

const OLDER_THAN_MS = 60_000
const DATAGRAM_LIMIT = 1000
const STREAM_LIMIT = 100_000
/** How many calls of one media proxy are looked into at a time. */
const AT_ONCE = 16

/**
 * Compares what media proxies have with what the memory of calls, and the shared store, know. What cannot be known for certain is
 * left alone: a call of which the shared store does not tell, or whose age the media proxy does not tell.
 *
 * @throws ConfigurationError without a memory of calls, when none is called so, or when an option is wrong.
 */
export async function findOrphans(context: OrphanContext, options: OrphanOptions): Promise<OrphanReport> {
  const { pool } = context
  if (pool.pins.memory === undefined) throw optionError('affinity', 'orphans needs the option affinity')
  const search = checked(options)
  const nodes = pool.nodesNamed(options.node)
  if (options.node !== undefined && nodes.length === 0)
    throw optionError('node', `no media proxy is called ${options.node}`)
  const parts = await Promise.all(nodes.map((node) => partOf(node, context, search)))
  return {
    orphans: parts.flatMap(({ orphans }) => orphans),
    missing: parts.flatMap(({ missing }) => missing),
    calls: parts.reduce((sum, { calls }) => sum + calls, 0),
    complete: parts.every(({ complete }) => complete),
    failed: parts.flatMap(({ failed }) => failed),
  }
}

/** What is wrong here would end calls that go on. */
function checked(options: OrphanOptions): Search {
  if (typeof options !== 'object' || options === null)
    throw optionError('options', 'the options of orphans must be an object')
  const { olderThanMs = OLDER_THAN_MS, delete: deletes = false, limit, signal } = options
  if (typeof olderThanMs !== 'number' || !(olderThanMs >= 0))
    throw optionError('olderThanMs', `olderThanMs must be a number from 0, not ${String(olderThanMs)}`)
  if (typeof deletes !== 'boolean')
    throw optionError('delete', `delete must be true or false, not ${String(deletes)}`)
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1))
    throw optionError('limit', `limit must be a whole number from 1, not ${String(limit)}`)
  return { olderThanMs, delete: deletes, limit, signal }
}

async function partOf(node: Node, { pool, request }: OrphanContext, search: Search): Promise<OrphanReport> {
  const { url } = node
  const { signal, limit = node.hasStream ? STREAM_LIMIT : DATAGRAM_LIMIT } = search
  // Before the list is asked for: a call that begins meanwhile is not missed there.
  const known = [...pool.callsOn(url)]
  const orphans: Orphan[] = []
  let calls = 0
  try {
    const reply = await request('list', { limit }, { node: url, set: node.set, signal })
    const listed = new Set(Array.isArray(reply.calls) ? reply.calls.map(String) : [])
    calls = listed.size
    const whole = listed.size < limit
    const certain = await lookInto(listed, { node, pool, request, search, orphans })
    const missing = whole ? known.filter(({ callId }) => !listed.has(callId)) : []
    return {
      orphans,
      missing: missing.map((call) => ({ ...call, node: url })),
      calls,
      complete: whole && certain,
      failed: [],
    }
  } catch (error) {
    if (!(error instanceof RtpProxyNgError) || signal?.aborted) throw error
    // With what was found, and ended, before it failed.
    return { orphans, missing: [], calls, complete: false, failed: [{ node: url, error }] }
  }
}

interface Look extends OrphanContext {
  readonly node: Node
  readonly search: Search
  /** Where to put what is found. */
  readonly orphans: Orphan[]
}

/** False if it could not be known of every call whether anybody knows it. Rejects with the first failure; then none goes on. */
async function lookInto(listed: Iterable<string>, look: Look): Promise<boolean> {
  const { node, pool } = look
  const left = listed[Symbol.iterator]()
  let isCertain = true
  let hasFailed = false
  const work = async (): Promise<void> => {
    for (let next = left.next(); !next.done && !hasFailed; next = left.next()) {
      const isKnown = await pool.pins.isOn(next.value, node)
      if (isKnown === undefined) isCertain = false
      if (isKnown === false) await lookAt(next.value, look)
    }
  }
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      hasFailed = true
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(workers)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return isCertain
}

async function lookAt(callId: string, { node, pool, request, search, orphans }: Look): Promise<void> {
  const { olderThanMs, delete: deletes, signal } = search
  const at = { node: node.url, set: node.set, signal }
  const createdMs = await createdOf(callId, request, at)
  if (createdMs === undefined) return
  const ageMs = Date.now() - createdMs
  if (ageMs < olderThanMs) return
  // It may have come here while its age was asked for.
  if (deletes && (await pool.pins.isOn(callId, node)) !== false) return
  if (deletes) await request('delete', { 'call-id': callId, flags: ['fast'], 'delete-delay': 0 }, at)
  orphans.push({ node: node.url, callId, ageMs, deleted: deletes })
}

/** When the call was set up, in milliseconds since 1970; undefined if it has ended meanwhile, or that is not told. */
async function createdOf(callId: string, request: Request, at: CallOptions): Promise<number | undefined> {
  try {
    const { created } = await request('query', { 'call-id': callId }, at)
    return typeof created === 'number' && created > 0 ? created * 1000 : undefined
  } catch (error) {
    if (error instanceof NgError && error.code === 'ERR_RTPPROXY_NG') return undefined
    throw error
  }
}
