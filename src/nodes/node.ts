import type { Transport } from '../network/transport.ts'
import type { NodeAddress, NodeDefinition } from './grammar.ts'

/** What `show()` says of a node. */
export interface NodeStatus {
  /** The URL as configured, without the weight. */
  readonly url: string
  readonly set: number
  /** Counts nodes in the order they were configured over all sets, from 0. */
  readonly index: number
  readonly weight: number
  readonly disabled: boolean
  /** Disabled by hand: never rechecked until enabled by hand. */
  readonly disabledByHand: boolean
  /**
   * Seconds after the start at which a disabled node is tried again; 4294967295 for one disabled by hand. As in the module
   * it keeps its last value after the node came back.
   */
  readonly recheckTicks: number
}

/** `recheck_ticks` of a node disabled by hand. */
const NEVER = 4294967295

/** One media proxy of one set: its place, its state, and the way to it. */
export class Node {
  readonly url: string
  readonly weight: number
  readonly address: NodeAddress
  readonly set: number
  readonly index: number
  readonly transport: Transport
  disabled = false
  disabledByHand = false
  /** Seconds after the start from which on a disabled node may be tried again. */
  recheckAt = 0

  constructor(definition: NodeDefinition, set: number, transport: Transport) {
    this.url = definition.url
    this.weight = definition.weight
    this.address = definition.address
    this.set = set
    this.index = definition.index
    this.transport = transport
  }

  /** Whether the node is disabled and its time to be tried again has come. */
  isDue(seconds: number): boolean {
    return this.disabled && !this.disabledByHand && this.recheckAt <= seconds
  }

  status(): NodeStatus {
    return {
      url: this.url,
      set: this.set,
      index: this.index,
      weight: this.weight,
      disabled: this.disabled,
      disabledByHand: this.disabledByHand,
      recheckTicks: this.disabledByHand ? NEVER : Math.floor(this.recheckAt),
    }
  }
}
