import type { OpenEntry, Sender } from '../requests/open-requests.ts'
import { LONGEST_MS } from '../requests/round-trip.ts'
import type { ExchangeFailure, Timing } from '../transport.ts'
import { WebSocketConnection, type WebSocketRoute } from './connection.ts'

/** Most connections to one node, and so most requests at once; others wait for their turn. */
const MAX_LANES = 8

/** One of the connections, and the request that has it. */
interface Lane {
  readonly connection: WebSocketConnection
  entry: OpenEntry | undefined
}

interface Begin {
  readonly at: number
  readonly patienceMs: number
}

/**
 * Connections that each carry one request at a time. Without cookies nothing else tells which request a message answers; with cookies
 * rtpengine needs it: of requests that overlap on one connection, 10.5.3 mixes up the replies now and then, down to the frames, and
 * gives one the reply of another.
 *
 * The first requests connect, and so do the next ones after connections were closed or could not be made. If there is none to be had,
 * what is open fails at once. A request that ends without a reply takes its connection with it, over which the reply may yet come. A
 * connection over which nothing comes in for `timeoutMs` while its request waits, or nothing goes out, counts as broken. What is open at
 * a break is sent again with the same cookie over another, sooner or later, unless it is so old that rtpengine may have forgotten the
 * cookie; without cookies it fails, since it might be executed twice.
 */
export class Lanes {
  readonly #route: WebSocketRoute
  readonly #sender: Sender
  readonly #lanes = new Set<Lane>()
  /** What no connection has been given yet, oldest first. */
  #waiting = new Set<OpenEntry>()
  readonly #begun = new WeakMap<OpenEntry, Begin>()
  #reconnection: NodeJS.Timeout | undefined
  /** The wait before the next reconnection. */
  #delayMs: number
  #isClosed = false
  /** Why the last connection with a request broke, as long as nothing has come in since. */
  trouble: Error | undefined

  constructor(route: WebSocketRoute, sender: Sender) {
    this.#route = route
    this.#sender = sender
    this.#delayMs = route.delays.firstMs
  }

  get #plain(): boolean {
    return this.#route.address.plain
  }

  /** Never fails the entry before it returns. */
  send(entry: OpenEntry, { timeoutMs }: Timing): void {
    this.#begun.set(entry, { at: performance.now(), patienceMs: timeoutMs })
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
    if (this.#reconnection !== undefined) return
    while (connecting++ < this.#waiting.size && this.#lanes.size < MAX_LANES) this.#open()
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
      patienceMs: () => this.#patienceOf(lane.entry),
      gone: (failure) => this.#gone(lane, failure),
    })
    const lane: Lane = { connection, entry: undefined }
    this.#lanes.add(lane)
  }

  /** Without cookies there is no second try, so a request has all of its time. */
  #patienceOf(entry: OpenEntry | undefined): number {
    return entry === undefined || this.#plain ? 0 : this.#begun.get(entry)!.patienceMs
  }

  #received(lane: Lane, message: Buffer): void {
    const { entry } = lane
    const { requests } = this.#route
    if (entry === undefined && this.#plain) {
      // What comes next might be taken for the reply to the next request.
      requests.dropped.malformed++
      lane.connection.end({ kind: 'refused' })
      return
    }
    const onTaken = entry?.onTaken
    if (entry !== undefined) entry.onTaken = undefined
    let isMessage = true
    if (this.#plain) entry!.reply(message, 0)
    else isMessage = requests.receive(this.#sender, message)
    if (isMessage) {
      this.#delayMs = this.#route.delays.firstMs
      this.trouble = undefined
    }
    if (entry !== undefined && !entry.taken) entry.onTaken = onTaken
    // It may have been the reply, of which only a mangled rest has come.
    if (!isMessage) lane.connection.end({ kind: 'refused', cause: new Error('the peer sent no NG message') })
    else if (entry === undefined || !entry.taken) return
    else if (lane.entry === entry) {
      lane.entry = undefined
      this.#assign()
    }
  }

  #gone(lane: Lane, failure: ExchangeFailure): void {
    this.#lanes.delete(lane)
    const { entry } = lane
    const { isConnected } = lane.connection
    if (entry !== undefined) {
      // What has come in over it already may yet be read: by its cookie it still is a reply.
      lane.entry = undefined
      this.trouble = failure.cause as Error | undefined
      this.#lost(entry, failure)
    }
    if (isConnected && !this.#plain) this.#assignLater()
    else if (isConnected || [...this.#lanes].some((other) => other.connection.isConnected)) this.#assign()
    // If not even one can be had, nobody is left to wait for.
    else for (const waiting of [...this.#waiting]) waiting.fail(failure)
  }

  /** The connection of the entry is gone before its reply. */
  #lost(entry: OpenEntry, failure: ExchangeFailure): void {
    const isForgotten = performance.now() - this.#begun.get(entry)!.at >= LONGEST_MS
    if (this.#plain || this.#isClosed || isForgotten) {
      entry.onTaken = undefined
      entry.fail(failure)
      return
    }
    this.#waiting = new Set([entry, ...this.#waiting])
    entry.onTaken = () => this.#waiting.delete(entry)
  }

  /** What waits takes the connections there are; another is made after a while. */
  #assignLater(): void {
    if (this.#isClosed || this.#waiting.size === 0 || this.#reconnection !== undefined) return
    // Many hosts that lost the same node must not come back to it together.
    const delayMs = this.#delayMs * (0.5 + Math.random() / 2)
    this.#delayMs = Math.min(2 * this.#delayMs, this.#route.delays.longestMs)
    this.#reconnection = setTimeout(() => {
      this.#reconnection = undefined
      this.#assign()
    }, delayMs)
    this.#assign()
  }

  /** Opens nothing any more. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#reconnection)
    for (const { connection } of [...this.#lanes]) connection.end({ kind: 'closed' })
  }
}
