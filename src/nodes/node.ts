import type { Timing, Transport } from '../network/transport.ts'
import type { Balanced } from './balancing.ts'
import type { NodeAddress, NodeDefinition } from './grammar.ts'

/**
 * - `up`: answers
 * - `suspect`: left a send unanswered, and has not answered anything since
 * - `down`: found out of order; tried again when `recheckTicks` is over
 * - `disabled`: by hand, until enabled by hand; keeps the calls it has
 * - `draining`: keeps the calls it has, gets no new ones
 */
export type NodeState = 'up' | 'suspect' | 'down' | 'disabled' | 'draining'

/** What `show()` says of a node. */
export interface NodeStatus {
  /** The URL as configured, without the weight; with the options `names: 'all'` and `'srv'` the place it led to. */
  readonly url: string
  /** The URL as configured. */
  readonly origin: string
  readonly set: number
  /** Counts nodes in the order they were configured over all sets, from 0. */
  readonly index: number
  readonly weight: number
  /** 0 takes calls first; the next tier only when none of the one before can. */
  readonly tier: number
  readonly state: NodeState
  readonly disabled: boolean
  /** Disabled by hand: never rechecked until enabled by hand. */
  readonly disabledByHand: boolean
  /**
   * Seconds after the start at which a disabled node is tried again; 4294967295 for one disabled by hand. As in the module
   * it keeps its last value after the node came back.
   */
  readonly recheckTicks: number
  /** Commands that wait for its reply now. */
  readonly open: number
  /** Calls it has, by the memory of calls; 0 without one. */
  readonly calls: number
}

/** `recheck_ticks` of a node disabled by hand. */
const NEVER = 4294967295

/** The tier of nodes that take calls only when no other can. */
export const LAST_TIER: number = Number.MAX_SAFE_INTEGER

/** One media proxy of one set: its place, its state, and the way to it. */
export class Node implements Balanced {
  readonly url: string
  /** The URL as written: another than `url` when that is one of the places a name leads to. */
  readonly origin: string
  readonly address: NodeAddress
  readonly set: number
  readonly transport: Transport
  /** Whether replies of any size come back. */
  readonly hasStream: boolean
  readonly timing: Timing
  weight: number
  index: number
  tier: number

  disabled = false
  disabledByHand = false
  draining = false
  /** No longer configured: what is open ends, and nothing new begins. */
  removed = false
  /** Left a send unanswered since its last reply. */
  suspect = false
  /** One command is on its way to find out whether the node is back. */
  probing = false
  /** Commands in a row that got no reply. */
  unanswered = 0
  /** Seconds after the start from which on a disabled node may be tried again. */
  recheckAt = 0
  /** Seconds after the start until which the node should get no new calls. */
  sparedUntil = 0
  /** How many replies have come from it: tells whether one has come since some moment. */
  answers = 0
  open = 0
  readonly #calls: (node: Node) => number

  /** @param calls how many calls a node has, by the memory of calls. */
  constructor(
    definition: NodeDefinition,
    set: number,
    transport: Transport,
    timing: Timing,
    calls: (node: Node) => number,
  ) {
    this.url = definition.url
    this.origin = definition.origin ?? definition.url
    this.weight = definition.weight
    this.address = definition.address
    this.tier = definition.tier ?? 0
    this.set = set
    this.index = definition.index
    this.transport = transport
    this.hasStream = definition.stream !== undefined || definition.address.transport !== 'udp'
    this.timing = timing
    this.#calls = calls
  }

  get calls(): number {
    return this.#calls(this)
  }

  get state(): NodeState {
    if (this.disabledByHand) return 'disabled'
    if (this.disabled) return 'down'
    if (this.draining) return 'draining'
    return this.suspect ? 'suspect' : 'up'
  }

  /** Whether the node is disabled and its time to be tried again has come. */
  isDue(seconds: number): boolean {
    return this.disabled && !this.disabledByHand && this.recheckAt <= seconds
  }

  /** Whether calls it has already may go to it: one disabled by hand finishes what it has. */
  get keepsCalls(): boolean {
    return !this.removed && (!this.disabled || this.disabledByHand)
  }

  status(): NodeStatus {
    return {
      url: this.url,
      origin: this.origin,
      set: this.set,
      index: this.index,
      weight: this.weight,
      tier: this.tier,
      state: this.state,
      disabled: this.disabled,
      disabledByHand: this.disabledByHand,
      recheckTicks: this.disabledByHand ? NEVER : Math.floor(this.recheckAt),
      open: this.open,
      calls: this.calls,
    }
  }
}
