import type { Node } from '../node.ts'
import type { Health } from './health.ts'

/** Share of the interval by which each wait differs, so that many clients do not ping in step. */
const JITTER = 0.1

/**
 * Pings every node that has been silent for an interval. One that answered anything meanwhile has proved itself; one that is
 * disabled is left to its recheck.
 */
export class IntervalPings {
  readonly #health: Health
  readonly #intervalMs: number
  readonly #nodes: () => readonly Node[]
  readonly #answers = new WeakMap<Node, number>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(health: Health, intervalMs: number, nodes: () => readonly Node[]) {
    this.#health = health
    this.#intervalMs = intervalMs
    this.#nodes = nodes
  }

  start(): void {
    if (this.#intervalMs === 0 || this.#stopped) return
    const wait = this.#intervalMs * (1 - JITTER + Math.random() * 2 * JITTER)
    this.#timer = setTimeout(() => {
      this.#round()
      this.start()
    }, wait)
    this.#timer.unref()
  }

  #round(): void {
    const now = this.#health.seconds()
    for (const node of this.#nodes()) {
      // A new one has answered its first ping since, unless nobody sent it any.
      const silent = (this.#answers.get(node) ?? 0) === node.answers
      if (node.disabled ? node.isDue(now) : silent) void this.#ping(node)
      this.#answers.set(node, node.answers)
    }
  }

  /** The answer to a ping is no sign of life in the next interval, or an idle node would be pinged in every other one. */
  async #ping(node: Node): Promise<void> {
    await this.#health.ping(node)
    this.#answers.set(node, node.answers)
  }

  /** For good: who closes during the start stops the pings before they begin. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
