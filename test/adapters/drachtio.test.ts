import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type Srf from 'drachtio-srf'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { b2buaMedia, sipMessageOf } from '../../src/adapters/drachtio/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

// The package's own classes, as its agent makes them of what the drachtio server sends.
const require = createRequire(import.meta.url)
const Message = require('drachtio-srf/lib/sip-parser/message') as new (raw: string) => object
const Request = require('drachtio-srf/lib/request') as new (message: object, meta: object) => Srf.SrfRequest
const Response = require('drachtio-srf/lib/response') as new () => Srf.SrfResponse & {
  msg: object
  meta: object
}

const META = {
  source: 'network',
  address: '192.0.2.1',
  port: '5070',
  protocol: 'udp',
  time: '0',
  transactionId: 't',
}
const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`

function raw(
  startLine: string,
  { toTag = '', callId = 'a-leg', fromTag = 'alice', sdp = sdpOf(4000) } = {},
): string {
  return [
    startLine,
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    `From: <sip:a@b>;tag=${fromTag}`,
    `To: <sip:b@c>${toTag && `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ].join('\r\n')
}
const request = (options = {}) => new Request(new Message(raw('INVITE sip:b@c SIP/2.0', options)), META)
function response(options = {}): Srf.SrfResponse {
  const res = new Response()
  res.msg = new Message(raw('SIP/2.0 200 OK', options))
  res.meta = META
  return res
}

let engine: FakeRtpEngine
let media: RtpProxyNg
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  media = new RtpProxyNg({ sockets: engine.urls })
  await media.start()
})
afterEach(async () => {
  await media.close()
  await engine.close()
})

describe('a message of drachtio-srf', () => {
  it('is the message that came, from where it came', () => {
    const req = request()
    const message = sipMessageOf(req)
    expect(message).toMatchObject({ callId: 'a-leg', fromTag: 'alice', method: 'INVITE' })
    expect(message.source).toEqual({ address: '192.0.2.1', port: 5070 })
    expect(String(message.sdp)).toBe(req.body)
    expect(sipMessageOf(req)).toBe(message)
    expect(sipMessageOf(response({ toTag: 'bob' }))).toMatchObject({ statusCode: 200, toTag: 'bob' })
  })

  it('may come from an IPv6 address in brackets', () => {
    const text = raw('INVITE sip:b@c SIP/2.0')
    const req = new Request(new Message(text), { ...META, address: '[2001:db8::1]' })
    expect(sipMessageOf(req).source).toEqual({ address: '2001:db8::1', port: 5070 })
  })

  it('that was never received is refused', () => {
    expect(() => sipMessageOf(new Response())).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }))
    expect(() => sipMessageOf({} as never)).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }))
  })
})

describe('the media of a B2BUA on drachtio-srf', () => {
  it('are one call at the media proxy for two legs', async () => {
    const call = await b2buaMedia(media, request(), { offer: { flags: 'co' }, answer: { flags: 'co' } })
    expect(call.localSdpB).toMatch(/m=audio \d+ RTP\/AVP 0/)
    expect(call.localSdpB).not.toContain('m=audio 4000')
    const answer = { callId: 'b-leg', fromTag: 'x', toTag: 'bob', sdp: sdpOf(5000) }
    expect(await call.localSdpA('', response(answer))).not.toContain('m=audio 5000')
    expect(engine.commands.filter(({ command }) => command !== 'ping')).toMatchObject([
      { command: 'offer', parameters: { 'call-id': 'a-leg', 'from-tag': 'alice' } },
      {
        command: 'answer',
        parameters: {
          'call-id': 'a-leg',
          'from-tag': 'alice',
          'to-tag': 'bob',
          replace: ['session-connection', 'origin'],
        },
      },
    ])
    expect(engine.calls).toHaveLength(1)
  })

  it('end at once, with the other side, if one has hung up before they were attached', async () => {
    const call = await b2buaMedia(media, request())
    const dialog = (connected: boolean) => Object.assign(new EventEmitter(), { connected, destroy: vi.fn() })
    const [uas, uac] = [dialog(false), dialog(true)]
    call.attach({ uas, uac } as never)
    await expect.poll(() => engine.calls).toEqual([])
    expect([uas.destroy, uac.destroy].map(({ mock }) => mock.calls.length)).toEqual([0, 1])
  })

  it('go when the call was not set up, once', async () => {
    const call = await b2buaMedia(media, request())
    expect(engine.calls).toHaveLength(1)
    await call.release()
    await call.release()
    expect(engine.calls).toEqual([])
    expect(engine.commands.filter(({ command }) => command === 'delete')).toHaveLength(1)
  })

  it('are refused for a body that is no SDP', async () => {
    const text = raw('INVITE sip:b@c SIP/2.0', { sdp: 'isup' }).replace('application/sdp', 'application/ISUP')
    await expect(b2buaMedia(media, new Request(new Message(text), META))).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_NO_SDP',
    })
  })
})
