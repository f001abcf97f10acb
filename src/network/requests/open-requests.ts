import { COOKIE_LENGTH, Cookies } from '../../protocol/cookie.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing } from '../transport.ts'
import { type DroppedReplies, DroppedReply, dropChannel } from './dropped.ts'
import { type Counted, EntryTable } from './entry-table.ts'
import { LONGEST_MS } from './round-trip.ts'
import { Timed, TimerWheel } from './timer-wheel.ts'

/** Whoever sends the datagrams of an entry. */
export interface Sender {
  /** Whether what comes in is the node's for certain, as on a connection: then it may say more than it was asked. */
  readonly isConnected?: boolean
  /** Why the last connection broke on which something waited, as long as nothing has come in since. */
  readonly trouble?: Error | undefined
  transmit(entry: OpenEntry): void
}

/** One request under way: its datagram, its deadline and whom to tell. */
export class OpenEntry extends Timed implements OpenRequest, Counted<OpenEntry> {
  readonly sender: Sender
  readonly exchange: Exchange
  readonly counter: number
  below: OpenEntry | undefined
  /** Whether the request is off the table: answered, failed or cancelled. */
  taken = false
  /** The same request over another transport: whichever gets the reply first, both have the cookie. */
  twin: OpenEntry | undefined
  /** Told when the request is off the table, whatever took it off. */
  onTaken: (() => void) | undefined
  readonly #timing: Timing
  readonly #table: OpenRequests
  #sends = 0
  /** How many of the sends have not left this host, and why. */
  #unsent = 0
  #unsentFailure: ExchangeFailure | undefined
  /** Of a request with measured waits: when it was first sent, and for how long it may wait yet. */
  #sentAt = 0
  #leftMs = 0

  constructor(table: OpenRequests, sender: Sender, exchange: Exchange, timing: Timing, counter: number) {
    super()
    this.#table = table
    this.sender = sender
    this.exchange = exchange
    this.counter = counter
    this.#timing = timing
    if (timing.roundTrip !== undefined) {
      this.#sentAt = performance.now()
      this.#leftMs = Math.min(timing.timeoutMs * timing.attempts, LONGEST_MS)
    }
  }

  /** Whether it began so long ago that rtpengine may have forgotten the cookie, and would do it twice were it sent again. */
  get isForgotten(): boolean {
    const { timeoutMs, attempts, roundTrip } = this.#timing
    // Measured waits end before that in any case.
    if (roundTrip !== undefined || timeoutMs * attempts <= LONGEST_MS) return false
    return this.#sends * timeoutMs - this.#table.wheel.leftMs(this) >= LONGEST_MS
  }

  /** Sends the datagram (again, the same bytes) and waits for one timeout. */
  transmit(): void {
    this.#sends++
    this.#table.wheel.add(this, this.#wait())
    this.sender.transmit(this)
  }

  #wait(): number {
    const { timeoutMs, roundTrip } = this.#timing
    if (roundTrip === undefined) return timeoutMs
    const wait = Math.min(roundTrip.wait(this.#sends, timeoutMs), this.#leftMs)
    this.#leftMs -= wait
    return wait
  }

  override expired(): void {
    const { attempts, roundTrip } = this.#timing
    const again = roundTrip === undefined ? this.#sends < attempts : this.#leftMs > 0
    if (this.#unsent === this.#sends) {
      // Nothing has left this host, so nothing can be said of the node.
      if (again) this.transmit()
      else this.fail(this.#unsentFailure!)
    } else if (again && (this.exchange.unanswered?.(this.#sends) ?? true)) this.transmit()
    else this.fail({ kind: 'timeout', cause: this.sender.trouble })
  }

  /** This host could not send just now, and the next send may do better: fails when none of them has left. */
  unsent(failure: ExchangeFailure): void {
    this.#unsent++
    this.#unsentFailure = failure
    const { attempts, roundTrip } = this.#timing
    if (this.#unsent === this.#sends && roundTrip === undefined && this.#sends >= attempts) this.fail(failure)
  }

  reply(bytes: Buffer, offset: number): void {
    if (!this.#table.take(this)) return
    const { roundTrip } = this.#timing
    // Of a request sent more than once nobody knows which send was answered (RFC 6298, section 3).
    if (this.#sends === 1) roundTrip?.measured(performance.now() - this.#sentAt)
    else roundTrip?.resent(this.#sends)
    this.exchange.replied(bytes, offset)
  }

  fail(failure: ExchangeFailure): void {
    if (this.#table.take(this)) this.exchange.failed(failure)
  }

  cancel(): void {
    this.#table.take(this)
  }
}

/** Every request that waits for a reply, by the counter of its cookie; one table and one timer for all nodes. */
export class OpenRequests {
  readonly wheel: TimerWheel
  readonly dropped: DroppedReplies = { late: 0, foreign: 0, malformed: 0 }
  /** Told of messages on a connection that answer nothing; true for one it has taken, which is not counted then. */
  onUnasked: ((message: Buffer, offset: number, sender: Sender) => boolean) | undefined
  readonly #cookies = new Cookies()
  readonly #entries = new EntryTable<OpenEntry>()
  readonly #client: object

  /** @param client whose requests they are: those who watch several tell them apart by it. */
  constructor(wheel = new TimerWheel(), client?: object) {
    this.#client = client ?? this
    this.wheel = wheel
  }

  get size(): number {
    return this.#entries.size
  }

  /** Gives the exchange's datagram its cookie, unless it keeps the one it has, and sends it. */
  open(sender: Sender, exchange: Exchange, timing: Timing): OpenEntry {
    const { datagram, keepsCookie } = exchange
    const counter = keepsCookie ? this.#cookies.read(datagram) : this.#cookies.write(datagram)
    const entry = new OpenEntry(this, sender, exchange, timing, counter)
    if (keepsCookie) this.#put(entry)
    else this.#entries.add(entry)
    entry.transmit()
    return entry
  }

  /** In place of the same request over another transport, if that is open still. */
  #put(entry: OpenEntry): void {
    const twin = this.#entries.get(entry.counter)
    if (twin !== undefined) this.#entries.remove(twin)
    entry.twin = twin
    this.#entries.add(entry)
  }

  /** Hands a datagram that came in at `sender` to the request it answers, or drops and counts it. False: it is no message at all. */
  receive(sender: Sender, datagram: Buffer): boolean {
    const counter = this.#cookies.read(datagram)
    let entry = this.#entries.get(counter)
    if (entry !== undefined && entry.sender !== sender && entry.twin?.sender === sender) entry = entry.twin
    if (counter < 0 && datagram.indexOf(0x20) < 1 && datagram.length !== COOKIE_LENGTH) {
      this.#drop('malformed', datagram)
      return false
    }
    if (counter < 0 && sender.isConnected && this.#isUnasked(sender, datagram)) return true
    if (counter < 0 || (entry !== undefined && entry.sender !== sender)) this.#drop('foreign', datagram)
    else if (entry === undefined) this.#drop('late', datagram)
    else entry.reply(datagram, Math.min(COOKIE_LENGTH + 1, datagram.length))
    return true
  }

  #drop(reason: keyof DroppedReplies, { length }: Buffer): void {
    this.dropped[reason]++
    if (dropChannel.hasSubscribers) dropChannel.publish(new DroppedReply(this.#client, reason, length))
  }

  #isUnasked(sender: Sender, message: Buffer): boolean {
    return this.onUnasked?.(message, message.indexOf(0x20) + 1, sender) ?? false
  }

  /** Takes a request off the table; false if it was off already. */
  take(entry: OpenEntry): boolean {
    this.wheel.remove(entry)
    if (entry.taken) return false
    entry.taken = true
    this.#remove(entry)
    entry.onTaken?.()
    return true
  }

  #remove(entry: OpenEntry): void {
    const { counter, twin } = entry
    const first = this.#entries.get(counter)
    if (first !== entry) {
      // Its twin goes on alone.
      if (first?.twin === entry) first.twin = undefined
    } else {
      this.#entries.remove(entry)
      if (twin !== undefined) this.#entries.add(twin)
    }
  }

  /** The requests open at `sender`, oldest first, as they are now: what is told of one may open or end others. */
  openAt(sender: Sender): OpenEntry[] {
    const open: OpenEntry[] = []
    for (const entry of this.#entries.inOrder()) {
      if (entry.sender === sender) open.push(entry)
      else if (entry.twin?.sender === sender) open.push(entry.twin)
    }
    return open
  }

  /** Fails every request open at `sender`. */
  failAll(sender: Sender, failure: ExchangeFailure): void {
    for (const entry of this.openAt(sender)) entry.fail(failure)
  }
}
