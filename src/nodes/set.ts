import type { BalancedCall, Choose } from './balancing.ts'
import { LAST_TIER, type Node } from './node.ts'

/** What decides, besides a node's state, whether it may take a new call. */
export interface SetRules {
  readonly choose: Choose
  /** Seconds since the start. */
  readonly seconds: () => number
}

/** One set of media proxies, in configured order. */
export class NodeSet {
  readonly id: number
  readonly #rules: SetRules
  #nodes: readonly Node[]
  /** Nearly always all nodes stand in one tier. */
  #tiers = false
  #firstTier = 0

  constructor(id: number, nodes: readonly Node[], rules: SetRules) {
    this.id = id
    this.#rules = rules
    this.#nodes = nodes
    this.replace(nodes)
  }

  get nodes(): readonly Node[] {
    return this.#nodes
  }

  replace(nodes: readonly Node[]): void {
    this.#nodes = nodes
    this.#firstTier = Math.min(...nodes.map(({ tier }) => tier))
    this.#tiers = nodes.some(({ tier }) => tier !== this.#firstTier)
  }

  /**
   * The node for a new call: by the strategy, among the nodes of the first tier that has any to offer. A node without
   * weight takes none, unless it is alone in its set, as in the module; nor does one with `limit` requests open.
   */
  pick(call: BalancedCall, limit: number, excluded?: ReadonlySet<Node>): Node | undefined {
    const { nodes } = this
    if (nodes.length === 1) return isOpen(nodes[0]!, limit, excluded) ? nodes[0] : undefined
    const eligible = this.#eligible(limit, excluded)
    return eligible.length === 0 ? undefined : this.#rules.choose(eligible, call)
  }

  /** Whether a node would take the call if it had fewer requests open. */
  isFull(limit: number, excluded?: ReadonlySet<Node>): boolean {
    return this.#nodes.some((node) => isAvailable(node, excluded) && node.open >= limit)
  }

  /** Whether a new call may find out if a node is back: one that would get calls, were it up, before those of other tiers. */
  takesProbes(node: Node): boolean {
    if (node.draining || node.tier !== this.#firstTier) return false
    return node.weight > 0 || node.tier === LAST_TIER || this.#nodes.length === 1
  }

  #eligible(limit: number, excluded: ReadonlySet<Node> | undefined): readonly Node[] {
    const { nodes } = this
    if (!this.#tiers && this.#allFree(limit, excluded)) return nodes
    const open = nodes.filter(
      (node) => isOpen(node, limit, excluded) && (node.weight > 0 || node.tier === LAST_TIER),
    )
    // One that had no room a moment ago is asked again only when there is no other, in any tier.
    const rested = open.filter((node) => !this.#isSpared(node))
    const able = rested.length > 0 ? rested : open
    const tier = Math.min(...able.map((node) => node.tier))
    return able.filter((node) => node.tier === tier)
  }

  /** Whether nothing at all stands against any node: nearly always, and every new call asks. */
  #allFree(limit: number, excluded: ReadonlySet<Node> | undefined): boolean {
    for (const node of this.#nodes) {
      if (!isOpen(node, limit, excluded) || node.weight === 0 || this.#isSpared(node)) return false
    }
    return true
  }

  #isSpared(node: Node): boolean {
    return node.sparedUntil > 0 && node.sparedUntil > this.#rules.seconds()
  }
}

function isAvailable(node: Node, excluded: ReadonlySet<Node> | undefined): boolean {
  return !node.disabled && !node.draining && !node.removed && !excluded?.has(node)
}

function isOpen(node: Node, limit: number, excluded: ReadonlySet<Node> | undefined): boolean {
  return isAvailable(node, excluded) && node.open < limit
}
