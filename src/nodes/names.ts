import { NodeError } from '../errors.ts'
import type { NameResolver, ServiceRecord } from '../network/names.ts'
import { isIP, isIPv6 } from '../protocol/ip.ts'
import type { NodeAddress, NodeDefinition, SetDefinition } from './grammar.ts'

/**
 * What becomes of a media proxy that is given by name.
 *
 * - `first`: one node at the first address of the name
 * - `all`: a node at every address
 * - `srv`: a node at every address of every target, when the host is the name of a service (its first label begins with an
 *   underscore, RFC 2782), with port, weight and tier of the record; otherwise as `all`
 */
export type NameMode = 'first' | 'all' | 'srv'

export interface ExpandedNode extends NodeDefinition {
  /** Nodes of tier 0 come first, those of tier 1 when none of them is left, and so on. */
  readonly tier: number
  /** The URL as written; `url` is the one of the address it led to. */
  readonly origin: string
}

export interface ExpandedSet extends SetDefinition {
  readonly nodes: ExpandedNode[]
}

/** Most nodes that one name makes: its answer is written by others. */
const MAX_NODES = 256

/** A place where a name leads to. */
interface Place {
  readonly host: string
  readonly port: number
  readonly weight: number
  readonly priority: number
}

interface Answers {
  readonly addresses: Map<string, readonly string[]>
  readonly services: Map<string, readonly ServiceRecord[]>
}

const noAnswers = (): Answers => ({ addresses: new Map(), services: new Map() })

function asWritten(node: NodeDefinition): ExpandedNode {
  return { ...node, tier: node.tier ?? 0, origin: node.url }
}

function compare<T>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** The order in which a name server lists things means nothing, and changes. */
function inOrder(one: Place, other: Place): number {
  return (
    one.priority - other.priority ||
    compare(one.host, other.host) ||
    one.port - other.port ||
    other.weight - one.weight
  )
}

/** Leaves the first of the nodes that stand at the same address. */
function withoutDuplicates(nodes: readonly ExpandedNode[]): ExpandedNode[] {
  const seen = new Set<string>()
  return nodes.filter(({ address }) => {
    if (!('host' in address)) return true
    const place = `${address.transport} ${address.host} ${address.port}`
    if (seen.has(place)) return false
    seen.add(place)
    return true
  })
}

/** Counts the nodes anew, in the order they were written. */
function numbered(sets: readonly ExpandedSet[]): ExpandedSet[] {
  const order = sets.flatMap(({ nodes }) => nodes).sort((one, other) => one.index - other.index)
  const places = new Map(order.map((node, index) => [node, index]))
  return sets.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map((node) => ({ ...node, index: places.get(node)! })),
  }))
}

/** Told of a name that did not resolve: `node` is the URL as written, `cause` what the resolver said. */
export type NameFailure = (error: NodeError) => void

/** Makes nodes of names, and remembers what each name led to last. */
export class NameExpander {
  readonly #mode: NameMode
  readonly #resolver: NameResolver
  readonly #failed: NameFailure
  #last = noAnswers()

  constructor(mode: NameMode, resolver: NameResolver, failed: NameFailure) {
    this.#mode = mode
    this.#resolver = resolver
    this.#failed = failed
  }

  /**
   * A name that does not resolve leads where it led last; one that never resolved stays as it is written, so that its node
   * is seen to be down. Of nodes at the same address in a set the first stays. Never rejects.
   */
  async expand(definitions: readonly SetDefinition[]): Promise<ExpandedSet[]> {
    const answers = noAnswers()
    const sets = definitions.map(async ({ id, nodes }) => {
      const expanded = (await Promise.all(nodes.map((node) => this.#expand(node, answers)))).flat()
      return { id, nodes: this.#mode === 'first' ? expanded : withoutDuplicates(expanded) }
    })
    const expanded = numbered(await Promise.all(sets))
    // Names that nothing leads to any more are forgotten.
    this.#last = answers
    return expanded
  }

  async #expand(node: NodeDefinition, answers: Answers): Promise<ExpandedNode[]> {
    const { url, weight, address } = node
    if (this.#mode === 'first' || !('host' in address) || isIP(address.host) !== 0) return [asWritten(node)]
    const { host, port, family } = address
    const isService = this.#mode === 'srv' && host.startsWith('_')
    const places = isService
      ? await this.#services(url, host, family, answers)
      : await this.#places(url, { host, port, weight, priority: 0 }, family, answers)
    if (places.length === 0) return [asWritten(node)]
    const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
    const second = url.includes('|') ? url.slice(url.indexOf('|')) : ''
    const priorities = [...new Set(places.map(({ priority }) => priority))].sort((a, b) => a - b)
    return places
      .sort(inOrder)
      .slice(0, MAX_NODES)
      .map(({ host, port, weight, priority }) => ({
        ...asWritten(node),
        url: `${scheme}:${isIPv6(host) ? `[${host}]` : host}:${port}${second}`,
        weight,
        address: { ...address, host, port },
        ...(node.stream !== undefined && { stream: atSamePlace(node.stream, address.host, host) }),
        tier: (node.tier ?? 0) + priorities.indexOf(priority),
      }))
  }

  /** `place` at every address of its host. */
  async #places(url: string, place: Place, family: 4 | 6, answers: Answers): Promise<Place[]> {
    const { host } = place
    const ask = () => this.#resolver.addresses(host, family)
    const key = `${family} ${host}`
    const addresses = await this.#ask(url, key, ask, this.#last.addresses, answers.addresses)
    return addresses.map((address) => ({ ...place, host: address }))
  }

  /**
   * The places of a service. Weight 0 is for records that are hardly ever to be chosen beside others of their priority; where
   * all have it there is nothing to choose, and the shares are equal (RFC 2782): they get 1.
   */
  async #services(url: string, name: string, family: 4 | 6, answers: Answers): Promise<Place[]> {
    const ask = () => this.#resolver.services(name)
    const records = await this.#ask(url, name, ask, this.#last.services, answers.services)
    // The target "." says that there is no such service (RFC 2782).
    const usable = records.filter(({ host, port }) => host !== '' && host !== '.' && port > 0)
    const places = usable.slice(0, MAX_NODES).map((record) => this.#places(url, record, family, answers))
    const found = (await Promise.all(places)).flat()
    const weighted = new Set(found.filter(({ weight }) => weight > 0).map(({ priority }) => priority))
    return found.map((place) => (weighted.has(place.priority) ? place : { ...place, weight: 1 }))
  }

  async #ask<T>(
    url: string,
    name: string,
    ask: () => Promise<readonly T[]>,
    last: ReadonlyMap<string, readonly T[]>,
    answers: Map<string, readonly T[]>,
  ): Promise<readonly T[]> {
    let answer: readonly T[]
    try {
      answer = await ask()
    } catch (cause) {
      answer = last.get(name) ?? []
      const message = `media proxy ${url}: ${(cause as Error).message}`
      const context = { command: 'look-up', node: url }
      this.#failed(new NodeError('ERR_RTPPROXY_UNREACHABLE', message, context, { cause }))
    }
    if (answer.length > 0) answers.set(name, answer)
    return answer
  }
}

/** The stream of a node that is given by the same name leads to the same place. */
function atSamePlace(stream: NodeAddress, name: string, host: string): NodeAddress {
  return 'host' in stream && stream.host === name ? { ...stream, host } : stream
}

/** What `definitions` lead to now; a name that does not resolve stays as it is written. Never rejects. */
export function expandNames(
  definitions: readonly SetDefinition[],
  mode: NameMode,
  resolver: NameResolver,
): Promise<ExpandedSet[]> {
  return new NameExpander(mode, resolver, () => undefined).expand(definitions)
}

export interface NameWatchOptions {
  readonly definitions: readonly SetDefinition[]
  readonly mode: NameMode
  readonly resolver: NameResolver
  /** Milliseconds from the end of one check to the next, give or take a tenth; 0 checks only when asked to. */
  readonly intervalMs: number
  /** Told when the names lead elsewhere than they did. Before the first check the nodes are as `definitions` say. */
  readonly changed: (sets: ExpandedSet[]) => void
  /** Told of each name that does not resolve, at every check, and of what the other two threw in a check by the clock. */
  readonly failed: (error: unknown) => void
  /** Called at each check in mode `first`, where there is nothing to expand: the way to a node follows its name itself. */
  readonly refresh?: () => void
}

/** Least time from the beginning of one check to that of the next: failing nodes ask for checks, and fail together. */
const REST_MS = 1000
/** What a timer can wait. */
const MAX_DELAY_MS = 0x7fff_ffff

/** Looks the names of media proxies up again and again, and tells when they lead elsewhere. */
export class NameWatch {
  readonly #options: NameWatchOptions
  readonly #expander: NameExpander
  /** The nodes last told of, as text to compare. */
  #told: string
  #begun = Number.NEGATIVE_INFINITY
  #checking: Promise<void> | undefined
  #endRest: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #started = false
  #closed = false

  constructor(options: NameWatchOptions) {
    const { definitions, mode, resolver } = options
    this.#options = options
    this.#expander = new NameExpander(mode, resolver, (error) => {
      if (!this.#closed) options.failed(error)
    })
    this.#told = JSON.stringify(definitions.map(({ id, nodes }) => ({ id, nodes: nodes.map(asWritten) })))
  }

  /** Checks now and from then on by the clock. Resolves after the first check. */
  start(): Promise<void> {
    this.#started = true
    return this.check()
  }

  /**
   * Looks everything up now, or as soon as a second has passed since the last check began. Calls at the same time share one
   * check. Rejects with what `changed` or `refresh` throws.
   */
  check(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
      this.#schedule()
    })
    return this.#checking
  }

  async #check(): Promise<void> {
    clearTimeout(this.#timer)
    const restMs = this.#begun + REST_MS - performance.now()
    if (restMs > 0) await this.#rest(restMs)
    if (this.#closed) return
    this.#begun = performance.now()
    const { definitions, mode, changed, refresh } = this.#options
    if (mode === 'first') {
      refresh?.()
      return
    }
    const sets = await this.#expander.expand(definitions)
    const text = JSON.stringify(sets)
    if (text === this.#told || this.#closed) return
    changed(sets)
    this.#told = text
  }

  #rest(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#endRest = resolve
      this.#timer = setTimeout(resolve, restMs).unref()
    })
  }

  #schedule(): void {
    const { intervalMs, failed } = this.#options
    if (!this.#started || this.#closed || intervalMs === 0) return
    // Many hosts started together must not ask the name server together for ever.
    const delayMs = Math.min(intervalMs * (0.9 + Math.random() * 0.2), MAX_DELAY_MS)
    this.#timer = setTimeout(() => void this.check().catch(failed), delayMs).unref()
  }

  /** Nothing is told any more, whatever is under way. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#endRest?.()
  }
}
