import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSdp } from '../../src/core/sdp.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import { findProgram, RtpEngine } from './program.ts'

/** A party's media socket on a port of the system's choice. */
async function party(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

function sdpOf(socket: Socket): string {
  const { address, port } = socket.address()
  const family = address.includes(':') ? 'IP6' : 'IP4'
  const lines = [
    'v=0',
    `o=- 1 1 IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
  ]
  return `${[...lines, 'a=rtpmap:0 PCMU/8000', 'a=sendrecv'].join('\r\n')}\r\n`
}

function message(startLine: string, callId: string, cseq: string, sdp = ''): SipMessage {
  const isFirst = startLine.startsWith('INVITE')
  const head = [
    startLine,
    'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKreal',
    'From: <sip:a@example.com>;tag=from',
    `To: <sip:b@example.com>${isFirst ? '' : ';tag=to'}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
  ]
  return SipMessage.parse(Buffer.from(`${head.join('\r\n')}\r\n\r\n${sdp}`), { address: '127.0.0.1' })
}

const invite = (callId: string, sdp: string) =>
  message('INVITE sip:b@example.com SIP/2.0', callId, '1 INVITE', sdp)
const ok = (callId: string, sdp: string) => message('SIP/2.0 200 OK', callId, '1 INVITE', sdp)
const bye = (callId: string) => message('BYE sip:b@example.com SIP/2.0', callId, '2 BYE')

/** One RTP packet from `from` to where `sdp` says; resolves with what `to` gets. */
async function relayed(from: Socket, sdp: Buffer, to: Socket, sequence: number): Promise<Buffer> {
  const [media] = parseSdp(sdp).mediaDescriptions
  const packet = Buffer.concat([
    Buffer.from([0x80, 0, 0, sequence, 0, 0, 0, 160, 1, 2, 3, sequence]),
    Buffer.alloc(160, sequence),
  ])
  const arrived = once(to, 'message') as Promise<[Buffer]>
  from.send(packet, media!.port, media!.connection!.address)
  const [got] = await arrived
  expect(got).toEqual(packet)
  return got
}

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('a real rtpengine', () => {
  let first: RtpEngine
  let second: RtpEngine
  beforeAll(async () => {
    first = await RtpEngine.start(12000, ['127.0.0.1', '::1'])
    second = await RtpEngine.start(16000)
  })
  afterAll(async () => {
    await first?.stop()
    await second?.stop()
  })

  it.each(['127.0.0.1', '::1'])(
    'takes a call through offer, answer, media both ways, query and delete (%s)',
    async (address) => {
      await using media = new RtpProxyNg({ sockets: first.url })
      await media.start()
      const callId = `real-${address}`
      const [a, b] = [await party(address), await party(address)]
      const offer = await media.offer(invite(callId, sdpOf(a)), { flags: 'rco' })
      const answer = await media.answer(ok(callId, sdpOf(b)), { flags: 'rco' })
      expect(offer.node).toBe(first.url)
      expect(SipMessage.parse(offer.message, { address }).sdp).toEqual(offer.sdp)
      expect(parseSdp(offer.sdp).mediaDescriptions[0]!.connection!.address).toBe(address)
      expect(parseSdp(offer.sdp).mediaDescriptions[0]!.port).toBeLessThan(16000)

      await relayed(a, answer.sdp, b, 1)
      await relayed(b, offer.sdp, a, 2)
      const statistics = await media.statistics(bye(callId))
      expect(statistics.input).toMatchObject({ packets: 2, bytes: 344, errors: 0 })
      expect(await media.destroy(bye(callId))).toMatchObject({ warning: undefined })
      expect(await media.destroy(bye(callId))).toMatchObject({
        warning: expect.stringContaining('not found'),
      })
      await expect(media.query(bye(callId))).rejects.toMatchObject({
        code: 'ERR_RTPPROXY_NG',
        reason: 'Unknown call-id',
      })
      a.close()
      b.close()
    },
  )

  it('shares calls with a second one, each call staying where its Call-ID leads', async () => {
    await using media = new RtpProxyNg({ sockets: `${first.url} ${second.url}` })
    await media.start()
    const a = await party('127.0.0.1')
    const nodes = new Map<string, number>()
    for (let i = 0; i < 20; i++) {
      const callId = `two-${i}`
      const offer = await media.offer(invite(callId, sdpOf(a)))
      const answer = await media.answer(ok(callId, sdpOf(a)))
      const { node } = await media.destroy(bye(callId))
      expect([answer.node, node]).toEqual([offer.node, offer.node])
      nodes.set(offer.node, (nodes.get(offer.node) ?? 0) + 1)
    }
    expect([...nodes.keys()].sort()).toEqual([first.url, second.url].sort())
    a.close()
  })

  it('is reached over IPv6 as well', async () => {
    const engine = await RtpEngine.start(28000, ['::1'])
    await using media = new RtpProxyNg({ sockets: engine.url })
    await media.start()
    const a = await party('::1')
    const offer = await media.offer(invite('six', sdpOf(a)), { flags: 'co' })
    expect(offer.node).toMatch(/^udp6:\[::1\]:/)
    expect(parseSdp(offer.sdp).mediaDescriptions[0]!.connection).toMatchObject({
      addressType: 'IP6',
      address: '::1',
    })
    a.close()
    await engine.stop()
  })

  it('answers any command, and its errors come with their reason', async () => {
    await using media = new RtpProxyNg({ sockets: first.url })
    await media.start()
    expect(await media.request('ping')).toEqual({ result: 'pong' })
    expect(await media.request('list', { limit: 5 })).toMatchObject({ result: 'ok', calls: [] })
    await expect(media.request('no such command')).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_NG',
      reason: 'Unrecognized command',
    })
    await expect(
      media.answer(
        ok(
          'unknown',
          'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
        ),
      ),
    ).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_NG',
      reason: 'Unknown call-id',
      node: first.url,
      command: 'answer',
    })
  })

  it('is left for the other one as soon as it is gone', async () => {
    const third = await RtpEngine.start(20000)
    await using media = new RtpProxyNg({ sockets: `${third.url} ${second.url}`, timeoutMs: 5000 })
    await media.start()
    await third.stop()
    const a = await party('127.0.0.1')
    const started = performance.now()
    for (let i = 0; i < 10; i++)
      expect((await media.offer(invite(`gone-${i}`, sdpOf(a)))).node).toBe(second.url)
    expect(performance.now() - started).toBeLessThan(2000)
    expect(media.show()[0]).toMatchObject({ disabled: true })
    a.close()
  })
})
