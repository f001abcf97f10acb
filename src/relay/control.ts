import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { type Socket as Connection, createServer, type Server } from 'node:net'
import { ConfigurationError, NgError, SdpError } from '../errors.ts'
import { ReplyFrame } from '../network/framing/reply-frame.ts'
import type { Commands } from './commands.ts'
import type { ListenAddress } from './options.ts'
import { encodeReply, type Reply, Request } from './request.ts'

/** How long an answered cookie is remembered at least, and half of how long at most: as rtpengine does. */
const GENERATION_MS = 30_000
/** Memory for the replies of one generation, and what one takes beside its own bytes. */
const GENERATION_BYTES = 8 * 1024 * 1024
const ENTRY_BYTES = 300
/** Commands under way; more are dropped, and their senders send again. */
const MAX_OPEN = 1000
const MAX_CONNECTIONS = 256
/** How long a connection may take in all. */
const CONNECTION_MS = 5000

/** The replies of the last minute by cookie: a command that is sent again gets its reply again and is not done twice. */
class AnsweredCookies {
  #recent = new Map<string, Promise<Buffer>>()
  #older = new Map<string, Promise<Buffer>>()
  #bytes = 0
  #since = performance.now()

  find(cookie: string): Promise<Buffer> | undefined {
    const age = performance.now() - this.#since
    if (age >= GENERATION_MS) this.#turn()
    if (age >= 2 * GENERATION_MS) this.#turn()
    return this.#recent.get(cookie) ?? this.#older.get(cookie)
  }

  add(cookie: string, reply: Promise<Buffer>): void {
    this.#recent.set(cookie, reply)
    void reply.then(({ length }) => {
      this.#bytes += length + cookie.length + ENTRY_BYTES
      if (this.#bytes > GENERATION_BYTES) this.#turn()
    })
  }

  #turn(): void {
    this.#older = this.#recent
    this.#recent = new Map()
    this.#bytes = 0
    this.#since = performance.now()
  }
}

/** The sockets that NG commands come in by. */
export class Control {
  readonly #commands: Commands
  readonly #onFailure: (error: unknown) => void
  readonly #cookies = new AnsweredCookies()
  readonly #sockets: Socket[] = []
  readonly #servers: Server[] = []
  readonly #connections = new Set<Connection>()
  #open = 0

  /** `onFailure` is told of errors that are neither the client's nor the network's. */
  constructor(commands: Commands, onFailure: (error: unknown) => void) {
    this.#commands = commands
    this.#onFailure = onFailure
  }

  /** Resolves with the URL that a client is to use. */
  async listen(address: ListenAddress): Promise<string> {
    try {
      return address.transport === 'unix'
        ? await this.#listenUnix(address.path)
        : await this.#listenUdp(address)
    } catch (error) {
      const where = address.transport === 'unix' ? address.path : `${address.host}:${address.port}`
      const why = error instanceof Error ? error.message : String(error)
      throw new ConfigurationError('ERR_RTPPROXY_URL', 'listen', `cannot listen on ${where}: ${why}`)
    }
  }

  async #listenUdp({ family, host, port }: ListenAddress & { transport: 'udp' }): Promise<string> {
    const socket = createSocket({ type: `udp${family}`, lookup: (name, _, done) => done(null, name, family) })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close()
        reject(error)
      })
      socket.bind(port, host, resolve)
    })
    this.#sockets.push(socket)
    socket.removeAllListeners('error')
    // What ICMP says of an earlier reply: its client has gone, or asks again.
    socket.on('error', () => undefined)
    socket.on('message', (datagram, client) => this.#received(socket, datagram, client))
    const bound = socket.address().port
    return family === 6 ? `udp6:[${host}]:${bound}` : `udp:${host}:${bound}`
  }

  /** `COOKIE SP DICT`; what has no cookie cannot be answered. */
  #received(socket: Socket, datagram: Buffer, client: RemoteInfo): void {
    const space = datagram.indexOf(0x20)
    if (space <= 0) return
    const cookie = datagram.toString('latin1', 0, space)
    let reply = this.#cookies.find(cookie)
    if (reply === undefined) {
      if (this.#open >= MAX_OPEN) return
      reply = this.#reply(datagram.subarray(space + 1))
      this.#cookies.add(cookie, reply)
    }
    void reply.then((payload) => {
      if (!this.#sockets.includes(socket)) return
      const answer = Buffer.concat([datagram.subarray(0, space + 1), payload])
      // A client that cannot be reached will not be told; it asks again or gives up.
      socket.send(answer, client.port, client.address, () => undefined)
    })
  }

  async #reply(payload: Buffer): Promise<Buffer> {
    this.#open++
    let isJson = payload[0] === 0x7b
    try {
      const request = new Request(payload)
      isJson = request.isJson
      return encodeReply(await this.#commands.execute(request), isJson)
    } catch (error) {
      return encodeReply(this.#errorReply(error), isJson)
    } finally {
      this.#open--
    }
  }

  #errorReply(error: unknown): Reply {
    if (error instanceof NgError) return { result: 'error', 'error-reason': error.reason }
    if (error instanceof SdpError) return { result: 'error', 'error-reason': 'Failed to parse SDP' }
    this.#onFailure(error)
    return { result: 'error', 'error-reason': 'Internal error' }
  }

  async #listenUnix(path: string): Promise<string> {
    const server = createServer({ allowHalfOpen: true }, (connection) => this.#connected(connection))
    server.maxConnections = MAX_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    server.removeAllListeners('error')
    server.on('error', this.#onFailure)
    this.#servers.push(server)
    return `unix:${path}`
  }

  /** One dictionary each way, without a cookie. */
  #connected(connection: Connection): void {
    const frame = new ReplyFrame()
    const deadline = setTimeout(() => connection.destroy(), CONNECTION_MS).unref()
    let isAnswered = false
    const answer = (payload: Buffer): void => {
      if (isAnswered) return
      isAnswered = true
      void this.#reply(payload).then((reply) => connection.end(reply))
    }
    this.#connections.add(connection)
    connection.on('data', (chunk) => {
      const payload = frame.push(chunk)
      if (payload !== undefined) answer(payload)
    })
    connection.on('end', () => answer(frame.length === 0 ? Buffer.alloc(0) : frame.bytes()))
    // The client went away before its reply; 'close' follows.
    connection.on('error', () => undefined)
    connection.on('close', () => {
      clearTimeout(deadline)
      this.#connections.delete(connection)
    })
  }

  async close(): Promise<void> {
    const sockets = this.#sockets.splice(0)
    const servers = this.#servers.splice(0)
    for (const connection of this.#connections) connection.destroy()
    await Promise.all([
      ...sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))),
      ...servers.map((server) => new Promise((resolve) => server.close(resolve))),
    ])
  }
}
