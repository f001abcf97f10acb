import type { OpenEntry, Sender } from '../requests/open-requests.ts'
import { LONGEST_MS } from '../requests/round-trip.ts'
import type { ExchangeFailure, Timing } from '../transport.ts'
import { WebSocketConnection, type WebSocketRoute } from './connection.ts'
import type { WebSocketSharing } from './websocket.ts'

/**
 * One connection for all requests; replies come in any order and find them by their cookies.
 *
 * The first request connects, and so does the next one after the connection was closed or could not be made. If there is none to
 * be had, what is open fails at once. A connection over which nothing comes in for `timeoutMs` while requests wait, or nothing goes
 * out, counts as broken. After a break it is made again, sooner or later, as long as anything is open, and that is sent again with
 * the same cookie, unless it is so old that rtpengine may have forgotten the cookie.
 */
export class SharedConnection implements WebSocketSharing {
  readonly #route: WebSocketRoute
  readonly #sender: Sender
  readonly #openedAt = new WeakMap<OpenEntry, number>()
  #connection: WebSocketConnection | undefined
  #reconnection: NodeJS.Timeout | undefined
  /** The wait before the next reconnection. */
  #delayMs: number
  /** What the last request waits for its reply at first. */
  #patienceMs = 0
  #isClosed = false

  constructor(route: WebSocketRoute, sender: Sender) {
    this.#route = route
    this.#sender = sender
    this.#delayMs = route.delays.firstMs
  }

  send(entry: OpenEntry, { timeoutMs }: Timing): void {
    this.#openedAt.set(entry, performance.now())
    this.#patienceMs = timeoutMs
    const connection = this.#connection
    if (connection?.isConnected) connection.write(entry)
    else if (connection === undefined && this.#reconnection === undefined) this.#open()
  }

  #open(): void {
    const { requests, delays } = this.#route
    this.#connection = new WebSocketConnection(this.#route, {
      connected: () => {
        for (const entry of this.#sendable()) this.#connection?.write(entry)
      },
      received: (message) => {
        this.#delayMs = delays.firstMs
        requests.receive(this.#sender, message)
      },
      patienceMs: () => (requests.openAt(this.#sender).length > 0 ? this.#patienceMs : 0),
      gone: (failure) => this.#gone(failure),
    })
  }

  #sendable(): OpenEntry[] {
    const since = performance.now() - LONGEST_MS
    return this.#route.requests
      .openAt(this.#sender)
      .filter((entry) => (this.#openedAt.get(entry) ?? since) > since)
  }

  #gone(failure: ExchangeFailure): void {
    const wasConnected = this.#connection?.isConnected
    this.#connection = undefined
    if (!wasConnected) this.#route.requests.failAll(this.#sender, failure)
    else if (!this.#isClosed && this.#sendable().length > 0) this.#reconnectLater()
  }

  #reconnectLater(): void {
    // Many hosts that lost the same node must not come back to it together.
    const delayMs = this.#delayMs * (0.5 + Math.random() / 2)
    this.#delayMs = Math.min(2 * this.#delayMs, this.#route.delays.longestMs)
    this.#reconnection = setTimeout(() => {
      this.#reconnection = undefined
      if (this.#sendable().length > 0) this.#open()
    }, delayMs)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#reconnection)
    this.#connection?.end({ kind: 'closed' })
  }
}
