import { channel } from 'node:diagnostics_channel'

/** Datagrams that came from a node's address but were no reply to an open request, by reason. */
export interface DroppedReplies {
  /** Ours, but answered already, given up, or repeated. */
  late: number
  /** With another's cookie, or ours for a request that is open at another node. */
  foreign: number
  /** Without a cookie. */
  malformed: number
}

/** Each datagram that was dropped. */
export const dropChannel = channel('rtpproxy-ng:drop')

/** What the channel `rtpproxy-ng:drop` tells. */
export class DroppedReply {
  readonly reason: keyof DroppedReplies
  /** How many bytes it had. */
  readonly length: number
  readonly #client: object

  constructor(client: object, reason: keyof DroppedReplies, length: number) {
    this.#client = client
    this.reason = reason
    this.length = length
  }

  /** The `RtpProxyNg` or `NgClient` it came to. */
  get client(): object {
    return this.#client
  }
}
