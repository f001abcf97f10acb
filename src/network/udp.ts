import { createSocket, type Socket } from 'node:dgram'
import { type NameResolver, systemNames } from './names.ts'
import type { OpenEntry, OpenRequests, Sender } from './requests/open-requests.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'

/** Largest UDP payload over IPv4. */
export const MAX_DATAGRAM = 65507

/**
 * Asked for in bytes; the kernel gives what it allows. Replies come in bursts, and one that finds the buffer full is lost
 * for a whole timeout.
 */
const RECEIVE_BUFFER = 4 << 20

/**
 * From so many open requests on, the datagrams of one turn of the event loop leave together at its end: sent in a row they cost
 * the system a sixth less than one by one between the replies. With fewer there is no row, and waiting would only cost time.
 */
const MANY = 8

export interface UdpAddress {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
  /** Where it is sent from. Default: as the system chooses. */
  readonly localAddress?: string | undefined
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
  // The address to send from is none of this host.
  if ((cause as NodeJS.ErrnoException).syscall === 'bind') return { kind: 'local', cause }
  return { kind: KINDS[codeOf(cause)] ?? 'local', cause }
}

/**
 * One connected UDP socket to one node: the kernel drops datagrams of strangers, and an ICMP "port unreachable" comes back
 * as ECONNREFUSED and fails what is open at once. The first command looks the name up and opens the socket; so does the
 * next one after the name did not resolve or the socket failed.
 */
export class UdpTransport implements Transport, Sender {
  readonly url: string
  readonly #address: UdpAddress
  readonly #requests: OpenRequests
  readonly #names: NameResolver
  /** Every socket that is not closed: the one that sends, those it replaced, those being connected. */
  readonly #sockets = new Set<Socket>()
  /** Sockets that only receive, each with the requests sent through it. */
  readonly #replaced = new Map<Socket, Set<OpenEntry>>()
  /** What is to be sent at the end of this turn of the event loop. */
  #queue: OpenEntry[] = []
  #socket: Socket | undefined
  /** Where `#socket` is connected to. */
  #peer: string | undefined
  #opening: Promise<void> | undefined
  #refreshing: Promise<ExchangeFailure | undefined> | undefined
  #closed = false

  constructor(url: string, address: UdpAddress, requests: OpenRequests, names: NameResolver = systemNames) {
    this.url = url
    this.#address = address
    this.#requests = requests
    this.#names = names
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    return this.#requests.open(this, exchange, timing)
  }

  transmit(entry: OpenEntry): void {
    const { datagram } = entry.exchange
    const socket = this.#socket
    // Failures are told later, never inside `send`.
    if (this.#closed) queueMicrotask(() => entry.fail({ kind: 'closed' }))
    else if (entry.isForgotten) return
    else if (datagram.length > MAX_DATAGRAM) queueMicrotask(() => entry.fail({ kind: 'too-large' }))
    else if (socket === undefined) this.#opening ??= this.#open()
    else if (this.#requests.size < MANY) this.#put(socket, entry)
    else if (this.#queue.push(entry) === 1) setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    const queue = this.#queue
    this.#queue = []
    for (const entry of queue) {
      // One that was cancelled meanwhile may have given its datagram to another node.
      if (entry.taken) continue
      if (this.#socket !== undefined) this.#put(this.#socket, entry)
      else this.transmit(entry)
    }
  }

  #put(socket: Socket, entry: OpenEntry): void {
    try {
      // Without a callback Node drops the error of a send, and with it a refusal the system tells only once.
      socket.send(entry.exchange.datagram, (error) => {
        if (error !== null) this.#sendFailed(socket, entry, error)
      })
    } catch (cause) {
      queueMicrotask(() => this.#sendFailed(socket, entry, cause))
    }
  }

  /**
   * Looks the name up again. When it has lost the address in use, what is sent from now on, resends too, goes to its first
   * address through a new socket; the old one receives until the last request sent through it has ended.
   *
   * Never rejects: resolves with the failure that leaves the old address in use. Calls at the same time share one look-up.
   */
  refresh(): Promise<ExchangeFailure | undefined> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refresh(): Promise<ExchangeFailure | undefined> {
    const old = this.#socket
    // Without a socket the next command looks the name up anyway.
    if (old === undefined) return undefined
    try {
      const address = await this.#lookUp(this.#peer)
      if (address === this.#peer) return undefined
      const socket = await this.#connect(address)
      // While it was being connected the old one may have failed, or the transport been closed.
      if (this.#socket === old) {
        this.#use(socket, address)
        this.#replace(old)
      } else this.#discard(socket)
      return undefined
    } catch (failure) {
      return this.#closed ? undefined : (failure as ExchangeFailure)
    }
  }

  /** Opens the socket and sends all that was asked for meanwhile: each datagram once, however often its time came round. */
  async #open(): Promise<void> {
    try {
      const address = await this.#lookUp(undefined)
      const socket = await this.#connect(address)
      this.#opening = undefined
      this.#use(socket, address)
    } catch (failure) {
      this.#opening = undefined
      this.#failOpen(failure as ExchangeFailure)
      return
    }
    for (const entry of this.#requests.openAt(this)) this.transmit(entry)
  }

  /** The address to send to: `current` as long as the name has it. Rejects with an `ExchangeFailure`. */
  async #lookUp(current: string | undefined): Promise<string> {
    const { host, family } = this.#address
    try {
      const addresses = await this.#names.addresses(host, family)
      const address = addresses.find((one) => one === current) ?? addresses[0]
      if (address === undefined) throw new Error(`${host} has no address`)
      return address
    } catch (cause) {
      throw { kind: 'unreachable', cause } satisfies ExchangeFailure
    }
  }

  /** Connects a socket to a numeric address, so that no look-up goes out. Rejects with an `ExchangeFailure`. */
  async #connect(address: string): Promise<Socket> {
    if (this.#closed) throw { kind: 'closed' } satisfies ExchangeFailure
    const { port, family, localAddress } = this.#address
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: RECEIVE_BUFFER })
    this.#sockets.add(socket)
    socket.on('message', (datagram) => this.#requests.receive(this, datagram))
    socket.on('error', (error) => this.#failed(socket, error))
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject)
        socket.once('close', () => reject(new Error('closed')))
        const connect = (): void => socket.connect(port, address)
        if (localAddress === undefined) connect()
        // Of its own, and not one that a cluster shares.
        else socket.bind({ address: localAddress, exclusive: true }, connect)
      })
    } catch (cause) {
      this.#discard(socket)
      throw failureOf(cause)
    }
    return socket
  }

  #use(socket: Socket, address: string): void {
    this.#socket = socket
    this.#peer = address
  }

  #replace(socket: Socket): void {
    const entries = this.#requests.openAt(this)
    if (entries.length === 0) this.#discard(socket)
    else this.#replaced.set(socket, new Set(entries))
    for (const entry of entries) entry.onTaken = () => this.#taken(entry)
  }

  #taken(entry: OpenEntry): void {
    for (const [socket, entries] of this.#replaced) {
      if (!entries.delete(entry) || entries.size > 0) continue
      this.#replaced.delete(socket)
      this.#discard(socket)
    }
  }

  /** Whether the reply may still come in through a replaced socket. */
  #isAwaited(entry: OpenEntry): boolean {
    for (const entries of this.#replaced.values()) if (entries.has(entry)) return true
    return false
  }

  #failOpen(failure: ExchangeFailure): void {
    for (const entry of this.#requests.openAt(this)) if (!this.#isAwaited(entry)) entry.fail(failure)
  }

  #sendFailed(socket: Socket, entry: OpenEntry, error: unknown): void {
    if (socket !== this.#socket) return
    const failure = failureOf(error)
    // A refusal reported by a send may belong to any datagram sent before on this socket, and holds for all of them.
    if (failure.kind === 'refused' || BROKEN.has(codeOf(error))) this.#failed(socket, error)
    else if (failure.kind === 'local' || this.#isAwaited(entry)) entry.unsent(failure)
    else entry.fail(failure)
  }

  /**
   * A socket that failed is replaced by the next command. Each refused datagram leaves an error behind, and all that was open
   * on the socket is told of the first: those that show later must not fail requests to a node that is back. Nor must those
   * of a replaced socket: what went out there is sent again through the new one.
   */
  #failed(socket: Socket, error: unknown): void {
    if (socket !== this.#socket) return
    // Path MTU discovery (RFC 1191): some datagram was too large for the path. The system has learnt and cuts the next send.
    if (codeOf(error) === 'EMSGSIZE') return
    this.#socket = undefined
    this.#discard(socket)
    this.#failOpen(failureOf(error))
  }

  #discard(socket: Socket): void {
    // One that was discarded before is closed, and Node throws when it is closed again.
    if (this.#sockets.delete(socket)) socket.close()
  }

  /** Resolves when no socket is left; does not wait for a look-up. */
  async close(): Promise<void> {
    this.#closed = true
    this.#socket = undefined
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    this.#requests.failAll(this, { kind: 'closed' })
    for (const socket of this.#sockets) this.#discard(socket)
    await Promise.all(gone)
  }
}
