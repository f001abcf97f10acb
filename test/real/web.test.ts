import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BencodeInput, decode, encode } from '../../src/core/bencode.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import type { Transport } from '../../src/network/transport.ts'
import { UdpTransport } from '../../src/network/udp.ts'
import { parseWebUrl } from '../../src/network/web/address.ts'
import { HttpTransport } from '../../src/network/web/http.ts'
import { WebSocketTransport } from '../../src/network/web/websocket.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { findProgram, RtpEngine } from './program.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const room = Buffer.alloc(COOKIE_LENGTH + 1)

function exchange(
  transport: Transport,
  payload: Uint8Array | string,
  datagram = Buffer.concat([room, Buffer.from(payload)]),
  keepsCookie = false,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    transport.send(
      {
        datagram,
        keepsCookie,
        replied: (bytes, offset) => resolve(bytes.subarray(offset)),
        failed: ({ kind, cause }) => reject(new Error(kind, { cause })),
      },
      { timeoutMs: 5000, attempts: 1 },
    )
  })
}

async function ask(
  transport: Transport,
  command: string,
  parameters: Record<string, BencodeInput> = {},
): Promise<Record<string, unknown>> {
  return decode(await exchange(transport, encode({ command, ...parameters })), 'utf8') as Record<
    string,
    unknown
  >
}

const transports: Transport[] = []
afterEach(async () => {
  for (const transport of transports.splice(0)) await transport.close()
})

function to(url: string, requests = new OpenRequests()): Transport {
  const address = parseWebUrl(url)
  const Web = address.transport === 'http' ? HttpTransport : WebSocketTransport
  const transport = new Web(url, address, requests)
  transports.push(transport)
  return transport
}

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('a real rtpengine over the web', () => {
  let engine: RtpEngine
  beforeAll(async () => {
    engine = await RtpEngine.start(16000)
  })
  afterAll(() => engine?.stop())

  describe.each(['httpUrl', 'wsUrl'] as const)('at its %s', (kind) => {
    it('answers a ping, in bencode and in JSON', async () => {
      const transport = to(engine[kind])
      expect(await ask(transport, 'ping')).toMatchObject({ result: 'pong' })
      expect(JSON.parse(`${await exchange(transport, '{"command":"ping"}')}`)).toEqual({ result: 'pong' })
    })

    it('takes a call through offer, answer, query and delete', async () => {
      const transport = to(engine[kind])
      const call = { 'call-id': kind, 'from-tag': 'from' }
      const answered = { ...call, 'to-tag': 'to' }
      expect(await ask(transport, 'offer', { ...call, sdp: SDP })).toMatchObject({ result: 'ok' })
      expect(await ask(transport, 'answer', { ...answered, sdp: SDP })).toMatchObject({ result: 'ok' })
      const query = await ask(transport, 'query', call)
      expect(Object.keys(query.tags as object).sort()).toEqual(['from', 'to'])
      expect(await ask(transport, 'delete', call)).not.toHaveProperty('warning')
      expect(await ask(transport, 'query', call)).toMatchObject({ 'error-reason': 'Unknown call-id' })
    })

    it('sends its statistics, which are too large for a packet', async () => {
      const reply = await exchange(to(engine[kind]), encode({ command: 'statistics' }))
      expect(reply.length).toBeGreaterThan(4096)
      expect(decode(reply, 'utf8')).toMatchObject({ result: 'ok' })
    })

    it('answers 200 commands at once, each with its own reply', async () => {
      const transport = to(engine[kind])
      const calls = Array.from({ length: 200 }, (_, i) => ({ 'call-id': `${kind}-${i}`, 'from-tag': 'from' }))
      const offers = await Promise.all(calls.map((call) => ask(transport, 'offer', { ...call, sdp: SDP })))
      expect(offers.every(({ result }) => result === 'ok')).toBe(true)
      const queries = await Promise.all(calls.map((call) => ask(transport, 'query', call)))
      expect(queries.every(({ tags }) => 'from' in (tags as object))).toBe(true)
      const deletes = await Promise.all(calls.map((call) => ask(transport, 'delete', call)))
      expect(deletes.every((reply) => !('warning' in reply))).toBe(true)
    })

    it('gives no command the reply to another, however many are open', async () => {
      const transport = to(engine[kind])
      const tags = Array.from({ length: 100 }, (_, i) => `${kind}-tag-${i}`)
      for (const tag of tags) await ask(transport, 'offer', { 'call-id': tag, 'from-tag': tag, sdp: SDP })
      for (let round = 0; round < 20; round++) {
        const queries = await Promise.all(tags.map((tag) => ask(transport, 'query', { 'call-id': tag })))
        expect(queries.map(({ tags: found }) => Object.keys(found as object)[0])).toEqual(tags)
      }
      for (const tag of tags) await ask(transport, 'delete', { 'call-id': tag })
    })

    it('executes a command once that came as a datagram before, with the same cookie', async () => {
      const requests = new OpenRequests()
      const [, host = '', port] = /^udp:(.*):(.*)$/.exec(engine.url) ?? []
      const udp = new UdpTransport(engine.url, { host, port: Number(port), family: 4 }, requests)
      transports.push(udp)
      const call = { 'call-id': `once-${kind}`, 'from-tag': 'from' }
      const datagram = Buffer.concat([room, encode({ command: 'offer', ...call, sdp: SDP })])
      const first = await exchange(udp, '', datagram)
      const again = await exchange(to(engine[kind], requests), '', datagram, true)
      expect(again).toEqual(first)
      expect(await ask(udp, 'delete', call)).not.toHaveProperty('warning')
    })
  })

  it('does not know messages without cookies', async () => {
    const plain = [`${engine.wsUrl}/ng-plain`, `${engine.httpUrl}-plain`].map((url) => to(url))
    const outcomes = await Promise.allSettled(plain.map((transport) => ask(transport, 'ping')))
    const told = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.cause.message : 'answered',
    )
    expect(told).toEqual(['socket hang up', 'HTTP status 404 Not Found: not found'])
  })
})
