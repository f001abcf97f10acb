import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSdp } from '../../../src/core/sdp.ts'
import type { KamailioMessage } from '../../../src/kamailio/message.ts'
import { loadRtpengine, type RtpengineModule } from '../../../src/kamailio/rtpengine/module.ts'
import { findProgram, RtpEngine } from '../program.ts'

async function party(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

const sdpOf = (...sockets: Socket[]): string =>
  [
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n',
    ...sockets.map((socket) => `m=audio ${socket.address().port} RTP/AVP 0\r\n`),
  ].join('')

function sip(startLine: string, cseq: string, sdp = ''): Buffer {
  const head = [
    startLine,
    'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKone',
    'From: <sip:a@b>;tag=A',
    `To: <sip:b@c>${startLine.startsWith('INVITE') ? '' : ';tag=B'}`,
    'Call-ID: through-two',
    `CSeq: ${cseq}`,
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${sdp}`)
}

/** What `to` gets of a packet that `from` sends to where the message's SDP says. */
async function heard(from: Socket, msg: KamailioMessage, to: Socket, sequence: number): Promise<Buffer> {
  const [media] = parseSdp(msg.message.sdp!).mediaDescriptions
  const header = Buffer.from([0x80, 0, 0, sequence, 0, 0, 0, 160, 1, 2, 3, sequence])
  const arrived = once(to, 'message') as Promise<[Buffer]>
  from.send(Buffer.concat([header, Buffer.alloc(160, sequence)]), media!.port, '127.0.0.1')
  return (await arrived)[0]
}

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('the rtpengine module with two real rtpengines', () => {
  let engines: RtpEngine[]
  let module: RtpengineModule
  const sockets: Socket[] = []
  beforeAll(async () => {
    engines = [await RtpEngine.start(12_000), await RtpEngine.start(16_000)]
    const lines = engines.map(({ url }, i) => `modparam("rtpengine", "rtpengine_sock", "${i} == ${url}")`)
    module = await loadRtpengine(lines.join('\n'))
    for (let i = 0; i < 3; i++) sockets.push(await party())
  })
  afterAll(async () => {
    for (const socket of sockets) socket.close()
    await module?.close()
    for (const engine of engines ?? []) await engine.stop()
  })

  const message = (bytes: Buffer) => module.message(bytes, { address: '127.0.0.1', port: 5060 })

  it('takes a call through both, and gives a third party a copy that leaves the call as it is', async () => {
    const [a, b, recorder] = sockets as [Socket, Socket, Socket]
    const invite = message(sip('INVITE sip:b@c SIP/2.0', '1 INVITE', sdpOf(a)))
    const ok = message(sip('SIP/2.0 200 OK', '1 INVITE', sdpOf(b)))
    for (const msg of [invite, ok]) {
      expect(await module.set_rtpengine_set(msg, 0, 1)).toBe(1)
      expect(await module.rtpengine_manage(msg, 'replace-origin')).toBe(1)
    }
    expect((await heard(a, ok, b, 1)).subarray(-160)).toEqual(Buffer.alloc(160, 1))
    expect((await heard(b, invite, a, 2)).subarray(-160)).toEqual(Buffer.alloc(160, 2))

    const info = message(sip('INFO sip:b@c SIP/2.0', '2 INFO'))
    expect(await module.rtpengine_subscribe_request(info, 'all', '$avp(sdp)', '$avp(copy)')).toBe(1)
    const answer = message(sip('SIP/2.0 200 OK', '1 INVITE', sdpOf(recorder, recorder)))
    const copy = `to-tag=${info.avp('copy')}`
    expect(await module.rtpengine_subscribe_answer(answer, copy)).toBe(1)
    const recorded = once(recorder, 'message') as Promise<[Buffer]>
    expect((await heard(a, ok, b, 3)).subarray(-160)).toEqual(Buffer.alloc(160, 3))
    expect((await recorded)[0].subarray(-160)).toEqual(Buffer.alloc(160, 3))
    expect((await heard(b, invite, a, 4)).subarray(-160)).toEqual(Buffer.alloc(160, 4))
    expect(await module.rtpengine_unsubscribe(info, copy)).toBe(1)

    const bye = message(sip('BYE sip:b@c SIP/2.0', '3 BYE'))
    await module.set_rtpengine_set(bye, 0, 1)
    expect(await module.rtpengine_manage(bye)).toBe(1)
    for (const { url } of engines) expect((await module.client.list({}, { node: url })).calls).toEqual([])
  })
})
