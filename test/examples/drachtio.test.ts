import { createRequire } from 'node:module'
import type Srf from 'drachtio-srf'
import { RtpProxyNg } from 'rtpproxy-ng'
import { FakeRtpEngine } from 'rtpproxy-ng/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { b2bua } from '../../examples/drachtio/b2bua.js'

const require = createRequire(import.meta.url)
const Message = require('drachtio-srf/lib/sip-parser/message') as new (raw: string) => object
const Request = require('drachtio-srf/lib/request') as new (message: object, meta: object) => Srf.SrfRequest
const sdp =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const META = {
  source: 'network',
  address: '192.0.2.1',
  port: '5070',
  protocol: 'udp',
  time: '0',
  transactionId: 't',
}
const invite = () =>
  new Request(
    new Message(
      `INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=a\r\nTo: <sip:b@c>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`,
    ),
    META,
  )

let engine: FakeRtpEngine
let media: RtpProxyNg
let handle: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void
const createB2BUA = vi.fn()
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  media = new RtpProxyNg({ sockets: engine.urls })
  await media.start()
  b2bua(
    { createB2BUA, invite: (handler: typeof handle) => (handle = handler) } as never,
    media,
    'sip:callee@192.0.2.9',
  )
})
afterEach(async () => {
  await media.close()
  await engine.close()
})

it('the example on drachtio-srf offers the media proxy to the callee, and keeps the call', async () => {
  const dialog = { on: vi.fn() }
  const called = new Promise<{ localSdpB: string }>((resolve) =>
    createB2BUA.mockImplementation(async (_, __, target, options) => {
      expect(target).toBe('sip:callee@192.0.2.9')
      resolve(options)
      return { uas: dialog, uac: dialog }
    }),
  )
  handle(invite(), {} as never)
  const offered = Number(/^m=audio (\d+)/m.exec((await called).localSdpB)?.[1])
  expect(engine.calls[0]?.ports).toContain(offered)
  await expect.poll(() => dialog.on.mock.calls.map(([event]) => event)).toContain('destroy')
})

it('the example on drachtio-srf ends the media of a call that is not set up, and answers it once', async () => {
  createB2BUA.mockRejectedValue(new Error('486'))
  for (const finalResponseSent of [true, false]) {
    const send = vi.fn()
    handle(invite(), { finalResponseSent, send } as never)
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
    await expect.poll(() => send.mock.calls).toEqual(finalResponseSent ? [] : [[480]])
  }
})
