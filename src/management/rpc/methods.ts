import { NodeError } from '../../errors.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { OrphanReport } from '../../module/orphans.ts'
import type { CallKey } from '../../nodes/affinity/calls.ts'
import type { NodeStatus } from '../../nodes/node.ts'
import { InvalidParams, type Method, type Parameters } from './json-rpc.ts'

/** What came of a ping. */
export interface PingResult {
  readonly url: string
  readonly answered: boolean
  /** Of the round trip. */
  readonly ms?: number
  readonly error?: string
}

/** A set of media proxies, as `sets` tells of it. */
export interface SetSummary {
  readonly set: number
  readonly nodes: number
  /** How many of them take new calls. */
  readonly usable: number
  readonly weight: number
  readonly calls: number
  readonly open: number
}

const USABLE: ReadonlySet<NodeStatus['state']> = new Set(['up', 'suspect'])
/** Most calls told at once. */
const MAX_CALLS = 10_000

/** What the management server can be asked to do, by the names of the module where it has them. */
export function managementMethods(media: RtpProxyNg): Readonly<Record<string, Method>> {
  return {
    nh_show_rtpp: () => media.show(),
    nh_enable_rtpp: async (parameters) => {
      const [url, wish] = [textOf(parameters, 0, 'url'), enablingOf(parameters, 1, 'enabled')]
      const { length: nodes } = media.show().filter((node) => node.url === url || node.origin === url)
      if (nodes === 0) throw unknownNode('nh_enable_rtpp', url)
      const enabled = wish === 'probe' ? await media.probe(url) : wish
      if (wish !== 'probe') media.enable(url, enabled)
      return { url, enabled, nodes }
    },
    nh_ping_rtpp: (parameters) => ping(media, optional(parameters, 0, 'url', textOf)),
    drain: (parameters) => {
      const url = textOf(parameters, 0, 'url')
      // It ends when the last call has: whoever asks wants to know that it has begun. `show` tells the rest.
      media.drain(url).catch(() => undefined)
      const nodes = media.show().filter((node) => node.url === url)
      if (nodes.length === 0) throw unknownNode('drain', url)
      return { url, calls: nodes.reduce((sum, { calls }) => sum + calls, 0) }
    },
    sets: () => sets(media.show()),
    calls: (parameters) => {
      const url = textOf(parameters, 0, 'url')
      const limit = optional(parameters, 1, 'limit', countOf) ?? 100
      if (!media.show().some((node) => node.url === url)) throw unknownNode('calls', url)
      return firstOf(media.callsOn(url), Math.min(limit, MAX_CALLS))
    },
    counters: () => ({ ...media.counters, dropped: { ...media.droppedReplies } }),
    orphans: (parameters): Promise<OrphanReport> =>
      media.orphans({
        node: optional(parameters, 0, 'url', textOf),
        olderThanMs: optional(parameters, 1, 'olderThanMs', countOf),
        delete: optional(parameters, 2, 'delete', truthOf) ?? false,
      }),
  }
}

/** Pings every media proxy, or those with this URL, side by side. */
export async function ping(media: RtpProxyNg, url?: string, signal?: AbortSignal): Promise<PingResult[]> {
  const all = [...new Set(media.show().map((node) => node.url))]
  const urls = url === undefined ? all : all.filter((one) => one === url)
  if (urls.length === 0 && url !== undefined) throw unknownNode('nh_ping_rtpp', url)
  return Promise.all(urls.map((one) => pingOne(media, one, signal)))
}

async function pingOne(media: RtpProxyNg, url: string, signal: AbortSignal | undefined): Promise<PingResult> {
  const begin = performance.now()
  try {
    const { set } = media.show().find((node) => node.url === url)!
    await media.ping({ node: url, set, signal })
    return { url, answered: true, ms: Math.round((performance.now() - begin) * 1000) / 1000 }
  } catch (error) {
    return { url, answered: false, error: (error as Error).message }
  }
}

function sets(nodes: readonly NodeStatus[]): SetSummary[] {
  return [...new Set(nodes.map(({ set }) => set))].map((set) => {
    const members = nodes.filter((node) => node.set === set)
    const sum = (of: (node: NodeStatus) => number) => members.reduce((total, node) => total + of(node), 0)
    return {
      set,
      nodes: members.length,
      usable: members.filter(({ state }) => USABLE.has(state)).length,
      weight: sum(({ weight }) => weight),
      calls: sum(({ calls }) => calls),
      open: sum(({ open }) => open),
    }
  })
}

function firstOf(calls: Iterable<CallKey>, limit: number): CallKey[] {
  const first: CallKey[] = []
  for (const call of calls) {
    if (first.length >= limit) break
    first.push(call)
  }
  return first
}

function unknownNode(command: string, url: string): NodeError {
  const why = `no media proxy is called ${url}`
  return new NodeError('ERR_RTPPROXY_NO_NODE', `${command}: ${why}`, { command, node: undefined })
}

function parameterOf(parameters: Parameters, index: number, name: string): unknown {
  if (Array.isArray(parameters)) return parameters[index]
  return Object.hasOwn(parameters, name) ? (parameters as Record<string, unknown>)[name] : undefined
}

function optional<T>(
  parameters: Parameters,
  index: number,
  name: string,
  read: (parameters: Parameters, index: number, name: string) => T,
): T | undefined {
  const value = parameterOf(parameters, index, name)
  return value === undefined || value === null ? undefined : read(parameters, index, name)
}

function textOf(parameters: Parameters, index: number, name: string): string {
  const value = parameterOf(parameters, index, name)
  if (typeof value !== 'string' || value === '') throw new InvalidParams(`${name} must be a text`)
  return value
}

function countOf(parameters: Parameters, index: number, name: string): number {
  const value = parameterOf(parameters, index, name)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidParams(`${name} must be a whole number from 0`)
  return value
}

/** OpenSIPS's module knows a third: to enable what answers. */
function enablingOf(parameters: Parameters, index: number, name: string): boolean | 'probe' {
  const value = parameterOf(parameters, index, name)
  if (value === 'probe' || value === 2 || value === '2') return 'probe'
  return truthOf(parameters, index, name)
}

/** The module takes numbers. */
function truthOf(parameters: Parameters, index: number, name: string): boolean {
  const value = parameterOf(parameters, index, name)
  if (value === true || value === 1 || value === '1') return true
  if (value === false || value === 0 || value === '0') return false
  throw new InvalidParams(`${name} must be true or false`)
}
