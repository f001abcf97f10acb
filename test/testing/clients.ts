import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type Socket as Connection, connect } from 'node:net'

/** Sends datagrams and keeps what comes back. */
export class Datagrams {
  readonly socket: Socket = createSocket('udp4')
  readonly received: string[] = []
  readonly #port: number

  constructor(url: string) {
    this.#port = Number(url.split(':')[2])
    this.socket.on('message', (bytes) => this.received.push(bytes.toString('latin1')))
  }

  send(...datagrams: (string | Uint8Array)[]): void {
    for (const datagram of datagrams) this.socket.send(datagram, this.#port, '127.0.0.1')
  }

  /** All replies, once there are so many. */
  async replies(count: number): Promise<string[]> {
    while (this.received.length < count) await once(this.socket, 'message')
    return this.received.splice(0)
  }

  async ask(datagram: string | Uint8Array): Promise<string> {
    this.send(datagram)
    return (await this.replies(1))[0]!
  }

  close(): void {
    this.socket.close()
  }
}

/** A TCP connection that keeps what comes back. */
export class Stream {
  readonly connection: Connection
  received = ''
  closed = false

  constructor(url: string) {
    this.connection = connect(Number(url.split(':')[2]), '127.0.0.1')
    this.connection.setNoDelay(true)
    this.connection.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
    })
    this.connection.on('error', () => undefined)
    this.connection.on('close', () => {
      this.closed = true
    })
  }

  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.connection.write(bytes, () => resolve()))
  }

  /** What came, once `enough` is in it. */
  async until(enough: string): Promise<string> {
    while (!this.received.includes(enough)) await once(this.connection, 'data')
    return this.received
  }

  close(): void {
    this.connection.destroy()
  }
}

export interface HttpReply {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly body: string
}

/** One HTTP request. Undefined: the server hung up. */
export async function http(
  url: string,
  body: string,
  { method = 'POST', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<HttpReply | undefined> {
  const outgoing = request(url, {
    method,
    headers: { 'content-type': 'application/x-rtpengine-ng', ...headers },
    agent: false,
  })
  outgoing.end(body)
  try {
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of incoming) text += chunk.toString('latin1')
    return { status: incoming.statusCode, type: incoming.headers['content-type'], body: text }
  } catch {
    return undefined
  }
}
