import type { OpenEntry } from '../requests/open-requests.ts'
import type { ExchangeFailure } from '../transport.ts'
import { WebSocketConnection, type WebSocketRoute } from './connection.ts'
import type { WebSocketSharing } from './websocket.ts'

/** Most connections to one node, and so most requests at once; others wait for their turn. */
const MAX_CONNECTIONS = 8

/** One of the connections, and the request that has it. */
interface Lane {
  readonly connection: WebSocketConnection
  entry: OpenEntry | undefined
}

/**
 * Connections for requests without cookies. Nothing tells which request a message answers, so each has a connection to itself
 * until its reply comes; a request that ends without one takes its connection with it, over which the reply may yet come. A
 * request whose connection breaks fails: sent again, it might be executed twice.
 */
export class PlainConnections implements WebSocketSharing {
  readonly #route: WebSocketRoute
  readonly #lanes = new Set<Lane>()
  /** What no connection has been given yet, oldest first. */
  readonly #waiting = new Set<OpenEntry>()
  #isClosed = false

  constructor(route: WebSocketRoute) {
    this.#route = route
  }

  send(entry: OpenEntry): void {
    this.#waiting.add(entry)
    entry.onTaken = () => this.#waiting.delete(entry)
    this.#assign()
  }

  /** Gives connections to those that wait, and makes as many more as they need. */
  #assign(): void {
    if (this.#isClosed) return
    let connecting = 0
    for (const lane of this.#lanes) {
      if (!lane.connection.isConnected) connecting++
      else if (lane.entry === undefined) this.#give(lane)
    }
    while (connecting++ < this.#waiting.size && this.#lanes.size < MAX_CONNECTIONS) this.#open()
  }

  #give(lane: Lane): void {
    const [entry] = this.#waiting
    if (entry === undefined || !lane.connection.isOpen) return
    this.#waiting.delete(entry)
    lane.entry = entry
    entry.onTaken = () => {
      lane.entry = undefined
      lane.connection.end({ kind: 'closed' })
    }
    lane.connection.write(entry)
  }

  #open(): void {
    const connection = new WebSocketConnection(this.#route, {
      connected: () => this.#assign(),
      received: (message) => this.#received(lane, message),
      // Each request has its own time, and ends its connection.
      patienceMs: () => 0,
      gone: (failure) => this.#gone(lane, failure),
    })
    const lane: Lane = { connection, entry: undefined }
    this.#lanes.add(lane)
  }

  #received(lane: Lane, message: Buffer): void {
    const { entry } = lane
    if (entry === undefined) {
      // What comes next might be taken for the reply to the next request.
      this.#route.requests.dropped.malformed++
      lane.connection.end({ kind: 'refused' })
      return
    }
    entry.onTaken = undefined
    lane.entry = undefined
    this.#give(lane)
    entry.reply(message, 0)
  }

  #gone(lane: Lane, failure: ExchangeFailure): void {
    this.#lanes.delete(lane)
    const { entry } = lane
    if (entry !== undefined) {
      entry.onTaken = undefined
      entry.fail(failure)
    }
    const isConnected =
      lane.connection.isConnected || [...this.#lanes].some((other) => other.connection.isConnected)
    // If not even one can be had, nobody is left to wait for.
    if (isConnected) this.#assign()
    else for (const waiting of [...this.#waiting]) waiting.fail(failure)
  }

  close(): void {
    this.#isClosed = true
    for (const { connection } of [...this.#lanes]) connection.end({ kind: 'closed' })
  }
}
