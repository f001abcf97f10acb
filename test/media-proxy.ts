import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import type { BencodeValue } from '../src/core/bencode.ts'
import { decode, encode } from '../src/core/bencode.ts'
import { decodeLarge } from '../src/core/large/bencode.ts'
import { textOf } from '../src/core/large/reply.ts'
import { StreamFrames } from '../src/network/framing/stream-frames.ts'

export type Dictionary = { [key: string]: BencodeValue<string> }

/** What a scripted media proxy does with a datagram: the datagrams to send back, cookies included. */
export type Script = (
  payload: Buffer,
  cookie: string,
  dictionary: Dictionary,
) => readonly (Buffer | string)[] | undefined

const join = (cookie: string, dictionary: object): Buffer =>
  Buffer.concat([Buffer.from(`${cookie} `), encode(dictionary as never)])

/** The scripts of the recordings: see vectors/README.md. */
export const scripts = {
  ok: (_, cookie, request) => [join(cookie, okReply(request))],
  error: (_, cookie) => [join(cookie, { result: 'error', 'error-reason': 'Unknown call-id' })],
  loadlimit: (_, cookie) => [
    join(cookie, { result: 'load limit', message: 'Parallel session limit reached' }),
  ],
  nosdp: (_, cookie) => [join(cookie, { result: 'ok' })],
  garbage: (_, cookie) => [`${cookie} this is not bencode`],
  wrongthenright: (_, cookie, request) => [join('1_2', { result: 'error' }), join(cookie, okReply(request))],
  silent: () => [],
} satisfies Record<string, Script>

function okReply(request: Dictionary): object {
  if (request.command === 'ping') return { result: 'pong' }
  if (request.command === 'query') {
    const side = (bytes: number, packets: number, errors: number) => ({ rtp: { bytes, packets, errors } })
    return { result: 'ok', totals: { input: side(17200, 100, 1), output: side(15480, 90, 0) } }
  }
  if (request.sdp === undefined) return { result: 'ok' }
  const sdp = String(request.sdp)
    .replace(/c=IN IP([46]) [^\r\n]*/g, 'c=IN IP$1 203.0.113.9')
    .replace(/(m=[^ ]+ )[0-9]+/g, '$130000')
  return { sdp: Buffer.from(sdp, 'latin1'), result: 'ok' }
}

/** A media proxy that follows a script and keeps what it was sent. Pings are answered unless it is silent. */
export class ScriptedProxy {
  /** Payloads in order, without cookie and space; pings left out. */
  readonly payloads: Buffer[] = []
  readonly cookies: string[] = []
  pings = 0
  /** How many messages came over TCP. */
  overStream = 0
  readonly connections = new Set<TcpSocket>()
  script: Script
  #udp: Socket | undefined
  #server: Server | undefined

  constructor(script: Script = scripts.ok) {
    this.script = script
  }

  async listenUdp(address = '127.0.0.1', port = 0): Promise<number> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    this.#udp = socket
    socket.on('message', (datagram, from) => this.#received(datagram, from))
    socket.bind(port, address)
    await once(socket, 'listening')
    return socket.address().port
  }

  /** The port of a TCP listener that speaks NG, beside the UDP socket. */
  async listenTcp(port = 0): Promise<number> {
    const server = createServer((connection) => {
      this.connections.add(connection)
      connection.on('error', () => undefined).on('close', () => this.connections.delete(connection))
      const frames = new StreamFrames((message) => {
        const space = message.indexOf(0x20)
        this.overStream++
        const cookie = message.toString('latin1', 0, space)
        for (const reply of this.#answer(message.subarray(space + 1), cookie)) connection.write(reply)
      })
      connection.on('data', (chunk) => frames.push(chunk))
    })
    this.#server = server
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async listenUnix(path: string): Promise<void> {
    const server = createServer((connection) => {
      connection.on('error', () => undefined)
      connection.once('data', (payload) => {
        for (const reply of this.#answer(payload, '')) {
          connection.write(Buffer.from(reply).subarray(Buffer.from(reply).indexOf(0x20) + 1))
        }
        connection.end()
      })
    })
    this.#server = server
    server.listen(path)
    await once(server, 'listening')
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const space = datagram.indexOf(0x20)
    const cookie = datagram.toString('latin1', 0, space)
    for (const reply of this.#answer(datagram.subarray(space + 1), cookie))
      this.#udp?.send(reply, from.port, from.address)
  }

  #answer(payload: Buffer, cookie: string): readonly (Buffer | string)[] {
    const dictionary = (
      payload.length > 65_535 ? textOf(decodeLarge(payload, 0)) : decode(payload, 'latin1')
    ) as Dictionary
    if (dictionary.command === 'ping') {
      this.pings++
      if (this.script !== scripts.silent) return [join(cookie, { result: 'pong' })]
    } else {
      this.payloads.push(payload)
      this.cookies.push(cookie)
    }
    return this.script(payload, cookie, dictionary) ?? []
  }

  async close(): Promise<void> {
    const udp = this.#udp
    this.#udp = undefined
    if (udp !== undefined) await new Promise<void>((resolve) => udp.close(() => resolve()))
    const server = this.#server
    this.#server = undefined
    for (const connection of this.connections) connection.destroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }
}
