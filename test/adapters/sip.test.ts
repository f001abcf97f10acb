import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SipPackage, type SipPackageMessage, sipAdapter } from '../../src/adapters/sip/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

/** The package has no types of its own. */
interface Sip extends SipPackage {
  parse(bytes: Buffer | string): SipPackageMessage | undefined
  makeResponse(request: SipPackageMessage, status: number, reason: string): SipPackageMessage
}
const sip = createRequire(import.meta.url)('sip/sip') as Sip
const { sipMessageOf, setSdp } = sipAdapter(sip)

const REMOTE = { address: '192.0.2.1', port: 5060 }
const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Grüße\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const body = Buffer.from(SDP)
const INVITE = Buffer.concat([
  Buffer.from(
    `INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\nFrom: "A" <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: one@192.0.2.1\r\nCSeq: 7 INVITE\r\nContact: <sip:a@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n`,
  ),
  body,
])
const parsed = () => sip.parse(INVITE.toString('latin1'))!

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

describe('a message of the package sip', () => {
  it('has all that a command is made of', () => {
    const message = sipMessageOf(parsed(), REMOTE)
    expect(message).toMatchObject({
      callId: 'one@192.0.2.1',
      fromTag: 'f',
      toTag: undefined,
      cseq: 7,
      cseqMethod: 'INVITE',
      source: REMOTE,
    })
    expect([message.viaBranch(1), message.viaBranch(2)]).toEqual(['z9hG4bK1', 'z9hG4bK2'])
    expect(message.sdp).toEqual(body)
  })

  it('is left as it is', () => {
    const message = parsed()
    const before = JSON.stringify(message)
    sipMessageOf(message, REMOTE)
    expect(JSON.stringify(message)).toBe(before)
  })

  it('takes the SDP that the media proxy gives, with its length', async () => {
    const message = parsed()
    const { sdp } = await media.offer(sipMessageOf(message, REMOTE), { flags: 'co' })
    setSdp(message, sdp)
    const written = Buffer.from(sip.stringify(message as never), 'latin1')
    expect(sipMessageOf(sip.parse(written.toString('latin1'))!, REMOTE).sdp).toEqual(Buffer.from(sdp))
    expect(written.toString()).toContain(`Content-Length: ${sdp.length}`)
    expect(written.toString()).toContain('s=Grüße')
  })

  it('keeps what else is in a multipart body', async () => {
    const part = (type: string, text: string) => `--x\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`
    const multipart = `${part('application/sdp', SDP)}${part('application/ISUP', 'isup')}--x--\r\n`
    const message = parsed()
    message.headers['content-type'] = 'multipart/mixed;boundary=x'
    message.content = Buffer.from(multipart).toString('latin1')
    const { sdp } = await media.offer(sipMessageOf(message, REMOTE), { flags: 'co' })
    setSdp(message, sdp)
    const written = sipMessageOf(message, REMOTE)
    expect(written.sdp).toEqual(Buffer.from(sdp))
    expect(String(written.body)).toContain(part('application/ISUP', 'isup'))
    expect(message.headers['content-length']).toBe(written.body.length)
  })

  it('is a response as well', async () => {
    const invite = parsed()
    await media.offer(sipMessageOf(invite, REMOTE))
    const ok = sip.makeResponse(invite, 200, 'OK')
    ;(ok.headers.to as { params: Record<string, string> }).params.tag = 't'
    setSdp(ok, SDP)
    const { sdp } = await media.answer(sipMessageOf(ok, REMOTE))
    expect(sdp.toString()).not.toContain('m=audio 4000')
    expect(engine.commands.at(-1)).toMatchObject({ parameters: { 'from-tag': 'f', 'to-tag': 't' } })
  })

  it('that cannot be written is refused', () => {
    for (const wrong of [undefined, {}, { headers: null }, { headers: {}, method: 'INVITE' }])
      expect(() => sipMessageOf(wrong as never, REMOTE)).toThrow(
        expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }),
      )
  })

  it('gives a message or a SipError, whatever the package made of what came', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 20 }), (changes) => {
        const bytes = Buffer.from(INVITE)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        const message = sip.parse(bytes.toString('latin1'))
        if (message === undefined) return
        try {
          sipMessageOf(message, REMOTE)
        } catch (error) {
          expect(error).toMatchObject({ name: 'SipError' })
        }
      }),
      { numRuns: 300 },
    )
  })
})
