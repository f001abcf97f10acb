import type { RemoteInfo, Socket } from 'node:dgram'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export class Counters {
  packets = 0
  bytes = 0
  errors = 0

  add(bytes: number): void {
    this.packets++
    this.bytes += bytes
  }
}

/**
 * One socket between the relay and one party, for the RTP or the RTCP of one media section. What arrives leaves through
 * the stream of the other party.
 */
export class Stream {
  readonly socket: Socket
  readonly local: Endpoint
  readonly received = new Counters()
  readonly sent = new Counters()
  /** Where the party's SDP says it is. */
  advertised: Endpoint | undefined
  /** Where packets for the party go. */
  endpoint: Endpoint | undefined
  /** The endpoint is where its packets come from; only that source is listened to from now on. */
  isConfirmed = false
  /** When the last packet came, in ms since 1970. */
  lastPacket = Date.now()
  /** The other party's stream. */
  peer: Stream | undefined
  #isAsymmetric = false
  #isHeld = false

  constructor(socket: Socket, local: Endpoint) {
    this.socket = socket
    this.local = local
    socket.on('message', (packet, source) => this.#arrived(packet, source))
    // ICMP errors of earlier sends show up here too.
    socket.on('error', () => this.sent.errors++)
  }

  /**
   * What the party signalled: where it is, whether it sends from elsewhere than it receives (`isAsymmetric`: its source is
   * never learnt), and whether it wants nothing sent (RFC 3264, 8.4: address 0.0.0.0). Opens the latch: a NAT may have
   * moved the party.
   */
  signalled(endpoint: Endpoint, isAsymmetric: boolean, isHeld: boolean): void {
    const isMoved = this.advertised?.address !== endpoint.address || this.advertised.port !== endpoint.port
    this.advertised = endpoint
    this.#isAsymmetric = isAsymmetric
    this.#isHeld = isHeld
    if (isMoved || isAsymmetric) this.endpoint = endpoint
    this.isConfirmed = false
  }

  #arrived(packet: Buffer, source: RemoteInfo): void {
    if (!this.#accepts(source)) {
      this.received.errors++
      return
    }
    this.lastPacket = Date.now()
    this.received.add(packet.length)
    const { peer } = this
    if (peer !== undefined) peer.#forward(packet)
  }

  /** The first packet tells where the party really is; after that a stranger's packets must not get in. */
  #accepts(source: RemoteInfo): boolean {
    if (this.#isAsymmetric || this.#isHeld) return true
    if (this.isConfirmed) {
      return source.port === this.endpoint?.port && source.address === this.endpoint.address
    }
    this.endpoint = { address: source.address, port: source.port }
    this.isConfirmed = true
    return true
  }

  #forward(packet: Buffer): void {
    if (this.endpoint === undefined || this.#isHeld) return
    this.sent.add(packet.length)
    this.socket.send(packet, this.endpoint.port, this.endpoint.address, (error) => {
      if (error !== null) this.sent.errors++
    })
  }

  close(): void {
    this.peer = undefined
    this.socket.removeAllListeners('message')
    this.socket.close()
  }
}
