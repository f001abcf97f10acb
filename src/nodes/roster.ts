import { NodeError } from '../errors.ts'
import type { NodeDefinition, SetDefinition } from './grammar.ts'
import { LAST_TIER, type Node } from './node.ts'
import { NodeSet, type SetRules } from './set.ts'

export interface RosterOptions extends SetRules {
  readonly lastResort: boolean
  readonly make: (definition: NodeDefinition, set: number) => Node
}

/** Which nodes there are, in which sets: as configured now. */
export class Roster {
  readonly #options: RosterOptions
  readonly #sets = new Map<number, NodeSet>()
  #nodes: readonly Node[] = []

  constructor(options: RosterOptions) {
    this.#options = options
  }

  /** Every node, set by set. */
  get nodes(): readonly Node[] {
    return this.#nodes
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

  /** The nodes with this URL, as written or as it was resolved, in every set that has it. */
  named(url: string): readonly Node[] {
    return this.#nodes.filter((node) => node.url === url || node.origin === url)
  }

  /** The node with this URL; of several the one in `set`, if there is one. */
  find(url: string, set: number): Node | undefined {
    const nodes = this.#nodes.filter((node) => node.url === url)
    return nodes.find((node) => node.set === set) ?? nodes[0]
  }

  *urls(): IterableIterator<string> {
    for (const node of this.#nodes) yield node.url
  }

  /**
   * Makes the nodes those of `definitions`. One that is there already, by set and URL, stays with all its state and takes the
   * new weight, tier and index.
   */
  configure(definitions: readonly SetDefinition[]): { added: readonly Node[]; removed: readonly Node[] } {
    const before = new Map<string, Node[]>()
    for (const node of this.#nodes) {
      const key = keyOf(node.set, node.url)
      const same = before.get(key)
      if (same === undefined) before.set(key, [node])
      else same.push(node)
    }
    const added: Node[] = []
    const after: Node[] = []
    const ids = new Set<number>()
    for (const { id, nodes } of definitions) {
      const members = nodes.map((definition) => {
        let node = before.get(keyOf(id, definition.url))?.shift()
        if (node === undefined) {
          node = this.#options.make(definition, id)
          added.push(node)
        }
        node.weight = definition.weight
        node.index = definition.index
        node.tier = this.#options.lastResort && node.weight === 0 ? LAST_TIER : (definition.tier ?? 0)
        return node
      })
      const set = this.#sets.get(id)
      if (set === undefined) this.#sets.set(id, new NodeSet(id, members, this.#options))
      else set.replace(members)
      ids.add(id)
      after.push(...members)
    }
    for (const [id, set] of this.#sets) {
      if (ids.has(id)) continue
      // Commands that are on their way have the set in hand; they find it empty.
      set.replace([])
      this.#sets.delete(id)
    }
    this.#nodes = after
    return { added, removed: [...before.values()].flat() }
  }
}

function keyOf(set: number, url: string): string {
  return `${set} ${url}`
}
