import type { Node } from './node.ts'

/** One set of media proxies, in configured order. */
export class NodeSet {
  readonly id: number
  readonly nodes: readonly Node[]

  constructor(id: number, nodes: readonly Node[]) {
    this.id = id
    this.nodes = nodes
  }

  /**
   * The module's balancing: `sum` (all bytes of the Call-ID, modulo 256) modulo the weight of the enabled nodes falls
   * into one node's share. Undefined when no enabled node has weight; a node alone in its set needs none.
   */
  pick(sum: number, excluded?: ReadonlySet<Node>): Node | undefined {
    const { nodes } = this
    if (nodes.length === 1) {
      const only = nodes[0]!
      return only.disabled || excluded?.has(only) ? undefined : only
    }
    let total = 0
    for (const node of nodes) if (isOpen(node, excluded)) total += node.weight
    if (total === 0) return undefined
    let cut = sum % total
    for (const node of nodes) {
      if (!isOpen(node, excluded)) continue
      if (cut < node.weight) return node
      cut -= node.weight
    }
    return undefined
  }
}

function isOpen(node: Node, excluded: ReadonlySet<Node> | undefined): boolean {
  return !node.disabled && !excluded?.has(node)
}
