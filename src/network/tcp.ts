import type { Socket } from 'node:net'
import { net } from '../protocol/builtins.ts'
import { isIPv6 } from '../protocol/ip.ts'
import { StreamFrames } from './framing/stream-frames.ts'
import { type NameResolver, systemNames } from './names.ts'
import type { OpenEntry, OpenRequests, Sender } from './requests/open-requests.ts'
import { Timed } from './requests/timer-wheel.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'

export interface TcpAddress {
  readonly host: string
  readonly port: number
  /** Default: 6 for an IPv6 address, else 4. */
  readonly family?: 4 | 6 | undefined
  /** Where it is connected from. Default: as the system chooses. */
  readonly localAddress?: string | undefined
}

export interface TcpDelays {
  /** Wait before the first reconnection; each that follows waits twice as long. */
  readonly firstMs: number
  /** Longest wait before a reconnection. */
  readonly longestMs: number
  /** How long a connection may take to be set up. */
  readonly connectMs: number
}

const DELAYS: TcpDelays = { firstMs: 100, longestMs: 10_000, connectMs: 5000 }

/** What the system says about the way to the node rather than about this host. */
const KINDS: Record<string, ExchangeFailure['kind']> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ETIMEDOUT: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EINVAL: 'unreachable',
}

function failureOf(cause: NodeJS.ErrnoException): ExchangeFailure {
  // The address to connect from is none of this host.
  if (cause.syscall === 'bind') return { kind: 'local', cause }
  return { kind: KINDS[cause.code ?? ''] ?? 'local', cause }
}

/**
 * Most bytes of one write, unless one message is longer. rtpengine closes a connection when it has read all there is and more
 * than 1,024 bytes of an incomplete message remain, and the system cuts a larger write where it likes.
 */
const MAX_BATCH = 32_768

/**
 * Most bytes that wait for their replies: less than what a peer takes in before it has read any (65,535 bytes at first, and that is all a
 * busy one ever has), since the system cuts where the peer's room ends. A message that is longer is cut in any case, and waits for none.
 */
const MAX_UNANSWERED = 49_152

/** An idle connection is probed so often, which also keeps a NAT or firewall on the way from forgetting it. */
const KEEP_ALIVE_MS = 60_000

/** Whose connection it is. */
interface Owner {
  connected(): void
  received(message: Buffer): void
  /** How long the peer may be silent. */
  patienceMs(): number
  /** Whether anything waits for a reply. */
  waits(): boolean
  /** The socket is closed; nothing else follows. */
  gone(cause: Error): void
}

/** One connection from its first packet to its last: writes in batches, and watches that the peer takes part. */
class Connection extends Timed {
  readonly #socket: Socket
  readonly #owner: Owner
  readonly #requests: OpenRequests
  readonly #queue: OpenEntry[] = []
  readonly #room = Buffer.allocUnsafeSlow(MAX_BATCH)
  #cause = new Error('connection closed')
  isConnected = false
  #scheduled = false
  /** Whether the system has not taken all of the last batch yet. */
  #writing = false
  /** Requests that were written and are not answered yet, and about how many bytes they are. */
  #unanswered = 0
  #unansweredBytes = 0
  /** Since the watch began nothing came in. */
  #silent = false
  /** The batch that was being written when the watch began still is. */
  #stuck = false
  /** The watch has run out, and is judged in a moment: what is written meanwhile must not begin another. */
  #judged = false

  constructor(address: TcpAddress, connectMs: number, requests: OpenRequests, owner: Owner) {
    super()
    this.#requests = requests
    this.#owner = owner
    const frames = new StreamFrames((message) => owner.received(message))
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
    const { host, port, localAddress } = address
    const socket = net().connect({ host, port, localAddress, noDelay: true, ...keepAlive })
    this.#socket = socket
    socket.setTimeout(connectMs, () => {
      const why = `no connection within ${connectMs} ms`
      socket.destroy(Object.assign(new Error(why), { code: 'ETIMEDOUT' }))
    })
    socket.on('connect', () => {
      socket.setTimeout(0)
      this.isConnected = true
      owner.connected()
    })
    socket.on('data', (chunk) => {
      this.#silent = false
      if (frames.push(chunk)) return
      requests.dropped.malformed++
      socket.destroy(new Error('the peer sent no NG messages'))
    })
    socket.on('error', (error) => {
      this.#cause = error
    })
    socket.on('close', () => {
      requests.wheel.remove(this)
      owner.gone(this.#cause)
    })
  }

  /** Sends the entry with all others of this turn of the event loop, if it is still open then. */
  write(entry: OpenEntry): void {
    this.#queue.push(entry)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#writing || this.#scheduled) return
    this.#scheduled = true
    // Not a microtask: those run between one SIP message and the next, and each would have a write of its own.
    setImmediate(this.#flush)
  }

  /** Of those that are left, nobody knows which was answered: each counts as one of the same length. */
  readonly #answered = (): void => {
    this.#unansweredBytes -= this.#unansweredBytes / this.#unanswered--
    if (this.#queue.length > 0) this.#schedule()
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    const batch = this.#batch()
    if (batch === undefined || this.#socket.destroyed) return
    this.#writing = true
    this.#socket.write(batch, this.#written)
    if (this.slot < 0 && !this.#judged) this.#watch()
  }

  readonly #written = (): void => {
    this.#writing = false
    this.#stuck = false
    if (this.#queue.length > 0) this.#flush()
  }

  /** A copy of what is next in the queue and still open: the datagram of a request that fails gets the cookie of its next one in place. */
  #batch(): Buffer | undefined {
    const queue = this.#queue
    const free = MAX_UNANSWERED - this.#unansweredBytes
    const room = Math.min(MAX_BATCH, free)
    let count = 0
    let length = 0
    for (; count < queue.length; count++) {
      const entry = queue[count]!
      if (entry.taken) continue
      const own = entry.exchange.datagram.length
      if (length > 0 ? length + own > room : own > free && own <= MAX_UNANSWERED) break
      length += own
    }
    const batch = length <= MAX_BATCH ? this.#room.subarray(0, length) : Buffer.allocUnsafe(length)
    let at = 0
    for (let i = 0; i < count; i++) {
      const entry = queue[i]!
      if (entry.taken) continue
      batch.set(entry.exchange.datagram, at)
      at += entry.exchange.datagram.length
      entry.onTaken = this.#answered
      this.#unanswered++
    }
    this.#unansweredBytes += length
    queue.splice(0, count)
    return length === 0 ? undefined : batch
  }

  #watch(): void {
    this.#silent = true
    this.#stuck = this.#writing
    this.#requests.wheel.add(this, this.#owner.patienceMs())
  }

  /** A peer that is there has sent something since the watch began, and taken what was written then. */
  override expired(): void {
    this.#judged = true
    // Where the event loop was held up, what has come in meanwhile is read first.
    setImmediate(this.#judge)
  }

  readonly #judge = (): void => {
    this.#judged = false
    if (this.#silent) this.#socket.destroy(new Error('the peer sends nothing'))
    else if (this.#stuck) this.#socket.destroy(new Error('the peer takes nothing'))
    else if (this.#owner.waits()) this.#watch()
  }

  /** Resolves when the socket is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve()).destroy()
    })
  }
}

/**
 * One TCP connection to one node (rtpengine's `--listen-tcp-ng`), shared by all its commands; replies come in any order and
 * find their requests by the cookie. The first command looks the name up and connects; so does the next one after the
 * connection was closed or could not be made. If there is none to be had, what is open fails at once.
 *
 * A stream delivers or breaks, so nothing is sent twice over one connection: a command waits `timeoutMs` x `attempts` in all.
 * A connection over which nothing comes in for `timeoutMs`, or nothing goes out, counts as broken. After a break the
 * transport connects again, sooner or later, as long as anything is open, and sends that with the same cookie, to which
 * rtpengine gives the same answer however often it is asked.
 */
export class TcpTransport implements Transport, Sender {
  readonly isConnected = true
  trouble: Error | undefined
  readonly url: string
  readonly #address: TcpAddress
  readonly #requests: OpenRequests
  readonly #names: NameResolver
  readonly #delays: TcpDelays
  readonly #owner: Owner = {
    connected: () => {
      for (const entry of this.#requests.openAt(this)) {
        if (entry.isForgotten) entry.fail({ kind: 'refused', cause: this.trouble })
        else this.#connection?.write(entry)
      }
    },
    received: (message) => {
      this.#delayMs = this.#delays.firstMs
      this.trouble = undefined
      this.#requests.receive(this, message)
    },
    patienceMs: () => this.#patienceMs,
    waits: () => this.#waits(),
    gone: (cause) => this.#gone(cause),
  }
  #connection: Connection | undefined
  #isLookingUp = false
  #reconnection: NodeJS.Timeout | undefined
  /** The wait before the next reconnection. */
  #delayMs: number
  /** What the last command waits for its reply at first. */
  #patienceMs = 0
  #closed = false

  constructor(
    url: string,
    address: TcpAddress,
    requests: OpenRequests,
    names: NameResolver = systemNames,
    delays: Partial<TcpDelays> = {},
  ) {
    this.url = url
    this.#address = address
    this.#requests = requests
    this.#names = names
    this.#delays = { ...DELAYS, ...delays }
    this.#delayMs = this.#delays.firstMs
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    const entry = this.#requests.open(this, exchange, timing)
    this.#patienceMs = timing.timeoutMs
    const connection = this.#connection
    // Failures are told later, never inside `send`.
    if (this.#closed) queueMicrotask(() => entry.fail({ kind: 'closed' }))
    else if (connection?.isConnected) connection.write(entry)
    else if (connection === undefined && this.#reconnection === undefined) void this.#open()
    return entry
  }

  /** Called at each attempt. Each connection is given every request once: by `send`, or when it has been made. */
  transmit(): void {}

  async #open(): Promise<void> {
    if (this.#isLookingUp) return
    this.#isLookingUp = true
    const { host, family = isIPv6(host) ? 6 : 4 } = this.#address
    try {
      const [address] = await this.#names.addresses(host, family)
      if (address === undefined) throw new Error(`${host} has no address`)
      this.#isLookingUp = false
      if (this.#closed) return
      const there = { ...this.#address, host: address }
      this.#connection = new Connection(there, this.#delays.connectMs, this.#requests, this.#owner)
    } catch (cause) {
      this.#isLookingUp = false
      this.#requests.failAll(this, { kind: 'unreachable', cause })
    }
  }

  #waits(): boolean {
    return this.#requests.openAt(this).length > 0
  }

  #gone(cause: Error): void {
    const wasConnected = this.#connection?.isConnected
    this.#connection = undefined
    if (!wasConnected) this.#requests.failAll(this, failureOf(cause))
    else if (this.#waits()) {
      this.trouble = cause
      this.#reconnectLater()
    }
  }

  #reconnectLater(): void {
    // Many hosts that lost the same node must not come back to it together.
    const delayMs = this.#delayMs * (0.5 + Math.random() / 2)
    this.#delayMs = Math.min(2 * this.#delayMs, this.#delays.longestMs)
    this.#reconnection = setTimeout(() => {
      this.#reconnection = undefined
      if (this.#waits()) void this.#open()
    }, delayMs)
  }

  /** Resolves when no socket is left; does not wait for a look-up. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#reconnection)
    this.#requests.failAll(this, { kind: 'closed' })
    await this.#connection?.close()
  }
}
