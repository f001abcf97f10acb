import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { OpenEntry, OpenRequests, Sender } from './open-requests.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'

/** Largest UDP payload over IPv4. */
export const MAX_DATAGRAM = 65507

/**
 * Asked for in bytes; the kernel gives what it allows. Replies come in bursts, and one that finds the buffer full is lost
 * for a whole timeout.
 */
const RECEIVE_BUFFER = 1 << 20

export interface UdpAddress {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
}

/** What the system says about the way to the node rather than about this host. */
const KINDS: Record<string, ExchangeFailure['kind']> = {
  ECONNREFUSED: 'refused',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EINVAL: 'unreachable',
}

/** A socket that says so of itself will never send again. */
const BROKEN = new Set(['EBADF', 'ENOTSOCK', 'ERR_SOCKET_DGRAM_NOT_RUNNING'])

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

function failureOf(cause: unknown): ExchangeFailure {
  return { kind: KINDS[codeOf(cause)] ?? 'local', cause }
}

/** Resolves the name and connects a socket. Rejects with an `ExchangeFailure`. */
async function connectTo({ host, port, family }: UdpAddress): Promise<Socket> {
  let address: string
  try {
    ;({ address } = await lookup(host, { family }))
  } catch (cause) {
    throw { kind: 'unreachable', cause } satisfies ExchangeFailure
  }
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: RECEIVE_BUFFER })
  try {
    const connected = once(socket, 'connect')
    // The address is numeric, so no second look-up goes out.
    socket.connect(port, address)
    await connected
  } catch (cause) {
    socket.close()
    throw failureOf(cause)
  }
  return socket
}

/**
 * One connected UDP socket to one node: the kernel drops datagrams of strangers, and an ICMP "port unreachable" comes back
 * as ECONNREFUSED and fails what is open at once. The first command opens the socket; so does the next one after the name
 * did not resolve or the socket failed.
 */
export class UdpTransport implements Transport, Sender {
  readonly url: string
  readonly #address: UdpAddress
  readonly #requests: OpenRequests
  #socket: Socket | undefined
  #opening: Promise<void> | undefined
  #closed = false

  constructor(url: string, address: UdpAddress, requests: OpenRequests) {
    this.url = url
    this.#address = address
    this.#requests = requests
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    return this.#requests.open(this, exchange, timing)
  }

  transmit(entry: OpenEntry): void {
    const { datagram } = entry.exchange
    const socket = this.#socket
    // Failures are told later, never inside `send`.
    if (this.#closed) queueMicrotask(() => entry.fail({ kind: 'closed' }))
    else if (datagram.length > MAX_DATAGRAM) queueMicrotask(() => entry.fail({ kind: 'too-large' }))
    else if (socket === undefined) this.#opening ??= this.#open()
    else {
      try {
        // Without a callback Node drops the error of a send, and with it a refusal the system tells only once.
        socket.send(datagram, (error) => {
          if (error !== null) this.#sendFailed(socket, entry, error)
        })
      } catch (cause) {
        queueMicrotask(() => this.#sendFailed(socket, entry, cause))
      }
    }
  }

  /** Opens the socket and sends all that was asked for meanwhile: each datagram once, however often its time came round. */
  async #open(): Promise<void> {
    let socket: Socket
    try {
      socket = await connectTo(this.#address)
    } catch (failure) {
      this.#opening = undefined
      this.#requests.failAll(this, failure as ExchangeFailure)
      return
    }
    this.#opening = undefined
    socket.on('message', (datagram) => this.#requests.receive(this, datagram))
    socket.on('error', (error) => this.#failed(socket, error))
    this.#socket = socket
    for (const entry of this.#requests.openAt(this)) this.transmit(entry)
  }

  #sendFailed(socket: Socket, entry: OpenEntry, error: unknown): void {
    if (socket !== this.#socket) return
    const failure = failureOf(error)
    // A refusal reported by a send may belong to any datagram sent before on this socket, and holds for all of them.
    if (failure.kind === 'refused' || BROKEN.has(codeOf(error))) this.#failed(socket, error)
    else if (failure.kind === 'local') entry.unsent(failure)
    else entry.fail(failure)
  }

  /**
   * A socket that failed is replaced by the next command. Each refused datagram leaves an error behind, and all that was open
   * on the socket is told of the first: those that show later must not fail requests to a node that is back.
   */
  #failed(socket: Socket, error: unknown): void {
    if (socket !== this.#socket) return
    // Path MTU discovery (RFC 1191): some datagram was too large for the path. The system has learnt and cuts the next send.
    if (codeOf(error) === 'EMSGSIZE') return
    void this.#drop()
    this.#requests.failAll(this, failureOf(error))
  }

  #drop(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return Promise.resolve()
    return new Promise((resolve) => socket.close(() => resolve()))
  }

  /** Resolves when no socket is left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#requests.failAll(this, { kind: 'closed' })
    // A socket that is just being opened is dropped as soon as it stands.
    await this.#opening
    await this.#drop()
  }
}
