import { channel } from 'node:diagnostics_channel'
import type { RtpProxyNgError } from '../../errors.ts'
import type { NodeState, NodeStatus } from '../node.ts'

/** Each change of a media proxy's state. */
export const nodeChannel = channel('rtpproxy-ng:node')

/** What the channel `rtpproxy-ng:node` tells. */
export class NodeChange {
  /** As it is now. */
  readonly node: NodeStatus
  readonly before: NodeState
  /** Why it was found out of order. */
  readonly reason: RtpProxyNgError | undefined
  readonly #client: object

  constructor(client: object, node: NodeStatus, before: NodeState, reason: RtpProxyNgError | undefined) {
    this.#client = client
    this.node = node
    this.before = before
    this.reason = reason
  }

  /** The `RtpProxyNg` that has found it out. */
  get client(): object {
    return this.#client
  }
}
