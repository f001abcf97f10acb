import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { optionError } from '../../errors.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import type { OpenEntry, OpenRequests } from '../requests/open-requests.ts'
import { Timed } from '../requests/timer-wheel.ts'
import type { ExchangeFailure } from '../transport.ts'
import type { WebAddress, WebOptions } from './address.ts'
import type { Connecting } from './connect.ts'
import { failureOf } from './failure.ts'

export interface WebSocketDelays {
  /** Wait before the first reconnection; each that follows waits twice as long. */
  readonly firstMs: number
  /** Longest wait before a reconnection. */
  readonly longestMs: number
  /** How long a connection may take to be set up, the upgrade included. */
  readonly connectMs: number
  /** After so long a silence the peer is sent a ping. */
  readonly keepAliveMs: number
  /** How long its pong may take. */
  readonly pongMs: number
}

/** Most bytes of a message that comes in. */
const MAX_MESSAGE = 1 << 20
/** So many bytes are handed over ahead of what the system takes; the others wait where those that end can still be left out. */
const MAX_AHEAD = 65_536

/** Where a connection leads, and how. */
export interface WebSocketRoute {
  readonly address: WebAddress
  readonly options: WebOptions
  readonly connecting: Connecting
  readonly requests: OpenRequests
  readonly delays: WebSocketDelays
  /** Those that are not closed yet. */
  readonly sockets: Set<Socket>
}

/** Whose connection it is. */
export interface ConnectionOwner {
  connected(): void
  /** @param message the receiver's to keep. */
  received(message: Buffer): void
  /** How long the peer may be silent while anything waits for a reply; 0 if nothing does. */
  patienceMs(): number
  /** The connection is closed, or could not be made; nothing else follows. */
  gone(failure: ExchangeFailure): void
}

/** One WebSocket connection from its first packet to its last: watches that the peer takes part. */
export class WebSocketConnection extends Timed {
  /** Whether the connection could be made, even if it has ended since. */
  isConnected = false
  readonly #route: WebSocketRoute
  readonly #owner: ConnectionOwner
  #queue: OpenEntry[] = []
  #webSocket: WebSocket | undefined
  #isOver = false
  /** Until connected: the wait for that. Then the wait for silence, and for the pong that ends it. */
  #timer: NodeJS.Timeout
  #pong: NodeJS.Timeout | undefined
  /** Since the watch began nothing came in. */
  #isSilent = false
  /** What was handed over before the watch began waits for the system still. */
  #isStuck = false
  /** The watch has run out, and is judged in a moment: what is written meanwhile must not begin another. */
  #isJudged = false

  constructor(route: WebSocketRoute, owner: ConnectionOwner) {
    super()
    this.#route = route
    this.#owner = owner
    const { connectMs } = route.delays
    this.#timer = setTimeout(() => {
      const cause = new Error(`no connection within ${connectMs} ms`)
      this.end({ kind: 'unreachable', cause })
    }, connectMs)
    void this.#open()
  }

  async #open(): Promise<void> {
    let library: typeof import('ws')
    try {
      library = await import('ws')
    } catch (cause) {
      const why = `ws: and wss: need the package ws: npm install ws (${(cause as Error).message})`
      const missing = optionError('rtpproxy_sock', why)
      this.end({ kind: 'local', cause: missing })
      return
    }
    if (this.#isOver) return
    try {
      this.#webSocket = this.#upgrade(library)
    } catch (cause) {
      // Headers or TLS options that cannot be used.
      this.end({ kind: 'local', cause })
    }
  }

  #upgrade(library: typeof import('ws')): WebSocket {
    const { address, options, connecting, sockets } = this.#route
    const protocol = address.plain ? 'ng-plain.rtpengine.com' : 'ng.rtpengine.com'
    const webSocket = new library.WebSocket(address.url, protocol, {
      ...options.tls,
      ...connecting,
      headers: { ...options.headers },
      maxPayload: MAX_MESSAGE,
      perMessageDeflate: false,
      // SIP and SDP are not always UTF-8.
      skipUTF8Validation: true,
      finishRequest: (request) => {
        request.on('socket', (socket) => {
          sockets.add(socket)
          socket.once('close', () => sockets.delete(socket))
        })
        request.end()
      },
    })
    webSocket.on('open', () => this.#opened())
    webSocket.on('message', (data) => {
      this.#heard()
      this.#owner.received(data as Buffer)
    })
    webSocket.on('ping', () => this.#heard())
    webSocket.on('pong', () => this.#heard())
    webSocket.on('error', (cause) => this.end(failureOf(cause)))
    webSocket.on('close', (code) => {
      const cause = new Error(`connection closed by the peer (code ${code})`)
      this.end({ kind: 'refused', cause })
    })
    return webSocket
  }

  #opened(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ping(), this.#route.delays.keepAliveMs)
    this.isConnected = true
    this.#owner.connected()
  }

  #ping(): void {
    const { pongMs } = this.#route.delays
    this.#webSocket?.ping()
    this.#pong = setTimeout(() => {
      this.end({ kind: 'refused', cause: new Error(`no pong within ${pongMs} ms`) })
    }, pongMs)
  }

  #heard(): void {
    this.#isSilent = false
    clearTimeout(this.#pong)
    this.#timer.refresh()
  }

  /** Whether what is written goes out. */
  get isOpen(): boolean {
    return !this.#isOver && this.#webSocket?.readyState === 1
  }

  /** Sends the entry as soon as the system takes it, if it is still open then. */
  write(entry: OpenEntry): void {
    this.#queue.push(entry)
    this.#flush()
    if (this.slot < 0 && !this.#isJudged) this.#watch()
  }

  readonly #flush = (): void => {
    const webSocket = this.#webSocket!
    let count = 0
    while (count < this.#queue.length && webSocket.bufferedAmount < MAX_AHEAD) {
      const { taken, exchange } = this.#queue[count++]!
      if (taken) continue
      const { datagram } = exchange
      const message = this.#route.address.plain ? datagram.subarray(COOKIE_LENGTH + 1) : datagram
      webSocket.send(message, { binary: true }, this.#written)
    }
    this.#queue.splice(0, count)
  }

  readonly #written = (error?: Error | null): void => {
    this.#isStuck = false
    // Closed by the peer, while its half of the socket is still open.
    if (error) this.end(failureOf(error))
    else if (this.#queue.length > 0) this.#flush()
  }

  #watch(): void {
    const patienceMs = this.#owner.patienceMs()
    if (patienceMs === 0) return
    this.#isSilent = true
    this.#isStuck = this.#webSocket!.bufferedAmount > 0
    this.#route.requests.wheel.add(this, patienceMs)
  }

  /** A peer that is there has sent something since the watch began, and taken something of what was written then. */
  override expired(): void {
    this.#isJudged = true
    // Where the event loop was held up, what has come in meanwhile is read first.
    setImmediate(this.#judge)
  }

  readonly #judge = (): void => {
    this.#isJudged = false
    if (this.#isOver) return
    const fault = this.#isSilent ? 'sends' : this.#isStuck ? 'takes' : undefined
    if (fault === undefined) this.#watch()
    else this.end({ kind: 'refused', cause: new Error(`the peer ${fault} nothing`) })
  }

  /** Ends the connection at once, and tells the owner why; what ends it first is what is told. */
  end(failure: ExchangeFailure): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    clearTimeout(this.#pong)
    this.#route.requests.wheel.remove(this)
    this.#queue = []
    this.#webSocket?.terminate()
    this.#owner.gone(failure)
  }
}
