import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type BencodeInput, decode, encode } from '../../src/core/bencode.ts'

export type NgRequest = { readonly [key: string]: BencodeInput }

interface Counts {
  readonly packets: number
  readonly bytes: number
  readonly errors: number
}

interface ReplyStream {
  readonly 'local port': number
  readonly 'local address': string
  readonly endpoint: { readonly address?: string; readonly port?: number }
  readonly flags: readonly string[]
  readonly stats: Counts
  readonly stats_out: Counts
}

/** Every key that some reply has. */
export interface NgReply {
  readonly result: string
  readonly 'error-reason': string
  readonly warning: string
  readonly sdp: string
  readonly calls: readonly string[]
  readonly created: number
  readonly totals: { readonly RTP: Counts; readonly RTCP: Counts }
  readonly tags: {
    readonly [tag: string]: {
      readonly tag: string
      readonly label?: string
      readonly medias: readonly { readonly type: string; readonly streams: readonly ReplyStream[] }[]
    }
  }
}

/** An NG client over UDP that sends one command at a time. */
export class UdpClient {
  readonly socket: Socket
  readonly #port: number
  readonly #host: string
  #sequence = 0

  constructor(url: string) {
    const [, family, host = '', port] = /^udp(6?):\[?(.*?)\]?:([0-9]+)$/.exec(url)!
    this.socket = createSocket(family === '6' ? 'udp6' : 'udp4')
    this.#host = host
    this.#port = Number(port)
  }

  /** The reply's datagram, cookie included. */
  async datagram(bytes: Uint8Array | string): Promise<Buffer> {
    const arrived = once(this.socket, 'message') as Promise<[Buffer]>
    this.send(bytes)
    return (await arrived)[0]
  }

  send(bytes: Uint8Array | string): void {
    this.socket.send(bytes, this.#port, this.#host)
  }

  /** What is sent back for `payload` behind a fresh cookie. */
  async payload(payload: Uint8Array | string): Promise<Buffer> {
    const cookie = `${process.pid}_${++this.#sequence} `
    const reply = await this.datagram(Buffer.concat([Buffer.from(cookie), Buffer.from(payload)]))
    if (!reply.toString('latin1').startsWith(cookie)) throw new Error('another cookie')
    return reply.subarray(cookie.length)
  }

  async request(request: NgRequest): Promise<NgReply> {
    return decode(await this.payload(encode(request)), 'latin1') as unknown as NgReply
  }

  close(): void {
    this.socket.close()
  }
}

/** One dictionary each way over a UNIX stream. */
export async function unixRequest(path: string, chunks: readonly Uint8Array[]): Promise<Buffer> {
  const connection = connect(path)
  const received: Buffer[] = []
  connection.on('data', (chunk) => received.push(chunk))
  await once(connection, 'connect')
  for (const chunk of chunks) await new Promise((resolve) => connection.write(chunk, resolve))
  await once(connection, 'close')
  return Buffer.concat(received)
}

/** One end of a call: a socket for RTP and one for RTCP, at ports of their own. */
export class Party {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly address: string
  readonly #inboxes = new Map<Socket, { packets: Buffer[]; wake: (() => void) | undefined }>()

  private constructor(address: string) {
    const type = address.includes(':') ? 'udp6' : 'udp4'
    this.address = address
    this.rtp = createSocket(type)
    this.rtcp = createSocket(type)
  }

  static async at(address = '127.0.0.1'): Promise<Party> {
    const party = new Party(address)
    for (const socket of [party.rtp, party.rtcp]) {
      const inbox: { packets: Buffer[]; wake: (() => void) | undefined } = { packets: [], wake: undefined }
      party.#inboxes.set(socket, inbox)
      socket.on('message', (packet) => {
        inbox.packets.push(packet)
        inbox.wake?.()
      })
      socket.bind(0, address)
      await once(socket, 'listening')
    }
    return party
  }

  /** `m=` and what belongs to it. */
  media(kind = 'audio', lines: readonly string[] = []): string[] {
    return [`m=${kind} ${this.rtp.address().port} RTP/AVP 0`, `a=rtcp:${this.rtcp.address().port}`, ...lines]
  }

  sdp(...lines: string[]): Buffer {
    return sdpOf(this.address, ...(lines.length === 0 ? this.media() : lines))
  }

  /** The packet that comes next, or came and was not asked for yet. */
  async next(socket: Socket): Promise<Buffer> {
    const inbox = this.#inboxes.get(socket)!
    while (inbox.packets.length === 0) await new Promise<void>((resolve) => (inbox.wake = resolve))
    return inbox.packets.shift()!
  }

  close(): void {
    this.rtp.close()
    this.rtcp.close()
  }
}

export function sdpOf(address: string, ...lines: string[]): Buffer {
  const network = `IN IP${address.includes(':') ? 6 : 4} ${address}`
  return Buffer.from(['v=0', `o=- 1 1 ${network}`, 's=-', `c=${network}`, 't=0 0', ...lines, ''].join('\r\n'))
}

/** Whether this machine has ::1. */
export const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)

/** The first of `count` free ports in a row, an even one, from where the operating system gives none by itself. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 5000)
    const sockets = Array.from({ length: count }, () => createSocket('udp4'))
    try {
      for (const [i, socket] of sockets.entries()) {
        socket.bind({ port: first + i, address: '127.0.0.1', exclusive: true })
        await once(socket, 'listening')
      }
      return first
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    } finally {
      for (const socket of sockets) socket.close()
    }
  }
}

let sequence = 0

/** A packet of version 2 (RFC 3550, 5.1), unlike any before. */
export function rtpPacket(payload = 160): Buffer {
  sequence++
  return Buffer.concat([
    Buffer.from([0x80, 0, sequence >> 8, sequence & 255, 0, 0, 0, 160, 1, 2, 3, 4]),
    Buffer.alloc(payload, sequence),
  ])
}

/** A receiver report without blocks (RFC 3550, 6.4.2). */
export function rtcpPacket(): Buffer {
  sequence++
  return Buffer.from([0x80, 201, 0, 1, 0, 0, sequence >> 8, sequence & 255])
}
