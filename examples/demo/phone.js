// A phone for demonstrations: one SIP socket, one RTP socket with its RTCP neighbour, and no more SIP than one call needs.

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { SipMessage } from 'rtpproxy-ng'
import { parseSdp } from 'rtpproxy-ng/sdp'

const HOST = '127.0.0.1'

export class Phone {
  /** @param {string} name */
  constructor(name) {
    this.name = name
    this.tag = randomBytes(4).toString('hex')
    this.sip = createSocket('udp4')
    this.rtp = createSocket('udp4')
    this.rtcp = createSocket('udp4')
    this.received = { rtp: 0, rtcp: 0 }
    /** @type {Set<number>} where the media came from */
    this.sources = new Set()
    /**
     * Told of a reply that ends the call.
     *
     * @type {(status: number | undefined) => void}
     */
    this.onFailure = () => undefined
    /** @type {((message: SipMessage) => void)[]} */
    this.waiting = []
    /** @type {SipMessage[]} */
    this.inbox = []
    this.sip.on('message', (bytes, peer) => {
      const message = SipMessage.parse(bytes, peer)
      if ((message.statusCode ?? 0) >= 300) this.onFailure(message.statusCode)
      const taker = this.waiting.shift()
      if (taker === undefined) this.inbox.push(message)
      else taker(message)
    })
    this.rtp.on('message', (_, { port }) => {
      this.received.rtp++
      this.sources.add(port)
    })
    this.rtcp.on('message', () => this.received.rtcp++)
  }

  async start() {
    this.sip.bind(0, HOST)
    await once(this.sip, 'listening')
    // RTP takes an even port and RTCP the odd one behind it (RFC 3550, 11); another pair is tried until one is free.
    for (;;) {
      const port = 20000 + 2 * Math.floor(Math.random() * 5000)
      try {
        await bound(this.rtp, port)
        await bound(this.rtcp, port + 1)
        return
      } catch {
        this.rtp = renewed(this.rtp)
        this.rtcp = renewed(this.rtcp)
      }
    }
  }

  get uri() {
    return `sip:${this.name}@${HOST}:${this.sip.address().port}`
  }

  /** The SDP this phone offers or answers with. */
  get sdp() {
    return [
      'v=0',
      `o=${this.name} 1 1 IN IP4 ${HOST}`,
      's=-',
      `c=IN IP4 ${HOST}`,
      't=0 0',
      `m=audio ${this.rtp.address().port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      'a=sendrecv',
      '',
    ].join('\r\n')
  }

  /**
   * @param {string[]} lines start line and headers
   * @param {string} body
   * @param {number} port
   */
  send(lines, body, port) {
    const head = [
      ...lines,
      `Contact: <${this.uri}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ]
    this.sip.send(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, port, HOST)
  }

  /** @returns {Promise<SipMessage>} the next SIP message, whenever it comes */
  next() {
    const ready = this.inbox.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /**
   * Sends media where `sdp` says: `count` packets of 20 ms of silence, and an RTCP report.
   *
   * @param {Buffer} sdp
   * @param {number} count
   */
  async talk(sdp, count) {
    const [media] = parseSdp(sdp).mediaDescriptions
    if (media?.connection === undefined) throw new Error(`${this.name}: no media to talk to`)
    const ssrc = randomBytes(4)
    for (let sequence = 0; sequence < count; sequence++) {
      const header = Buffer.from([0x80, 0, sequence >> 8, sequence & 255, 0, 0, 0, 0, ...ssrc])
      header.writeUInt32BE(sequence * 160, 4)
      this.rtp.send(Buffer.concat([header, Buffer.alloc(160, 0xff)]), media.port, media.connection.address)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    // An empty receiver report (RFC 3550, 6.4.2).
    this.rtcp.send(
      Buffer.from([0x80, 201, 0, 1, ...ssrc]),
      media.rtcp?.port ?? media.port + 1,
      media.connection.address,
    )
  }

  async close() {
    await Promise.all(
      [this.sip, this.rtp, this.rtcp].map(
        (socket) => new Promise((resolve) => socket.close(() => resolve(undefined))),
      ),
    )
  }
}

/**
 * @param {import('node:dgram').Socket} socket
 * @param {number} port
 */
async function bound(socket, port) {
  const listening = once(socket, 'listening')
  socket.bind(port, HOST)
  await listening
}

/** @param {import('node:dgram').Socket} socket */
function renewed(socket) {
  const fresh = createSocket('udp4')
  for (const listener of socket.listeners('message'))
    fresh.on('message', /** @type {() => void} */ (listener))
  socket.removeAllListeners()
  socket.on('error', () => undefined)
  socket.close()
  return fresh
}
