import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, BlockList } from 'node:net'
import { addresses, type ListenAddress, listenAddress } from '../dtmf/options.ts'
import { DONE, FAULT, type MediaTimeout, timeoutOf } from './xml-rpc.ts'

export type { MediaTimeout } from './xml-rpc.ts'

export interface MediaTimeoutsOptions {
  /** Where rtpengine's calls come in: `http://ADDRESS:PORT`, an IPv6 address in brackets; port 0 for any. */
  readonly listen: string
  /** Addresses they may come from: who may tell of the end of a call ends it. Default: this host's, `127.0.0.1` and `::1`. */
  readonly from?: readonly string[] | undefined
}

export interface MediaTimeoutsCounters {
  /** Requests that came in. */
  readonly received: number
  /** Of those: from an address that is not in `from`. */
  readonly refused: number
  /** Of those: no XML-RPC that tells of the end of a call, or too large. */
  readonly malformed: number
}

/** Events of `MediaTimeouts`. */
export interface MediaTimeoutsEvents {
  timeout: [timeout: MediaTimeout]
}

/** A call of rtpengine takes some 350 bytes beside its Call-ID and tags. */
const MOST_BYTES = 16_384
const REQUEST_MS = 10_000
/** rtpengine makes a connection for each call, and may end many at once. */
const MOST_CONNECTIONS = 1000

/**
 * Calls that rtpengine has ended by itself: their media, or their answer, did not come for as long as `--timeout`,
 * `--silent-timeout` or `--offer-timeout` says. It tells so over XML-RPC (`--b2b-url`, `--xmlrpc-format`), and each such call is an
 * event `timeout`: the SIP server can hang up on what is left of it. A call may be told of more than once.
 */
export class MediaTimeouts extends EventEmitter<MediaTimeoutsEvents> implements AsyncDisposable {
  readonly #listen: ListenAddress
  readonly #from: BlockList
  readonly #counters = { received: 0, refused: 0, malformed: 0 }
  #server: Server | undefined
  #starting: Promise<void> | undefined
  #url: string | undefined
  #closed = false

  /** @throws ConfigurationError that names the option that cannot be used. */
  constructor(options: MediaTimeoutsOptions) {
    super()
    this.#listen = listenAddress(options?.listen, 'http://')
    this.#from = addresses(options.from ?? ['127.0.0.1', '::1'])
  }

  get counters(): MediaTimeoutsCounters {
    return { ...this.#counters }
  }

  /** What to give rtpengine as `--b2b-url`. Undefined while not listening. */
  get url(): string | undefined {
    return this.#url
  }

  /** Opens the listener. Rejects with the system's error if the port cannot be had. */
  start(): Promise<void> {
    this.#starting ??= this.#open()
    return this.#starting
  }

  async #open(): Promise<void> {
    // Loaded when needed: few have use for it.
    const { createServer } = await import('node:http')
    if (this.#closed) return
    const { host, port } = this.#listen
    const times = {
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 2000,
    }
    const server = createServer(times, (request, response) => this.#take(request, response))
    server.maxConnections = MOST_CONNECTIONS
    this.#server = server
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.once('close', resolve)
        server.listen({ host, port, ipv6Only: true }, resolve)
      })
    } catch (error) {
      this.#starting = undefined
      this.#server = undefined
      throw error
    }
    if (this.#closed) return
    // A connection that could not be accepted is lost; the others go on.
    server.on('error', () => {})
    const bound = server.address() as AddressInfo
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}/`
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.#counters.received++
    const source = (request.socket.remoteAddress ?? '').split('%', 1)[0]!
    if (!this.#from.check(source, source.includes(':') ? 'ipv6' : 'ipv4')) {
      this.#counters.refused++
      refuse(response, 403)
      return
    }
    // What a page in a browser sends to another site unasked is no text/xml.
    if (
      request.method !== 'POST' ||
      !/^(?:text|application)\/xml\b/i.test(request.headers['content-type'] ?? '')
    ) {
      this.#counters.malformed++
      refuse(response, 400)
      return
    }
    const parts: Buffer[] = []
    let length = 0
    request.on('data', (part: Buffer) => {
      length += part.length
      if (length <= MOST_BYTES) parts.push(part)
      else if (!response.headersSent) {
        this.#counters.malformed++
        refuse(response, 413)
      }
    })
    request.on('end', () => {
      if (length <= MOST_BYTES) this.#told(Buffer.concat(parts).toString(), source, response)
    })
  }

  #told(xml: string, source: string, response: ServerResponse): void {
    const timeout = this.#closed ? undefined : timeoutOf(xml, source)
    if (timeout === undefined) this.#counters.malformed++
    response.writeHead(200, { 'content-type': 'text/xml' }).end(timeout === undefined ? FAULT : DONE)
    // Behind the answer: what a listener throws is no reason for rtpengine to tell again.
    if (timeout !== undefined) this.emit('timeout', timeout)
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#closed = true
    this.#url = undefined
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Says no and hangs up: what else comes is of no interest. */
function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end()
}
