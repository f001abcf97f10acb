import type { RoundTrip } from './requests/round-trip.ts'

/**
 * Why a command got no reply from a node.
 *
 * - `timeout`: no reply to any of the sends
 * - `refused`: nothing listens there (ICMP port unreachable, connection refused or closed without a word)
 * - `unreachable`: no way there (no route, no such host name, no such UNIX path)
 * - `local`: this host could not send, or its socket broke; says nothing of the node
 * - `too-large`: larger than a datagram can be; nothing was sent
 * - `closed`: the transport was closed
 */
export interface ExchangeFailure {
  readonly kind: 'timeout' | 'refused' | 'unreachable' | 'local' | 'too-large' | 'closed'
  readonly cause?: unknown
}

/** One command to one node, as its sender sees it. `replied` or `failed` is called, once, never inside `send`. */
export interface Exchange {
  /** `COOKIE_LENGTH + 1` bytes of room for cookie and space, which the transport fills, then the dictionary. */
  readonly datagram: Buffer
  /** The cookie is there already: the same request is under way over another transport to the same node. */
  readonly keepsCookie?: boolean | undefined
  /** Its reply may well be larger than a datagram can be. */
  readonly expectsLarge?: boolean | undefined
  /** A reply came: its dictionary stands in `bytes` from `offset` on. The bytes are the receiver's to keep. */
  replied(bytes: Buffer, offset: number): void
  failed(failure: ExchangeFailure): void
  /** That many sends have gone unanswered, and another is due: false gives up with `timeout` instead. */
  unanswered?(sends: number): boolean
}

export interface Timing {
  /** How long to wait after each send. */
  readonly timeoutMs: number
  /** How many sends in all. */
  readonly attempts: number
  /** Sets the waits instead, of as many sends as find room in the same time altogether. */
  readonly roundTrip?: RoundTrip | undefined
}

/** A command that is under way. */
export interface OpenRequest {
  /** Forgets it: neither method of its exchange will be called, and a late reply is dropped. */
  cancel(): void
}

/** The way to one node. */
export interface Transport {
  readonly url: string
  send(exchange: Exchange, timing: Timing): OpenRequest
  /** Looks the host name up again, and goes on at the new address if it moved. Absent where there is no name. */
  refresh?(): Promise<unknown>
  /** Fails what is under way with `closed`. */
  close(): Promise<void>
}
