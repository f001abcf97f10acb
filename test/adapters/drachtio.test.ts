import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type Srf from 'drachtio-srf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

/** A dialog as `createB2BUA` gives it, without the server behind it. */
class Dialog extends EventEmitter {
  readonly offered: string[] = []
  destroyed = 0
  connected = true
  async modify(sdp: string): Promise<string> {
    this.offered.push(sdp)
    return sdpOf(6000)
  }
  destroy(): void {
    this.destroyed++
  }
}
const asDialog = (dialog: Dialog) => dialog as unknown as Srf.Dialog

/** What a re-INVITE is answered. */
class Answered {
  readonly sent: [status: number, body: string | undefined][] = []
  readonly promise: Promise<void>
  #resolve: () => void = () => undefined
  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }
  send(status: number, options?: { body?: string }): void {
    this.sent.push([status, options?.body])
    this.#resolve()
  }
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

  it('that was never received is refused', () => {
    expect(() => sipMessageOf(new Response())).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }))
    expect(() => sipMessageOf({} as never)).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }))
  })
})

describe('a B2BUA on drachtio-srf', () => {
  async function setUp() {
    const call = await b2buaMedia(media, request(), { offer: { flags: 'co' }, answer: { flags: 'co' } })
    const sdpA = await call.localSdpA(
      '',
      response({ callId: 'b-leg', fromTag: 'x', toTag: 'bob', sdp: sdpOf(5000) }),
    )
    const [uas, uac] = [new Dialog(), new Dialog()]
    call.attach({ uas: asDialog(uas), uac: asDialog(uac) })
    return { call, sdpA, uas, uac }
  }

  it('has one call at the media proxy for its two legs', async () => {
    const { call, sdpA } = await setUp()
    expect(call.localSdpB).toMatch(/m=audio \d+ RTP\/AVP 0/)
    expect(call.localSdpB).not.toContain('m=audio 4000')
    expect(sdpA).not.toContain('m=audio 5000')
    const [offer, answer] = engine.commands.filter(({ command }) => command !== 'ping')
    expect(offer).toMatchObject({ command: 'offer', parameters: { 'call-id': 'a-leg', 'from-tag': 'alice' } })
    expect(answer).toMatchObject({
      command: 'answer',
      parameters: {
        'call-id': 'a-leg',
        'from-tag': 'alice',
        'to-tag': 'bob',
        replace: ['session-connection', 'origin'],
      },
    })
    expect(engine.calls).toHaveLength(1)
  })

  it('ends at once if a side has hung up before it was attached', async () => {
    const { call } = await setUp()
    const [uas, uac] = [new Dialog(), new Dialog()]
    uas.connected = false
    call.attach({ uas: asDialog(uas), uac: asDialog(uac) })
    expect([uas.destroyed, uac.destroyed]).toEqual([0, 1])
    await expect.poll(() => engine.calls).toEqual([])
  })

  it('carries a re-INVITE of either side over, and its answer back', async () => {
    const { uas, uac } = await setUp()
    for (const [by, other, from, to] of [
      [uas, uac, 'alice', 'bob'],
      [uac, uas, 'bob', 'alice'],
    ] as const) {
      const res = new Answered()
      by.emit('modify', { body: sdpOf(4100) }, res)
      await res.promise
      expect(other.offered).toHaveLength(1)
      expect(other.offered[0]).not.toContain('m=audio 4100')
      expect(res.sent[0]?.[0]).toBe(200)
      expect(res.sent[0]?.[1]).not.toContain('m=audio 6000')
      const tags = { 'call-id': 'a-leg', 'from-tag': from, 'to-tag': to }
      expect(engine.commands.slice(-2)).toMatchObject([
        { command: 'offer', parameters: tags },
        { command: 'answer', parameters: tags },
      ])
    }
  })

  it('answers 488 to a re-INVITE that cannot be carried over, and says why', async () => {
    const errors: unknown[] = []
    const call = await b2buaMedia(media, request(), { onError: (error) => errors.push(error) })
    await call.localSdpA('', response({ toTag: 'bob' }))
    const [uas, uac] = [new Dialog(), new Dialog()]
    call.attach({ uas: asDialog(uas), uac: asDialog(uac) })
    const res = new Answered()
    uas.emit('modify', { body: '' }, res)
    await res.promise
    expect(res.sent).toEqual([[488, undefined]])
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NO_SDP' }])
  })

  it('ends the other side and the media, once, when either hangs up', async () => {
    const { uas, uac } = await setUp()
    uac.emit('destroy')
    expect([uas.destroyed, uac.destroyed]).toEqual([1, 0])
    await engine.received('delete')
    uas.emit('destroy')
    await expect.poll(() => engine.calls).toEqual([])
    expect(engine.commands.filter(({ command }) => command === 'delete')).toHaveLength(1)
  })

  it('lets the media go when the call was not set up', async () => {
    const call = await b2buaMedia(media, request())
    expect(engine.calls).toHaveLength(1)
    await call.release()
    await call.release()
    expect(engine.calls).toEqual([])
  })

  it('is refused without SDP', async () => {
    await expect(b2buaMedia(media, request({ sdp: '' }))).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_NO_SDP',
    })
  })
})
