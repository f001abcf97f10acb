import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { OpenRequests, Sender } from '../requests/open-requests.ts'
import type { Exchange, OpenRequest, Timing, Transport } from '../transport.ts'
import type { WebAddress } from './address.ts'
import { connecting, type WebWay } from './connect.ts'
import type { WebSocketDelays, WebSocketRoute } from './connection.ts'
import { Lanes } from './lanes.ts'

const DELAYS: WebSocketDelays = {
  firstMs: 100,
  longestMs: 10_000,
  connectMs: 5000,
  keepAliveMs: 30_000,
  pongMs: 10_000,
}

/**
 * WebSocket to one node (rtpengine's `--listen-http`), one message each way of a command, over up to eight connections: see `Lanes`. Needs
 * the package `ws`, which the first command loads; without it each command fails with `local` and says so.
 *
 * The subprotocol is `ng.rtpengine.com`, or (address `plain`, no cookies) `ng-plain.rtpengine.com`. Nothing is sent twice over one
 * connection: a command waits `timeoutMs` x `attempts` in all.
 */
export class WebSocketTransport implements Transport, Sender {
  readonly url: string
  readonly #requests: OpenRequests
  readonly #sockets = new Set<Socket>()
  readonly #lanes: Lanes
  #closed = false

  constructor(
    url: string,
    address: WebAddress,
    requests: OpenRequests,
    options: WebWay = {},
    delays: Partial<WebSocketDelays> = {},
  ) {
    this.url = url
    this.#requests = requests
    const route: WebSocketRoute = {
      address,
      options,
      connecting: connecting(options),
      requests,
      delays: { ...DELAYS, ...delays },
      sockets: this.#sockets,
    }
    this.#lanes = new Lanes(route, this)
  }

  get trouble(): Error | undefined {
    return this.#lanes.trouble
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    const entry = this.#requests.open(this, exchange, timing)
    // Failures are told later, never inside `send`.
    if (this.#closed) queueMicrotask(() => entry.fail({ kind: 'closed' }))
    else this.#lanes.send(entry, timing)
    return entry
  }

  /** Called at each attempt. Each connection is given every request once. */
  transmit(): void {}

  /** Resolves when no socket is left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#requests.failAll(this, { kind: 'closed' })
    this.#lanes.close()
    await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')))
  }
}
