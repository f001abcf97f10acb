import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { refusal } from './request.ts'

/** Two bound sockets: an even port for RTP and the odd one above it for RTCP (RFC 3550, 11). */
export interface PortPair {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly address: string
  /** Port of RTP. */
  readonly port: number
}

/** How often the operating system is asked for a port whose neighbour turns out to be taken. */
const ATTEMPTS = 40

/** Finds free pairs of ports: any the operating system gives, or those of a range in turn. */
export class Ports {
  readonly #first: number
  readonly #pairs: number
  #next = 0

  /** `minimum` 0: any port. */
  constructor(minimum: number, maximum: number) {
    this.#first = minimum + (minimum % 2)
    this.#pairs = minimum === 0 ? 0 : Math.floor((maximum + 1 - this.#first) / 2)
  }

  /** Rejects with rtpengine's `Ran out of ports`. */
  async open(address: string): Promise<PortPair> {
    const attempts = this.#first === 0 ? ATTEMPTS : this.#pairs
    for (let i = 0; i < attempts; i++) {
      const pair =
        this.#first === 0
          ? await anyPair(address)
          : await pairAt(address, this.#first + 2 * (this.#next++ % this.#pairs))
      if (pair !== undefined) return pair
    }
    throw refusal('Ran out of ports')
  }
}

async function anyPair(address: string): Promise<PortPair | undefined> {
  const socket = await bind(address, 0)
  if (socket === undefined) return undefined
  const { port } = socket.address()
  const isEven = port % 2 === 0
  const neighbour = await bind(address, isEven ? port + 1 : port - 1)
  if (neighbour === undefined) {
    socket.close()
    return undefined
  }
  return isEven
    ? { rtp: socket, rtcp: neighbour, address, port }
    : { rtp: neighbour, rtcp: socket, address, port: port - 1 }
}

async function pairAt(address: string, port: number): Promise<PortPair | undefined> {
  const rtp = await bind(address, port)
  if (rtp === undefined) return undefined
  const rtcp = await bind(address, port + 1)
  if (rtcp !== undefined) return { rtp, rtcp, address, port }
  rtp.close()
  return undefined
}

function bind(address: string, port: number): Promise<Socket | undefined> {
  const family = isIPv6(address) ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    // Only IP addresses ever get here, so there is nothing to look up, and no packet need wait for it.
    lookup: (host, _, done) => done(null, host, family),
  })
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close()
      resolve(undefined)
    })
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}
