import { type ConfigurationError, optionError } from '../errors.ts'

/** What balancing sees of a node. */
export interface Balanced {
  readonly url: string
  readonly weight: number
  /** Requests waiting for a reply. */
  readonly open: number
  /** Calls it has, by the affinity memory. */
  readonly calls: number
}

/** What balancing sees of a call. */
export interface BalancedCall {
  /** All bytes of the Call-ID added up, modulo 256. */
  readonly sum: number
  /** Undefined for a command that has none; `rendezvous` then goes by `sum`. */
  readonly callId: string | undefined
}

/** A strategy of the user's: one of `nodes`, or undefined to refuse. */
export type BalancingFunction = (call: BalancedCall, nodes: readonly Balanced[]) => Balanced | undefined

/**
 * Which node takes a new call:
 *
 * - `checksum`: the module's. `sum` modulo the total weight falls into one node's share. Only 256 sums exist, so a total
 *   that does not divide 256 favours the first nodes, and of a total over 256 the last nodes get little or nothing. When
 *   a node comes or goes, most calls change places.
 * - `rendezvous`: weighted rendezvous hashing of URL and Call-ID. Shares follow the weights, every process chooses
 *   the same, and a node that comes or goes moves only its own calls.
 * - `least-open`: the node with the fewest open requests for its weight, then with the fewest calls for its weight, then
 *   as `rendezvous`, lest all processes run to the same node.
 * - a function of the user's.
 *
 * A node of weight 0 is never chosen, unless all have weight 0; then they count as equal.
 */
export type Balancing = 'checksum' | 'rendezvous' | 'least-open' | BalancingFunction

/** Chooses among `nodes`, those eligible in configured order; undefined when there are none, or by the user's function. */
export type Choose = <N extends Balanced>(nodes: readonly N[], call: BalancedCall) => N | undefined

/** @throws ConfigurationError `ERR_RTPPROXY_OPTION` (`balancing`) for an unknown one; so does a user's function that fails. */
export function choose(balancing: Balancing): Choose {
  const strategy = strategyOf(balancing)
  return (nodes, call) => strategy(withWeight(nodes), call)
}

function strategyOf(balancing: Balancing): Choose {
  if (typeof balancing === 'function') return asked(balancing)
  switch (balancing) {
    case 'checksum':
      return checksum
    case 'rendezvous':
      return rendezvous()
    case 'least-open':
      return leastOpen(rendezvous())
    default:
      throw balancingError(`'${balancing}' is none of checksum, rendezvous, least-open, or a function`)
  }
}

/** Either all nodes returned have weight or none has; `share` relies on it. */
function withWeight<N extends Balanced>(nodes: readonly N[]): readonly N[] {
  let weightless = 0
  for (const node of nodes) if (node.weight === 0) weightless++
  if (weightless === 0 || weightless === nodes.length) return nodes
  return nodes.filter((node) => node.weight !== 0)
}

const share = (node: Balanced): number => node.weight || 1

const checksum: Choose = (nodes, call) => {
  let total = 0
  for (const node of nodes) total += share(node)
  let cut = call.sum % total
  for (const node of nodes) {
    if (cut < share(node)) return node
    cut -= share(node)
  }
  return undefined
}

/**
 * For every node a number is drawn from its URL and the Call-ID, exponentially distributed with the node's weight as its
 * rate; the smallest wins, which it does with a probability of weight over total. No node's number depends on the others.
 */
function rendezvous(): Choose {
  const hashes = new Map<string, Hash>()
  return (nodes, call) => {
    if (nodes.length < 2) return nodes[0]
    const callHash = hash(call.callId ?? String(call.sum))
    let smallest = Number.POSITIVE_INFINITY
    let chosen = nodes[0]
    for (const node of nodes) {
      let nodeHash = hashes.get(node.url)
      if (nodeHash === undefined) {
        if (hashes.size >= HASHES) hashes.clear()
        nodeHash = hash(node.url)
        hashes.set(node.url, nodeHash)
      }
      const drawn = -Math.log(uniform(callHash, nodeHash)) / share(node)
      if (drawn < smallest) [smallest, chosen] = [drawn, node]
    }
    return chosen
  }
}

function leastOpen(choice: Choose): Choose {
  return (nodes, call) => {
    const idle = least(nodes, (node) => node.open / share(node))
    return choice(idle.length > 1 ? least(idle, (node) => node.calls / share(node)) : idle, call)
  }
}

function least<N extends Balanced>(nodes: readonly N[], load: (node: N) => number): N[] {
  let lowest = Number.POSITIVE_INFINITY
  let found: N[] = []
  for (const node of nodes) {
    const its = load(node)
    if (its < lowest) [lowest, found] = [its, [node]]
    else if (its === lowest) found.push(node)
  }
  return found
}

function asked(balancing: BalancingFunction): Choose {
  return (nodes, call) => {
    let answer: Balanced | undefined
    try {
      // A copy, since sorting in place is how many would find the best.
      answer = balancing(call, [...nodes])
    } catch (cause) {
      const error = balancingError(`the function threw${cause instanceof Error ? `: ${cause.message}` : ''}`)
      error.cause = cause
      throw error
    }
    const chosen = nodes.find((node) => node === answer)
    if (chosen === undefined && answer !== undefined) {
      throw balancingError('the function returned none of the nodes it was given, nor undefined')
    }
    return chosen
  }
}

function balancingError(why: string): ConfigurationError {
  return optionError('balancing', `balancing: ${why}`)
}

/** URLs whose hashes are remembered; far more than anybody has nodes. */
const HASHES = 1024

/** 64 bits in two halves. */
interface Hash {
  readonly high: number
  readonly low: number
}

// Any odd numbers without a pattern would do, but every process and every release must use the same: with other numbers all
// calls would change places.
const K1 = 0x9e3779b1
const K2 = 0x85ebca6b
const K3 = 0xc2b2ae35
const K4 = 0x27d4eb2f

/** Not for secrets: who chooses a Call-ID can choose the node. */
function hash(text: string): Hash {
  let high = K3
  let low = K4
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, K1)
    low = Math.imul((low ^ unit) + (high >>> 15), K2)
  }
  return { high, low }
}

/** The hash of both as a number between 0 and 1, neither included: 52 bits and a half, so that the logarithm is finite. */
function uniform(a: Hash, b: Hash): number {
  let high = a.high ^ b.high
  let low = a.low ^ b.low
  high = Math.imul(high ^ (high >>> 16), K2)
  low = Math.imul(low ^ (low >>> 15) ^ high, K3)
  high = Math.imul(high ^ (high >>> 13) ^ low, K4)
  low = Math.imul(low ^ (low >>> 16) ^ high, K1)
  high ^= high >>> 16
  low ^= low >>> 15
  return ((high >>> 0) * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52
}
