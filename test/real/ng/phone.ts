import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseSdp } from '../../../src/core/sdp.ts'

const VERSION = 0x80
const SENDER_REPORT = 200

/** One end of a call: RTP and RTCP sockets on loopback, and where rtpengine wants what they send. */
export class Phone {
  readonly #rtp: Socket
  readonly #rtcp: Socket
  readonly ssrc: number
  #rtpTo = 0
  #rtcpTo = 0
  #sequence = 0
  #timestamp = 0
  /** Middle 32 bits of the NTP time of the last sender report received (RFC 3550, section 6.4.1), else 0. */
  #lastReport = 0
  sent = { packets: 0, bytes: 0 }

  private constructor(rtp: Socket, rtcp: Socket, ssrc: number) {
    this.#rtp = rtp
    this.#rtcp = rtcp
    this.ssrc = ssrc
    rtcp.on('message', (packet) => {
      if (packet[1] === SENDER_REPORT) this.#lastReport = packet.readUInt32BE(10)
    })
  }

  static async open(ssrc: number): Promise<Phone> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
    }
    return new Phone(...sockets, ssrc)
  }

  get sdp(): string {
    return `${[
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.#rtp.address().port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=rtcp:${this.#rtcp.address().port}`,
    ].join('\r\n')}\r\n`
  }

  /** @param sdp what rtpengine wrote for this phone. */
  connect(sdp: string): void {
    this.#rtpTo = parseSdp(Buffer.from(sdp)).mediaDescriptions[0]!.port
    this.#rtcpTo = this.#rtpTo + 1
  }

  /** 20 ms of sound, or what is to be in its place. Resolves when it has reached `to`. */
  async talk(to: Phone, payload = Buffer.alloc(160, 0xff), type = 0): Promise<void> {
    const header = Buffer.alloc(12)
    header[0] = VERSION
    header[1] = type
    header.writeUInt16BE(this.#sequence++, 2)
    header.writeUInt32BE(this.#timestamp, 4)
    header.writeUInt32BE(this.ssrc, 8)
    const packet = Buffer.concat([header, payload])
    this.sent = { packets: this.sent.packets + 1, bytes: this.sent.bytes + packet.length }
    const arrived = once(to.#rtp, 'message')
    this.#rtp.send(packet, this.#rtpTo, '127.0.0.1')
    await arrived
    if (type === 0) this.#timestamp += 160
  }

  /** A sender report about itself and what it hears of `to` (RFC 3550, section 6.4.1). Resolves when it has reached `to`. */
  async report(to: Phone, ntpSeconds: number): Promise<void> {
    const packet = Buffer.alloc(52)
    packet[0] = VERSION | 1
    packet[1] = SENDER_REPORT
    packet.writeUInt16BE(packet.length / 4 - 1, 2)
    packet.writeUInt32BE(this.ssrc, 4)
    packet.writeUInt32BE(ntpSeconds, 8)
    packet.writeUInt32BE(this.#timestamp, 16)
    packet.writeUInt32BE(this.sent.packets, 20)
    packet.writeUInt32BE(this.sent.bytes, 24)
    packet.writeUInt32BE(to.ssrc, 28)
    packet.writeUInt32BE(to.#sequence, 36)
    packet.writeUInt32BE(this.#lastReport, 44)
    // The least delay there is, 15 microseconds: without any rtpengine reckons no round trip, and without that no MOS.
    packet.writeUInt32BE(1, 48)
    const arrived = once(to.#rtcp, 'message')
    this.#rtcp.send(packet, this.#rtcpTo, '127.0.0.1')
    await arrived
  }

  /**
   * Presses a key for 100 ms: an event packet and its end, as RFC 4733, section 2.5.1 wants, sent three times. Resolves when all of it has
   * reached `to`: an end that rtpengine's threads come to behind the next key is a key of its own to it.
   */
  async press(code: number, to: Phone): Promise<void> {
    const packet = (duration: number, end: boolean): Buffer => {
      const bytes = Buffer.alloc(16)
      bytes[0] = VERSION
      bytes[1] = 101
      bytes.writeUInt16BE(this.#sequence++, 2)
      bytes.writeUInt32BE(this.#timestamp, 4)
      bytes.writeUInt32BE(this.ssrc, 8)
      bytes[12] = code
      bytes[13] = (end ? 0x80 : 0) | 10
      bytes.writeUInt16BE(duration, 14)
      return bytes
    }
    const packets = [
      packet(160, false),
      packet(480, false),
      packet(800, true),
      packet(800, true),
      packet(800, true),
    ]
    this.#timestamp += 1600
    for (const bytes of packets) {
      const arrived = once(to.#rtp, 'message')
      this.#rtp.send(bytes, this.#rtpTo, '127.0.0.1')
      await arrived
    }
  }

  close(): void {
    this.#rtp.close()
    this.#rtcp.close()
  }
}
