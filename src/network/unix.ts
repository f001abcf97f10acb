import type { Socket } from 'node:net'
import { net } from '../protocol/builtins.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import { ReplyFrame } from './framing/reply-frame.ts'
import type { OpenEntry, OpenRequests, Sender } from './requests/open-requests.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'

const KINDS: Record<string, ExchangeFailure['kind']> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  EPIPE: 'refused',
  ENOENT: 'unreachable',
  ENOTSOCK: 'unreachable',
  EACCES: 'unreachable',
  ENOTDIR: 'unreachable',
  EINVAL: 'unreachable',
}

/** Most connections at once, and so most commands; others wait for their turn. The system refuses more than a listener has room for. */
const MAX_CONNECTIONS = 32

/**
 * UNIX stream socket: a connection a command, one dictionary each way, no cookie and no resending. The module waits for
 * the reply without limit; here `timeoutMs` bounds the whole exchange.
 */
export class UnixTransport implements Transport, Sender {
  readonly url: string
  readonly #path: string
  readonly #requests: OpenRequests
  readonly #sockets = new Set<Socket>()
  /** What has no connection yet, oldest first. */
  readonly #waiting = new Set<OpenEntry>()
  #closed = false

  constructor(url: string, address: { readonly path: string }, requests: OpenRequests) {
    this.url = url
    this.#path = address.path
    this.#requests = requests
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    return this.#requests.open(this, exchange, { timeoutMs: timing.timeoutMs, attempts: 1 })
  }

  transmit(entry: OpenEntry): void {
    if (this.#closed) queueMicrotask(() => entry.fail({ kind: 'closed' }))
    else if (this.#sockets.size < MAX_CONNECTIONS) this.#converse(entry)
    else {
      this.#waiting.add(entry)
      entry.onTaken = () => this.#waiting.delete(entry)
    }
  }

  #converse(entry: OpenEntry): void {
    // Not the path alone: Node would take one of digits for a TCP port.
    const socket = net().connect({ path: this.#path })
    const frame = new ReplyFrame()
    this.#sockets.add(socket)
    // The entry may also end by its timeout or be cancelled; then the connection has no reason to live.
    entry.onTaken = () => socket.destroy()
    socket.on('data', (chunk) => {
      const reply = frame.push(chunk)
      if (reply !== undefined) entry.reply(reply, 0)
    })
    // A peer that closes before its dictionary is complete has said all it will: the reader above judges it.
    socket.on('end', () => {
      if (frame.length > 0) entry.reply(frame.bytes(), 0)
      else entry.fail({ kind: 'refused', cause: new Error('connection closed without a reply') })
    })
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      entry.fail({ kind: KINDS[cause.code ?? ''] ?? 'local', cause }),
    )
    socket.on('close', () => {
      this.#sockets.delete(socket)
      const [next] = this.#waiting
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#converse(next)
    })
    socket.write(entry.exchange.datagram.subarray(COOKIE_LENGTH + 1))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#requests.failAll(this, { kind: 'closed' })
    await Promise.all(
      [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve).destroy())),
    )
  }
}
