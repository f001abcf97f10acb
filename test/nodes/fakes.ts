import { encode } from '../../src/core/bencode.ts'
import type {
  Exchange,
  ExchangeFailure,
  OpenRequest,
  Timing,
  Transport,
} from '../../src/network/transport.ts'
import type { HealthObserver, HealthOptions } from '../../src/nodes/health/health.ts'
import { Health } from '../../src/nodes/health/health.ts'
import { Node } from '../../src/nodes/node.ts'

/** A way to a node that does nothing until it is told what came of it. */
export class FakeTransport implements Transport {
  readonly url: string
  /** What is under way, oldest first. */
  readonly open: Exchange[] = []
  sent = 0
  closed = false

  constructor(url: string) {
    this.url = url
  }

  send(exchange: Exchange): OpenRequest {
    this.sent++
    this.open.push(exchange)
    return { cancel: () => this.#take(exchange) }
  }

  /** Answers the oldest. */
  reply(dictionary: object): void {
    this.open.shift()!.replied(encode(dictionary as never), 0)
  }

  /** Fails the oldest. */
  fail(kind: ExchangeFailure['kind']): void {
    this.open.shift()!.failed({ kind })
  }

  async close(): Promise<void> {
    this.closed = true
    while (this.open.length > 0) this.fail('closed')
  }

  #take(exchange: Exchange): void {
    const index = this.open.indexOf(exchange)
    if (index >= 0) this.open.splice(index, 1)
  }
}

export const timing: Timing = { timeoutMs: 1000, attempts: 5 }

export interface FakeNode extends Node {
  readonly transport: FakeTransport
}

export interface NodeParts {
  readonly weight?: number
  readonly tier?: number
  readonly calls?: (node: Node) => number
}

export function nodeOf(url: string, { weight = 1, tier = 0, calls = () => 0 }: NodeParts = {}): FakeNode {
  const address = { transport: 'unix', path: url } as const
  const definition = { url, weight, index: 0, address, tier }
  return new Node(definition, 0, new FakeTransport(url), timing, calls) as FakeNode
}

/** Health, and what it told: `up URL`, `down URL`, `before>after URL`. */
export function healthOf(options: Partial<HealthOptions> = {}): { health: Health; told: string[] } {
  const told: string[] = []
  const observer: HealthObserver = {
    client: {},
    nodeUp: ({ url }) => told.push(`up ${url}`),
    nodeDown: ({ url }) => told.push(`down ${url}`),
    nodeState: ({ state, url }, before) => told.push(`${before}>${state} ${url}`),
  }
  const deadOn = new Set(['timeout', 'refused', 'unreachable'] as const)
  const preset = { disableMs: 60_000, deadOn, deadAfter: 1, confirmDead: false, spareMs: 10_000 }
  return { health: new Health({ ...preset, ...options }, observer), told }
}
