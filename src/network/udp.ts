import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
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
  EMSGSIZE: 'too-large',
}

export function socketFailure(cause: unknown): ExchangeFailure {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  return { kind: KINDS[code] ?? 'local', cause }
}

/**
 * One connected UDP socket to one node: the kernel drops datagrams of strangers, and an ICMP "port unreachable" comes back
 * as ECONNREFUSED and fails what is open at once.
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

  /** Resolves the name and opens the socket, once for all who ask meanwhile. Rejects with an `ExchangeFailure`. */
  #ready(): Promise<void> {
    if (this.#socket !== undefined) return Promise.resolve()
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<void> {
    const { host, port, family } = this.#address
    let address: string
    try {
      ;({ address } = await lookup(host, { family }))
    } catch (cause) {
      throw { kind: 'unreachable', cause } satisfies ExchangeFailure
    }
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: RECEIVE_BUFFER })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.once('connect', resolve)
        // The address is numeric, so no second look-up goes out.
        socket.connect(port, address)
      })
    } catch (cause) {
      socket.close()
      throw socketFailure(cause)
    }
    socket.removeAllListeners('error')
    if (this.#closed) {
      socket.close()
      throw { kind: 'closed' } satisfies ExchangeFailure
    }
    socket.on('message', (datagram) => this.#requests.receive(this, datagram))
    socket.on('error', this.#failed)
    this.#socket = socket
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    return this.#requests.open(this, exchange, timing)
  }

  transmit(entry: OpenEntry): void {
    const { datagram } = entry.exchange
    // Failures are told later, never inside `send`.
    if (datagram.length > MAX_DATAGRAM) queueMicrotask(() => entry.fail({ kind: 'too-large' }))
    else if (this.#socket === undefined) this.#reopen(entry)
    else {
      try {
        this.#socket.send(datagram, (error) => {
          if (error !== null) this.#sendFailed(entry, error)
        })
      } catch (cause) {
        queueMicrotask(() => entry.fail(socketFailure(cause)))
      }
    }
  }

  /** The first command opens the socket; so does the next one after its name did not resolve or its socket broke. */
  #reopen(entry: OpenEntry): void {
    if (this.#closed) {
      queueMicrotask(() => entry.fail({ kind: 'closed' }))
      return
    }
    this.#ready().then(
      () => {
        if (entry.isOpen) this.transmit(entry)
      },
      (failure: ExchangeFailure) => entry.fail(failure),
    )
  }

  #sendFailed(entry: OpenEntry, error: Error): void {
    const failure = socketFailure(error)
    // A refusal reported by a send may belong to any datagram sent before on this socket, and holds for all of them.
    if (failure.kind === 'refused') this.#failed(error)
    else entry.fail(failure)
  }

  /**
   * A socket that failed is replaced by the next command: each refused datagram leaves an error behind, and one that shows
   * late must not fail a request to a node that is back.
   */
  readonly #failed = (error: Error): void => {
    void this.#drop()
    this.#requests.failAll(this, socketFailure(error))
  }

  #drop(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return Promise.resolve()
    return new Promise((resolve) => socket.close(() => resolve()))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#requests.failAll(this, { kind: 'closed' })
    await this.#opening?.catch(() => undefined)
    await this.#drop()
  }
}
