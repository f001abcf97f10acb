import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { generate } from 'selfsigned'
import { afterEach, expect, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { OpenRequests } from '../../../src/network/requests/open-requests.ts'
import type { ExchangeFailure, Transport } from '../../../src/network/transport.ts'
import { parseWebUrl } from '../../../src/network/web/address.ts'
import type { WebWay } from '../../../src/network/web/connect.ts'
import type { WebSocketDelays } from '../../../src/network/web/connection.ts'
import { HttpTransport } from '../../../src/network/web/http.ts'
import { WebSocketTransport } from '../../../src/network/web/websocket.ts'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'

const sockets = () => process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS)/.test(kind)).length

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  // No test leaves a socket or a listener behind.
  await expect.poll(() => sockets(), { interval: 1 }).toBe(0)
})

/** A key and a certificate for it that it has signed itself, for `name` and 127.0.0.1. */
export async function certificate(name = 'localhost'): Promise<{ key: string; cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { key, cert }
}

/** An HTTP server on a free port of 127.0.0.1 that counts its connections. */
export class WebPeer {
  readonly sockets = new Set<Socket>()
  /** Addresses that connections came from, one each. */
  readonly sources: string[] = []
  /** How many connections there were in all. */
  connections = 0
  readonly #server: Server

  constructor(listener: RequestListener | undefined, tls?: { key: string; cert: string }) {
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
    // Of a TLS connection the server tells twice: of its socket, and of what stands on it.
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.connections++
      this.sources.push(socket.remoteAddress!)
      this.sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket))
    })
  }

  get server(): Server {
    return this.#server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<this> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    cleanups.push(() => this.close())
    return this
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** What a node does with a message over WebSocket. */
export type Answer = (message: Buffer, socket: WebSocket, connections: number) => void

/** A node that speaks WebSocket, whose answers each test writes itself. */
export class WebSocketPeer extends WebPeer {
  readonly messages: Buffer[] = []
  readonly protocols: string[] = []
  readonly upgrades: IncomingMessage[] = []
  pings = 0
  answer: Answer
  /** Whether it answers pings. */
  pongs = true

  constructor(answer: Answer, tls?: { key: string; cert: string }) {
    super(undefined, tls)
    this.answer = answer
    const server = new WebSocketServer({ server: this.server, autoPong: false })
    server.on('connection', (socket, request) => {
      this.upgrades.push(request)
      const number = this.upgrades.length
      this.protocols.push(socket.protocol)
      socket.on('error', () => undefined)
      socket.on('ping', () => {
        this.pings++
        if (this.pongs) socket.pong()
      })
      socket.on('message', (data) => {
        this.messages.push(data as Buffer)
        this.answer(data as Buffer, socket, number)
      })
    })
  }

  get bodies(): string[] {
    return this.messages.map((message) => message.toString('latin1', COOKIE_LENGTH + 1))
  }
}

export const echo: Answer = (message, socket) => socket.send(message)

export interface Client<T extends Transport> {
  readonly transport: T
  readonly requests: OpenRequests
}

export function webSocket(
  url: string,
  delays: Partial<WebSocketDelays> = {},
  options: WebWay = {},
  requests = new OpenRequests(),
): Client<WebSocketTransport> {
  const transport = new WebSocketTransport(url, parseWebUrl(url), requests, options, {
    firstMs: 1,
    ...delays,
  })
  cleanups.push(() => transport.close())
  return { transport, requests }
}

export function http(url: string, options: WebWay = {}): Client<HttpTransport> {
  const requests = new OpenRequests()
  const transport = new HttpTransport(url, parseWebUrl(url), requests, options)
  cleanups.push(() => transport.close())
  return { transport, requests }
}

export type Outcome = { reply: string } | { failure: ExchangeFailure['kind']; why: string }

/** Sends `payload` and says what became of it. */
export function exchange(
  transport: Transport,
  payload: string,
  timing = { timeoutMs: 5000, attempts: 1 },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${payload}`, 'latin1')
    transport.send(
      {
        datagram,
        replied: (bytes, offset) => resolve({ reply: bytes.toString('latin1', offset) }),
        failed: ({ kind, cause }) => resolve({ failure: kind, why: String((cause as Error)?.message ?? '') }),
      },
      timing,
    )
  })
}
