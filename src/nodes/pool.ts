import { NodeError, type RtpProxyNgError } from '../errors.ts'
import { type DroppedReplies, OpenRequests } from '../network/open-requests.ts'
import type { Transport } from '../network/transport.ts'
import { UdpTransport } from '../network/udp.ts'
import { UnixTransport } from '../network/unix.ts'
import { type Command, Dispatch } from './dispatch.ts'
import type { NodeAddress, SetDefinition } from './grammar.ts'
import { Health, type HealthOptions } from './health.ts'
import { Node, type NodeStatus } from './node.ts'
import { NodeSet } from './set.ts'

/** Told when a node comes back or goes. */
export interface PoolObserver {
  nodeUp(node: NodeStatus): void
  nodeDown(node: NodeStatus, reason: RtpProxyNgError): void
}

/** All media proxies: their sets, sockets and states. */
export class Pool {
  readonly #sets = new Map<number, NodeSet>()
  readonly #nodes: Node[] = []
  readonly #requests = new OpenRequests()
  readonly #options: HealthOptions
  readonly #health: Health

  constructor(definitions: readonly SetDefinition[], options: HealthOptions, observer: PoolObserver) {
    this.#options = options
    this.#health = new Health(options, {
      nodeUp: (node) => observer.nodeUp(node.status()),
      nodeDown: (node, reason) => observer.nodeDown(node.status(), reason),
    })
    for (const { id, nodes } of definitions) {
      const made = nodes.map((definition) => {
        const transport = this.#transport(definition.url, definition.address)
        return new Node(definition, id, transport)
      })
      this.#nodes.push(...made)
      this.#sets.set(id, new NodeSet(id, made))
    }
  }

  #transport(url: string, address: NodeAddress): Transport {
    return address.transport === 'udp'
      ? new UdpTransport(url, address, this.#requests)
      : new UnixTransport(url, address, this.#requests)
  }

  /** Opens every socket and pings every node, side by side; what does not answer starts disabled. */
  async start(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => this.#health.ping(node)))
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.transport.close()))
  }

  has(set: number): boolean {
    return this.#sets.has(set)
  }

  /**
   * The set a command goes to.
   *
   * @throws NodeError `ERR_RTPPROXY_SET`
   */
  set(id: number, command: string): NodeSet {
    const set = this.#sets.get(id)
    if (set === undefined) {
      const context = { command, node: undefined }
      throw new NodeError('ERR_RTPPROXY_SET', `${command}: there is no media proxy set ${id}`, context)
    }
    return set
  }

  send(command: Command): void {
    new Dispatch(command, this.#health, this.#options).start()
  }

  get dropped(): Readonly<DroppedReplies> {
    return this.#requests.dropped
  }

  /** How many commands wait for a reply. */
  get open(): number {
    return this.#requests.size
  }

  /** Every node, set by set. */
  status(): NodeStatus[] {
    return this.#nodes.map((node) => node.status())
  }

  /** Enables or disables by hand every node with this URL, wherever it stands; returns how many there are. */
  setByHand(url: string, enabled: boolean): number {
    const nodes = this.#nodes.filter((node) => node.url === url)
    for (const node of nodes) this.#health.setByHand(node, enabled)
    return nodes.length
  }
}
