import { ConfigurationError, NgError, RtpProxyNgError } from '../errors.ts'
import type { CallKey } from '../nodes/affinity/calls.ts'
import type { Node } from '../nodes/node.ts'
import type { Pool } from '../nodes/pool.ts'
import type { NgParameters } from '../protocol/vocabulary/types.ts'
import type { CallOptions } from './calls.ts'
import type { QueryReply } from './statistics.ts'

export interface OrphanOptions {
  /** URL of the media proxy to look at. Default: all of them. */
  readonly node?: string | undefined
  /** Calls younger than that are left alone: they may be on their way here. In milliseconds. Default 60000. */
  readonly olderThanMs?: number | undefined
  /** Ends what it finds. Default false. */
  readonly delete?: boolean | undefined
  /**
   * How many calls of a media proxy to look at. Default 1000 where its replies must fit into a datagram, else 100000. A reply that does
   * not fit never comes.
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
  /** Whether every call of every media proxy was looked at. */
  readonly complete: boolean
  /** Media proxies that did not answer. */
  readonly failed: readonly { readonly node: string; readonly error: RtpProxyNgError }[]
}

type Request = (command: string, parameters: NgParameters, options: CallOptions) => Promise<QueryReply>

export interface OrphanContext {
  readonly pool: Pool
  readonly request: Request
}

const OLDER_THAN_MS = 60_000
const DATAGRAM_LIMIT = 1000
const STREAM_LIMIT = 100_000
/** How many calls of one media proxy are looked into at a time. */
const AT_ONCE = 16

/**
 * Compares what media proxies have with what the memory of calls, and the shared store, know.
 *
 * @throws ConfigurationError without a memory of calls, or when none is called so.
 */
export async function findOrphans(context: OrphanContext, options: OrphanOptions): Promise<OrphanReport> {
  const { pool } = context
  if (pool.pins.memory === undefined)
    throw new ConfigurationError('ERR_RTPPROXY_OPTION', 'affinity', 'orphans needs the option affinity')
  const nodes = pool.nodesNamed(options.node)
  if (options.node !== undefined && nodes.length === 0)
    throw new ConfigurationError('ERR_RTPPROXY_OPTION', 'node', `no media proxy is called ${options.node}`)
  const parts = await Promise.all(nodes.map((node) => partOf(node, context, options)))
  return {
    orphans: parts.flatMap(({ orphans }) => orphans),
    missing: parts.flatMap(({ missing }) => missing),
    calls: parts.reduce((sum, { calls }) => sum + calls, 0),
    complete: parts.every(({ complete }) => complete),
    failed: parts.flatMap(({ failed }) => failed),
  }
}

async function partOf(node: Node, context: OrphanContext, options: OrphanOptions): Promise<OrphanReport> {
  const { url } = node
  const { pool, request } = context
  const { signal, limit = node.hasStream ? STREAM_LIMIT : DATAGRAM_LIMIT } = options
  // Before the list is asked for: a call that begins meanwhile is not missed there.
  const known = [...pool.callsOn(url)]
  try {
    const reply = await request('list', { limit }, { node: url, set: node.set, signal })
    const listed = new Set(Array.isArray(reply.calls) ? reply.calls.map(String) : [])
    const complete = listed.size < limit
    const unknown = await unknownCalls(listed, node, pool)
    return {
      orphans: await lookInto(unknown, node, context, options),
      missing: complete
        ? known.filter(({ callId }) => !listed.has(callId)).map((call) => ({ ...call, node: url }))
        : [],
      calls: listed.size,
      complete,
      failed: [],
    }
  } catch (error) {
    if (!(error instanceof RtpProxyNgError) || signal?.aborted) throw error
    return { orphans: [], missing: [], calls: 0, complete: false, failed: [{ node: url, error }] }
  }
}

/** What was listed, and neither the memory nor the store has on this node. */
async function unknownCalls(listed: ReadonlySet<string>, node: Node, pool: Pool): Promise<string[]> {
  const unknown: string[] = []
  for (const callId of listed) {
    if (!(await pool.pins.isOn(callId, node))) unknown.push(callId)
  }
  return unknown
}

async function lookInto(
  callIds: readonly string[],
  node: Node,
  { request }: OrphanContext,
  options: OrphanOptions,
): Promise<Orphan[]> {
  const { olderThanMs = OLDER_THAN_MS, signal } = options
  const at = { node: node.url, set: node.set, signal }
  const orphans: Orphan[] = []
  const waiting = [...callIds]
  const work = async (): Promise<void> => {
    for (let callId = waiting.pop(); callId !== undefined; callId = waiting.pop()) {
      const createdMs = await createdOf(callId, request, at)
      const ageMs = createdMs === undefined ? -1 : Date.now() - createdMs
      if (ageMs < olderThanMs) continue
      if (options.delete)
        await request('delete', { 'call-id': callId, flags: ['fast'], 'delete-delay': 0 }, at)
      orphans.push({ node: node.url, callId, ageMs, deleted: options.delete === true })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return orphans
}

/** When the call was set up, in milliseconds since 1970; undefined if it has ended meanwhile. */
async function createdOf(callId: string, request: Request, at: CallOptions): Promise<number | undefined> {
  try {
    const { created } = await request('query', { 'call-id': callId }, at)
    return Number(created) * 1000
  } catch (error) {
    if (error instanceof NgError && error.code === 'ERR_RTPPROXY_NG') return undefined
    throw error
  }
}
