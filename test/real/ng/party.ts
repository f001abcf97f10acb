import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A packet of G.711 silence that is no silence to the ear of a test: 160 bytes of one value. */
const FRAME = 160
const EVENT_TYPE = 101

/** A party with one RTP socket that tells what came in. */
export class Party {
  readonly #socket: Socket
  readonly packets: Buffer[] = []
  #sequence = 1000
  #timestamp = 160
  readonly #ssrc: number
  #peer = 0

  private constructor(socket: Socket, ssrc: number) {
    this.#socket = socket
    this.#ssrc = ssrc
    socket.on('message', (packet) => this.packets.push(packet))
  }

  static async open(ssrc: number): Promise<Party> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new Party(socket, ssrc)
  }

  get port(): number {
    return this.#socket.address().port
  }

  sdp(direction = 'sendrecv'): string {
    return [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.port} RTP/AVP 0 ${EVENT_TYPE}`,
      `a=rtpmap:${EVENT_TYPE} telephone-event/8000`,
      `a=${direction}`,
      '',
    ].join('\r\n')
  }

  /** Sends to the port of this SDP from now on. */
  follow(sdp: string): void {
    this.#peer = Number(/^m=audio (\d+)/m.exec(sdp)![1])
  }

  /** Sends `count` packets whose payload is all `value`. */
  async talk(count: number, value: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#send(0, Buffer.alloc(FRAME, value))
  }

  /** Presses a key (RFC 4733): the event, and its end three times. */
  async press(event: number): Promise<void> {
    for (const [end, duration] of [
      [0, 160],
      [0x80, 320],
      [0x80, 320],
      [0x80, 320],
    ] as const) {
      await this.#send(EVENT_TYPE, Buffer.from([event, end | 10, duration >> 8, duration & 0xff]))
    }
  }

  async #send(type: number, payload: Buffer): Promise<void> {
    const header = Buffer.alloc(12)
    header[0] = 0x80
    header[1] = type
    header.writeUInt16BE(this.#sequence++ & 0xffff, 2)
    if (type === 0) this.#timestamp += FRAME
    header.writeUInt32BE(this.#timestamp, 4)
    header.writeUInt32BE(this.#ssrc, 8)
    await new Promise<void>((resolve, reject) =>
      this.#socket.send(Buffer.concat([header, payload]), this.#peer, '127.0.0.1', (error) =>
        error === null ? resolve() : reject(error),
      ),
    )
  }

  /** Payloads of audio packets that came in, by their first byte, and the events. */
  heard(): { audio: number[]; events: number[] } {
    const of = (type: number) => this.packets.filter((packet) => (packet[1]! & 0x7f) === type)
    return { audio: of(0).map((packet) => packet[12]!), events: of(EVENT_TYPE).map((packet) => packet[12]!) }
  }

  forget(): void {
    this.packets.length = 0
  }

  close(): void {
    this.#socket.close()
  }
}
