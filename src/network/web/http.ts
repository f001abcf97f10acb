import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import type { OpenEntry, OpenRequests, Sender } from '../requests/open-requests.ts'
import { LONGEST_MS } from '../requests/round-trip.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from '../transport.ts'
import type { WebAddress } from './address.ts'
import { connecting, type WebWay } from './connect.ts'
import { Post } from './post.ts'

/** Most POSTs under way at once, each with a connection of its own; others wait for their turn. */
const MAX_POSTS = 64

const NG_TYPE = 'application/x-rtpengine-ng'
const OPEN_BRACE = 0x7b

/** The POSTs of one request. */
interface Sends {
  readonly firstAt: number
  readonly posts: Set<Post>
  /** Whether a connection that broke has cost it a POST already. */
  wasBroken: boolean
}

/**
 * HTTP to one node (rtpengine's `--listen-http`): a POST each way of a command, over connections that are kept for the next.
 *
 * Each attempt is a POST of its own over another connection, with the same cookie, and the first reply counts. When the connection of one
 * breaks, another follows at once, one time. Without cookies
 * (`/ng-plain`) a repeated command would be executed twice: such a command is sent once, over a fresh connection, since a kept
 * one may prove closed just then, and its reply is waited for as long as all attempts together would take.
 */
export class HttpTransport implements Transport, Sender {
  readonly url: string
  readonly #address: WebAddress
  readonly #requests: OpenRequests
  readonly #headers: Readonly<Record<string, string>>
  readonly #agent: Agent
  readonly #send: (url: string, options: RequestOptions) => ClientRequest
  readonly #sends = new Map<OpenEntry, Sends>()
  /** What has a POST due, oldest first. */
  readonly #due = new Set<OpenEntry>()
  #posts = 0
  #closed = false

  constructor(url: string, address: WebAddress, requests: OpenRequests, options: WebWay = {}) {
    this.url = url
    this.#address = address
    this.#requests = requests
    this.#headers = options.headers ?? {}
    const kept = { ...connecting(options), keepAlive: !address.plain, maxFreeSockets: MAX_POSTS }
    // Loaded when needed: they would take a fifth of the time to start of programs that never speak HTTP.
    if (address.url.startsWith('https:')) {
      const { Agent, request } = process.getBuiltinModule('node:https')
      this.#agent = new Agent({ ...options.tls, ...kept })
      this.#send = request
    } else {
      const { Agent, request } = process.getBuiltinModule('node:http')
      this.#agent = new Agent(kept)
      this.#send = request
    }
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    return this.#requests.open(this, exchange, timing)
  }

  /** Called at each attempt. */
  transmit(entry: OpenEntry): void {
    if (this.#closed) {
      // Failures are told later, never inside `send`.
      queueMicrotask(() => entry.fail({ kind: 'closed' }))
      return
    }
    const sends = this.#sends.get(entry)
    if (sends === undefined) this.#first(entry)
    else if (this.#mayRepeat(sends)) {
      // Those that are idle may be as dead as the one that gave no answer.
      this.#dropIdle()
      this.#due.add(entry)
    }
    this.#next()
  }

  #first(entry: OpenEntry): void {
    const sends: Sends = { firstAt: performance.now(), posts: new Set(), wasBroken: false }
    this.#sends.set(entry, sends)
    this.#due.add(entry)
    entry.onTaken = () => {
      this.#sends.delete(entry)
      this.#due.delete(entry)
      for (const post of sends.posts) post.abandon()
    }
  }

  /** After 30 seconds rtpengine may have forgotten the cookie. */
  #mayRepeat({ firstAt }: Sends): boolean {
    return !this.#address.plain && performance.now() - firstAt < LONGEST_MS
  }

  readonly #next = (): void => {
    for (const entry of this.#due) {
      if (this.#posts >= MAX_POSTS) return
      this.#due.delete(entry)
      this.#post(entry, this.#sends.get(entry)!)
    }
  }

  #post(entry: OpenEntry, sends: Sends): void {
    const { plain } = this.#address
    const { datagram } = entry.exchange
    const body = plain ? datagram.subarray(COOKIE_LENGTH + 1) : datagram
    let request: ClientRequest
    try {
      request = this.#request(body)
    } catch (cause) {
      // Headers or TLS options that cannot be used.
      queueMicrotask(() => entry.fail({ kind: 'local', cause }))
      return
    }
    this.#posts++
    const post = new Post(request, body, {
      replied: (reply) => {
        sends.posts.delete(post)
        if (plain) entry.reply(reply, 0)
        else this.#requests.receive(this, reply)
        if (entry.taken) return
        this.#failed(entry, sends, { kind: 'refused', cause: new Error('the reply is to another request') })
      },
      failed: (failure, isBroken) => {
        sends.posts.delete(post)
        if (isBroken && !sends.wasBroken && this.#mayRepeat(sends)) {
          sends.wasBroken = true
          this.#dropIdle()
          this.#due.add(entry)
        } else this.#failed(entry, sends, failure)
      },
      closed: () => {
        this.#posts--
        // The connection is free for the next one a moment after its request has closed.
        process.nextTick(this.#next)
      },
    })
    sends.posts.add(post)
  }

  #request(body: Buffer): ClientRequest {
    const isJson = this.#address.plain && body[0] === OPEN_BRACE
    const headers = {
      ...this.#headers,
      'Content-Type': isJson ? 'application/json' : NG_TYPE,
      'Content-Length': body.length,
    }
    const options = { agent: this.#agent, method: 'POST', headers }
    return this.#send(this.#address.url, options)
  }

  /** A request has failed when the last of its POSTs has. */
  #failed(entry: OpenEntry, { posts }: Sends, failure: ExchangeFailure): void {
    if (posts.size === 0 && !this.#due.has(entry)) entry.fail(failure)
  }

  #dropIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }

  /** Resolves when no socket is left. */
  async close(): Promise<void> {
    this.#closed = true
    const { sockets, freeSockets } = this.#agent
    const left = [...Object.values(sockets), ...Object.values(freeSockets)].flatMap((some) => some ?? [])
    const gone = left.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    this.#requests.failAll(this, { kind: 'closed' })
    this.#agent.destroy()
    await Promise.all(gone)
  }
}
