import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type Srf from 'drachtio-srf'
import { RtpProxyNg } from 'rtpproxy-ng'
import { FakeRtpEngine } from 'rtpproxy-ng/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { b2bua } from '../../examples/drachtio/b2bua.js'
import { portIn, sipText } from '../adapters/drachtio-scene.ts'
import { DrachtioServer } from './drachtio-server.ts'

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
  b2bua({ createB2BUA, invite: (handler: typeof handle) => (handle = handler) } as never, media, [
    'sip:callee@192.0.2.9',
  ])
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

it('the example on drachtio-srf answers 503 without a media proxy, says why, and calls nobody', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  createB2BUA.mockClear()
  await engine.stop()
  const send = vi.fn()
  handle(invite(), { finalResponseSent: false, send } as never)
  await expect.poll(() => send.mock.calls).toEqual([[503]])
  expect(createB2BUA).not.toHaveBeenCalled()
  expect(said.mock.calls).toMatchObject([[{ command: 'offer' }]])
  said.mockRestore()
})

it('the example on drachtio-srf ends the media of a call that is not set up, and answers it once', async () => {
  createB2BUA.mockRejectedValue(Object.assign(new Error('Busy Here'), { status: 486 }))
  for (const finalResponseSent of [true, false]) {
    const send = vi.fn()
    handle(invite(), { finalResponseSent, send } as never)
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
    await expect.poll(() => send.mock.calls).toEqual(finalResponseSent ? [] : [[486]])
  }
})

describe('the program on drachtio-srf', () => {
  let server: DrachtioServer
  let program: ChildProcess
  beforeEach(async () => {
    server = new DrachtioServer()
    const port = await server.listen()
    const args = ['--drachtio', `127.0.0.1:${port}`, '--rtpengine', engine.urls[0]!]
    program = spawn(
      process.execPath,
      [
        'examples/drachtio/main.js',
        ...args,
        ...['--target', 'sip:bob@192.0.2.9', '--target', 'sip:carol@192.0.2.9'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(program.stdout!, 'data')
    await expect.poll(() => server.routes).toContain('invite')
  })
  afterEach(async () => {
    const exit = once(program, 'exit')
    program.kill()
    await exit
    await server.close()
  })

  const sdpOf = (port: number) => sdp.replace('4000', String(port))

  /** Alice calls, Bob answers. */
  async function setUp(): Promise<void> {
    server.incoming(sipText('INVITE sip:bob@us SIP/2.0', '1 INVITE', { body: sdpOf(4000) }), 't1', 'd1')
    const invite = await server.message(/^INVITE sip:bob@192\.0\.2\.9 /)
    const bob = { callId: 'b-leg', from: 'us', to: 'bob' }
    const ok = sipText('SIP/2.0 200 OK', '1 INVITE', { ...bob, body: sdpOf(5000) })
    server.incoming(ok, invite.transactionId, 'd2')
    await server.message(/^ACK /)
    const answer = await server.message(/^SIP\/2\.0 200 OK[\s\S]*CSeq: 1 INVITE/i)
    server.incoming(sipText('ACK sip:us SIP/2.0', '1 ACK', { to: 'ours' }), 't2', 'd1')
    const ports = engine.calls[0]!.ports
    expect(ports).toContain(portIn(invite.text))
    expect(ports).toContain(portIn(answer.text))
    expect(portIn(invite.text)).not.toBe(portIn(answer.text))
  }

  it('makes a call whose media goes through the media proxy both ways, and ends it', async () => {
    await setUp()
    expect(engine.calls).toMatchObject([{ callId: 'a-leg', tags: ['alice', 'bob'] }])
    server.incoming(sipText('BYE sip:us SIP/2.0', '2 BYE', { to: 'ours' }), 't3', 'd1')
    const bye = await server.message(/^BYE /)
    server.incoming(
      sipText('SIP/2.0 200 OK', '2 BYE', { callId: 'b-leg', from: 'us', to: 'bob' }),
      bye.transactionId,
      'd2',
    )
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
  })

  it('carries a re-INVITE over, with the ports of the media proxy', async () => {
    await setUp()
    const before = server.sent.length
    server.incoming(
      sipText('INVITE sip:us SIP/2.0', '2 INVITE', { to: 'ours', body: sdpOf(4002) }),
      't3',
      'd1',
    )
    await expect
      .poll(() => server.sent.slice(before).find(({ text }) => text.startsWith('INVITE ')))
      .toBeDefined()
    const again = server.sent.slice(before).find(({ text }) => text.startsWith('INVITE '))!
    expect(engine.calls[0]!.ports).toContain(portIn(again.text))
    const bob = { callId: 'b-leg', from: 'us', to: 'bob' }
    server.incoming(
      sipText('SIP/2.0 200 OK', '2 INVITE', { ...bob, body: sdpOf(5002) }),
      again.transactionId,
      'd2',
    )
    const answer = await server.message(/^SIP\/2\.0 200 OK[\s\S]*CSeq: 2 INVITE/i)
    expect(engine.calls[0]!.ports).toContain(portIn(answer.text))
  })

  it('calls Carol when Bob refuses, and ends the media when she does as well', async () => {
    server.incoming(sipText('INVITE sip:bob@us SIP/2.0', '1 INVITE', { body: sdpOf(4000) }), 't1', 'd1')
    for (const who of ['bob', 'carol']) {
      const invite = await server.message(new RegExp(`^INVITE sip:${who}@192\\.0\\.2\\.9 `))
      expect(engine.calls[0]!.ports).toContain(portIn(invite.text))
      const busy = sipText('SIP/2.0 486 Busy Here', '1 INVITE', { callId: 'b-leg', from: 'us', to: who })
      server.incoming(busy, invite.transactionId, 'd2')
    }
    await server.message(/^SIP\/2\.0 486/)
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
  })
})
