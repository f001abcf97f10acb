import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { SipMessage } from '../../src/module/message.ts'

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** A phone with real SIP and RTP sockets: it answers INVITEs, follows re-INVITEs, and sends RTP when told to. */
export class Phone {
  readonly sip: Socket
  readonly rtp: Socket
  readonly name: string
  /** Where its RTP goes, by the SDP it got last. */
  peer: { host: string; port: number } | undefined
  received = 0
  reInvites = 0
  readonly cseqs: number[] = []
  #sequence = 0

  private constructor(name: string, sip: Socket, rtp: Socket) {
    this.name = name
    this.sip = sip
    this.rtp = rtp
    rtp.on('message', () => this.received++)
    sip.on('message', (bytes, { port }) => this.#handle(bytes, port))
  }

  static async open(name: string): Promise<Phone> {
    return new Phone(name, await bound(), await bound())
  }

  get sdp(): string {
    return `v=0\r\no=${this.name} 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${this.rtp.address().port} RTP/AVP 0\r\na=sendrecv\r\n`
  }

  get contact(): string {
    return `sip:${this.name}@127.0.0.1:${this.sip.address().port}`
  }

  #handle(bytes: Buffer, proxyPort: number): void {
    const message = SipMessage.parse(bytes, { address: '127.0.0.1' })
    if (message.sdp !== undefined) this.#follow(message.sdp.toString())
    if (!message.isRequest || message.method === 'ACK') return
    this.cseqs.push(message.cseq!)
    if (message.method === 'INVITE' && message.toTag !== undefined) this.reInvites++
    const lines = bytes.toString('latin1').split('\r\n')
    const copied = lines.filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(line))
    const to = message.toTag === undefined ? `${message.to};tag=${this.name}` : message.to
    const sdp = message.method === 'INVITE' ? this.sdp : ''
    const type = sdp && 'Content-Type: application/sdp\r\n'
    const reply = `SIP/2.0 200 OK\r\n${copied.join('\r\n')}\r\nTo: ${to}\r\nContact: <${this.contact}>\r\n${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
    this.sip.send(reply, proxyPort, '127.0.0.1')
  }

  #follow(sdp: string): void {
    const host = /^c=IN IP4 (\S+)/m.exec(sdp)![1]!
    this.peer = { host, port: Number(/^m=audio (\d+)/m.exec(sdp)![1]) }
  }

  /** Sends a request of the dialog with `callee`; resolves with the final reply. */
  async request(
    method: string,
    callee: Phone,
    {
      proxyPort,
      callId,
      cseq,
      toTag = '',
    }: { proxyPort: number; callId: string; cseq: number; toTag?: string },
  ): Promise<SipMessage> {
    const sdp = method === 'INVITE' ? this.sdp : ''
    const type = sdp && 'Content-Type: application/sdp\r\n'
    const text =
      `${method} ${callee.contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${this.sip.address().port};branch=z9hG4bK${this.name}${cseq}${method}\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${this.name}@127.0.0.1>;tag=${this.name}\r\nTo: <sip:${callee.name}@127.0.0.1>${toTag && `;tag=${toTag}`}\r\n` +
      `Call-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\nContact: <${this.contact}>\r\n${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
    this.sip.send(text, proxyPort, '127.0.0.1')
    if (method === 'ACK') return SipMessage.parse(Buffer.from(text), { address: '127.0.0.1' })
    for (;;) {
      const [bytes] = (await once(this.sip, 'message')) as [Buffer]
      const reply = SipMessage.parse(bytes, { address: '127.0.0.1' })
      if (!reply.isRequest && reply.cseqMethod === method) return reply
    }
  }

  /** One RTP packet (RFC 3550) of PCMU. */
  sendRtp(): void {
    if (this.peer === undefined) return
    const packet = Buffer.alloc(172, 0xff)
    packet.writeUInt16BE(0x8000, 0)
    packet.writeUInt16BE(this.#sequence, 2)
    packet.writeUInt32BE(this.#sequence++ * 160, 4)
    packet.writeUInt32BE(0x1234, 8)
    this.rtp.send(packet, this.peer.port, this.peer.host)
  }

  async close(): Promise<void> {
    for (const socket of [this.sip, this.rtp])
      await new Promise((resolve) => socket.close(() => resolve(undefined)))
  }
}

/** Sends RTP both ways, a packet each 20 ms, until both have got `packets` more; resolves with the milliseconds it took. */
export async function mediaFlows(one: Phone, other: Phone, packets = 10): Promise<number> {
  const started = performance.now()
  const wanted = [one.received + packets, other.received + packets]
  while (one.received < wanted[0]! || other.received < wanted[1]!) {
    if (performance.now() - started > 10_000)
      throw new Error(`no media: ${one.received} of ${wanted[0]}, ${other.received} of ${wanted[1]}`)
    one.sendRtp()
    other.sendRtp()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - started
}
