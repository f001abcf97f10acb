import { NodeError, optionError, type RtpProxyNgError } from '../errors.ts'
import type { DroppedReplies } from '../network/requests/dropped.ts'
import { OpenRequests } from '../network/requests/open-requests.ts'
import { RoundTrip } from '../network/requests/round-trip.ts'
import type { Timing } from '../network/transport.ts'
import { notificationsTo } from '../protocol/commands/notification.ts'
import type { CallKey } from './affinity/calls.ts'
import { Pins } from './affinity/pins.ts'
import { choose } from './balancing.ts'
import { Deletes } from './dispatch/deletes.ts'
import { type Command, Dispatch, type Exchanges } from './dispatch/dispatch.ts'
import { Load } from './dispatch/load.ts'
import { commandChannel } from './dispatch/trace.ts'
import { WatchedCommand } from './dispatch/watched.ts'
import { Drains } from './drains.ts'
import type { NodeDefinition, SetDefinition } from './grammar.ts'
import { NodeChange, nodeChannel } from './health/change.ts'
import { Health } from './health/health.ts'
import { IntervalPings } from './health/interval.ts'
import { expandNames, NameWatch } from './names.ts'
import { Node, type NodeState, type NodeStatus } from './node.ts'
import type { PoolOptions } from './options.ts'
import { Roster } from './roster.ts'
import type { NodeSet } from './set.ts'
import { checkCoding, checkFamily, transportTo } from './transports.ts'

/** Told when a node comes, goes or changes, and when the shared store does. Must not throw. */
export interface PoolObserver {
  nodeUp(node: NodeStatus): void
  nodeDown(node: NodeStatus, reason: RtpProxyNgError): void
  nodeState(node: NodeStatus, before: NodeState): void
  storeDown(reason: RtpProxyNgError): void
  storeUp(): void
  /** A name did not resolve; what it led to before stays. */
  nameFailed(error: unknown): void
}

/** All media proxies: their sets, sockets and states, and everything that is on its way to them. */
export class Pool {
  readonly pins: Pins
  readonly deletes: Deletes
  readonly load: Load
  readonly #requests: OpenRequests
  readonly #options: PoolOptions
  readonly #observer: PoolObserver
  readonly #client: object
  readonly #health: Health
  readonly #pings: IntervalPings
  readonly #roster: Roster
  readonly #drains = new Drains()
  readonly #exchanges: Exchanges
  #names: NameWatch
  /** Nodes that are no longer configured, but have requests open. */
  readonly #leaving = new Set<Node>()
  /** What another SIP proxy reported is not reported again. */
  #hearsay = false

  /** @param client whose pool it is: those who watch several tell them apart by it. */
  constructor(
    definitions: readonly SetDefinition[],
    options: PoolOptions,
    observer: PoolObserver,
    client: object,
  ) {
    this.#options = options
    this.#observer = observer
    this.#client = client
    this.#requests = new OpenRequests(undefined, client)
    if (options.dtmf !== undefined) this.#requests.onUnasked = notificationsTo(options.dtmf)
    this.#health = new Health(options, {
      nodeUp: (node) => this.#nodeUp(node),
      nodeDown: (node, reason) => this.#nodeDown(node, reason),
      nodeState: (node, before, reason) => this.#nodeState(node, before, reason),
      client,
    })
    this.#roster = new Roster({
      choose: choose(options.balancing),
      seconds: this.#health.seconds,
      lastResort: options.lastResort,
      make: (definition, set) => this.#make(definition, set),
    })
    this.pins = new Pins(
      {
        ...options,
        node: (url, set) => this.#roster.find(url, set),
        urls: () => this.#roster.urls(),
        released: (node) => this.#drains.check(node),
      },
      observer,
    )
    this.deletes = new Deletes(options.rememberedDeletes)
    this.load = new Load(options.openLimit, options.nodeOpenLimit)
    this.#pings = new IntervalPings(this.#health, options.pingMs, () => this.#roster.nodes)
    this.#exchanges = {
      health: this.#health,
      pins: this.pins,
      deletes: this.deletes,
      load: this.load,
      wheel: this.#requests.wheel,
      suspectAttempts: options.suspectAttempts,
      halfOpen: options.halfOpen,
      redetect: options.redetect,
      nodesPerCommand: options.nodesPerCommand,
      failsOver: options.failsOver,
      idle: (node) => this.#idle(node),
    }
    this.#check(definitions)
    this.#roster.configure(definitions)
    this.#names = this.#watchNames(definitions)
  }

  #check(definitions: readonly SetDefinition[]): void {
    for (const node of definitions.flatMap(({ nodes }) => nodes)) {
      checkCoding(this.#options.coding, node)
      checkFamily(this.#options.localAddress, node)
    }
  }

  #make(definition: NodeDefinition, set: number): Node {
    const { timeoutMs, attempts, adaptive } = this.#options
    // A stream sends again by itself: there is nothing to measure for.
    const roundTrip = adaptive && definition.address.transport === 'udp' ? new RoundTrip() : undefined
    const timing: Timing = { timeoutMs, attempts, roundTrip }
    const transport = transportTo(definition, this.#requests, this.#options)
    return new Node(definition, set, transport, timing, (node) => this.pins.memory?.countOn(node) ?? 0)
  }

  /**
   * Looks names up, and pings every node, side by side, unless told not to; what does not answer starts disabled. The first ping or command
   * opens the socket.
   */
  async start(): Promise<void> {
    await this.#names.start()
    await Promise.all([this.#watchStore(), this.#pingNew(this.#roster.nodes)])
    this.#pings.start()
  }

  async #pingNew(nodes: readonly Node[]): Promise<void> {
    if (this.#options.pingAtStart) await Promise.all(nodes.map((node) => this.#health.ping(node)))
  }

  /** What other SIP proxies find out about the nodes holds here as well. */
  async #watchStore(): Promise<void> {
    await this.pins.shared?.watch((url, downForMs) => {
      this.#hearsay = true
      for (const node of this.#roster.named(url)) {
        if (downForMs === 0) this.#health.enable(node)
        else this.#health.disable(node, this.#reported(url), downForMs)
      }
      this.#hearsay = false
    })
  }

  #reported(url: string): NodeError {
    const why = `media proxy ${url} was reported out of order by another SIP proxy`
    return new NodeError('ERR_RTPPROXY_UNREACHABLE', why, { command: 'ping', node: url })
  }

  #nodeUp(node: Node): void {
    if (!this.#hearsay) this.pins.shared?.report(node.url, 0)
    this.deletes.flush(node)
    this.#observer.nodeUp(node.status())
  }

  #nodeDown(node: Node, reason: RtpProxyNgError): void {
    if (!this.#hearsay) this.pins.shared?.report(node.url, this.#options.disableMs)
    this.#observer.nodeDown(node.status(), reason)
    // It may have moved. A way to a node looks its own name up when it opens its next socket.
    if (this.#options.names !== 'first')
      this.#names.check().catch((error) => this.#observer.nameFailed(error))
  }

  #nodeState(node: Node, before: NodeState, reason: RtpProxyNgError | undefined): void {
    const status = node.status()
    if (nodeChannel.hasSubscribers) nodeChannel.publish(new NodeChange(this.#client, status, before, reason))
    this.#observer.nodeState(status, before)
  }

  async close(): Promise<void> {
    this.#names.close()
    this.#pings.stop()
    this.#drains.close()
    this.deletes.close()
    const nodes = [...this.#roster.nodes, ...this.#leaving]
    await Promise.all([this.pins.close(), ...nodes.map((node) => node.transport.close())])
    this.#requests.wheel.close()
  }

  has(set: number): boolean {
    return this.#roster.has(set)
  }

  /** @throws NodeError `ERR_RTPPROXY_SET` */
  set(id: number, command: string): NodeSet {
    return this.#roster.set(id, command)
  }

  /** @throws NodeError `ERR_RTPPROXY_OVERLOAD` */
  send(command: Command): void {
    if (commandChannel.hasSubscribers) {
      const watched = new WatchedCommand(command, this.#client)
      watched.trace.begin(() => this.#dispatch(watched))
    } else this.#dispatch(command)
  }

  #dispatch(command: Command): void {
    this.load.enter(command.name)
    new Dispatch(command, this.#exchanges).start()
  }

  get dropped(): Readonly<DroppedReplies> {
    return this.#requests.dropped
  }

  /** How many requests wait for a reply. */
  get open(): number {
    return this.#requests.size
  }

  /** Every node, set by set. */
  status(): NodeStatus[] {
    return this.#roster.nodes.map((node) => node.status())
  }

  /** Enables or disables by hand every node with this URL, wherever it stands; returns how many there are. */
  setByHand(url: string, enabled: boolean): number {
    const nodes = this.#roster.named(url)
    for (const node of nodes) {
      this.#health.setByHand(node, enabled)
      if (!enabled) continue
      this.#drains.cancel(node, 'was enabled again')
      this.deletes.flush(node)
    }
    return nodes.length
  }

  /** The node called so; of several that in `set`, if there is one. */
  node(url: string, set: number): Node | undefined {
    return this.#roster.find(url, set)
  }

  /** One node for each URL, or the one with this URL. */
  nodesNamed(url: string | undefined): Node[] {
    const nodes = url === undefined ? this.#roster.nodes : this.#roster.named(url)
    return [...new Map(nodes.map((node) => [node.url, node])).values()]
  }

  /** Makes the nodes those of `definitions`; resolves when the new ones have been pinged. */
  async configure(definitions: readonly SetDefinition[]): Promise<void> {
    this.#check(definitions)
    const { names, resolver } = this.#options
    const sets = await expandNames(definitions, names, resolver)
    this.#names.close()
    this.#names = this.#watchNames(definitions)
    await Promise.all([this.#apply(sets), this.#names.start()])
  }

  #watchNames(definitions: readonly SetDefinition[]): NameWatch {
    const { names, resolver, resolveMs } = this.#options
    return new NameWatch({
      definitions,
      mode: names,
      resolver,
      intervalMs: resolveMs,
      changed: (sets) => void this.#apply(sets),
      failed: (error) => this.#observer.nameFailed(error),
      refresh: () => {
        for (const node of this.#roster.nodes) void node.transport.refresh?.()
      },
    })
  }

  async #apply(definitions: readonly SetDefinition[]): Promise<void> {
    const { added, removed } = this.#roster.configure(definitions)
    for (const node of removed) this.#remove(node)
    await this.#pingNew(added)
  }

  /** Lets what is open end; the node's calls go elsewhere with their next command. */
  #remove(node: Node): void {
    this.#health.removed(node)
    this.deletes.drop(node)
    this.pins.memory?.forgetNode(node)
    this.#drains.cancel(node, 'is no longer configured')
    this.#leaving.add(node)
    if (node.open === 0) this.#idle(node)
  }

  #idle(node: Node): void {
    if (!node.removed) this.#drains.check(node)
    else if (this.#leaving.delete(node)) void node.transport.close()
  }

  /**
   * Gives the nodes with this URL no new calls; resolves when they have none left.
   *
   * @throws ConfigurationError without a memory of calls, or when no node is called so.
   */
  async drain(url: string): Promise<void> {
    if (this.pins.memory === undefined) {
      throw optionError('affinity', 'drain needs the option affinity')
    }
    const nodes = this.#roster.named(url)
    if (nodes.length === 0) {
      throw optionError('url', `no media proxy is called ${url}`)
    }
    for (const node of nodes) this.#health.setDraining(node, true)
    await Promise.all(nodes.map((node) => this.#drains.wait(node)))
  }

  *callsOn(url: string): IterableIterator<CallKey> {
    for (const node of this.#roster.named(url)) yield* this.pins.callsOn(node)
  }
}
