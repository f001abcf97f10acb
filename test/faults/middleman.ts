import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { random } from './random.ts'

/** What happens to the datagrams of one direction; shares of 1. */
export interface Weather {
  readonly loss?: number
  readonly repeats?: number
  /** Share that is held back by up to `heldMs`, so that others overtake it. */
  readonly held?: number
  readonly heldMs?: number
  /** Share in which bytes are flipped, or the end is cut off. */
  readonly corrupted?: number
}

/** Stands between a client and a node, and from `begin` on does to their datagrams what a seed decides. */
export class Middleman {
  readonly counters = { toNode: 0, toClient: 0, lost: 0, repeated: 0, held: 0, corrupted: 0 }
  readonly #front = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
  readonly #backs = new Map<number, Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #random: () => number
  readonly #nodePort: number
  readonly #toNode: Weather
  readonly #toClient: Weather
  #clientPort = 0
  #isFair = true

  constructor(nodePort: number, seed: number, toNode: Weather, toClient: Weather = toNode) {
    this.#nodePort = nodePort
    this.#random = random(seed)
    this.#toNode = toNode
    this.#toClient = toClient
  }

  async listen(): Promise<number> {
    this.#front.on('message', (bytes, { port }) => {
      this.#clientPort = port
      this.counters.toNode++
      this.#pass(bytes, this.#toNode, (passed) => this.#back(port).send(passed, this.#nodePort, '127.0.0.1'))
    })
    this.#front.bind(0, '127.0.0.1')
    await once(this.#front, 'listening')
    return this.#front.address().port
  }

  /**
   * Ends the fair weather. A client that starts pings its node once, and one reply that is no `pong` takes the node out of use
   * for a minute: then all that follows would be refused, and no weather felt.
   */
  begin(): void {
    this.#isFair = false
  }

  /** A socket of its own for each client, so that the node's replies find the way back. */
  #back(clientPort: number): Socket {
    let back = this.#backs.get(clientPort)
    if (back === undefined) {
      back = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
      back.on('message', (bytes) => {
        this.counters.toClient++
        this.#pass(bytes, this.#toClient, (passed) => this.#front.send(passed, clientPort, '127.0.0.1'))
      })
      back.bind(0, '127.0.0.1')
      this.#backs.set(clientPort, back)
    }
    return back
  }

  #pass(bytes: Buffer, weather: Weather, send: (bytes: Buffer) => void): void {
    if (this.#isFair) {
      send(bytes)
      return
    }
    const { loss = 0, repeats = 0, held = 0, heldMs = 20, corrupted = 0 } = weather
    if (this.#random() < loss) {
      this.counters.lost++
      return
    }
    const passed = this.#random() < corrupted ? this.#corrupt(bytes) : bytes
    if (this.#random() < repeats) {
      this.counters.repeated++
      send(passed)
    }
    if (this.#random() >= held) {
      send(passed)
      return
    }
    this.counters.held++
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      send(passed)
    }, this.#random() * heldMs)
    this.#timers.add(timer)
  }

  #corrupt(bytes: Buffer): Buffer {
    this.counters.corrupted++
    const copy = Buffer.from(bytes)
    if (this.#random() < 0.3) return copy.subarray(0, Math.floor(this.#random() * copy.length))
    const flips = 1 + Math.floor(this.#random() * 4)
    for (let i = 0; i < flips; i++) {
      const at = Math.floor(this.#random() * copy.length)
      copy[at] = copy[at]! ^ (1 << Math.floor(this.#random() * 8))
    }
    return copy
  }

  /** Sends the client a datagram from a stranger's address. */
  async spoof(bytes: Buffer): Promise<void> {
    const stranger = createSocket('udp4')
    await new Promise((resolve) => stranger.send(bytes, this.#clientPort, '127.0.0.1', resolve))
    stranger.close()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of [this.#front, ...this.#backs.values()])
      await new Promise((resolve) => socket.close(() => resolve(undefined)))
  }
}
