import { describe, expect, it } from 'vitest'
import { SipMessage } from '../../src/module/message.ts'

const source = { address: '192.0.2.7', port: 5060 }
const invite = SipMessage.parse(
  Buffer.from(
    'INVITE sip:b@c SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z1, SIP/2.0/UDP b;branch=z2\r\nVia: SIP/2.0/UDP c\r\n' +
      'From: "J\u00e9" <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: c1\r\nCSeq: 4294967295 INVITE\r\n' +
      'Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\ntrailing',
  ),
  source,
)

describe('a SIP message', () => {
  it('tells what is in a request', () => {
    expect(invite).toMatchObject({
      isRequest: true,
      method: 'INVITE',
      requestUri: 'sip:b@c',
      statusCode: undefined,
      callId: 'c1',
      fromTag: 'f',
      toTag: undefined,
      cseq: 4294967295,
      cseqMethod: 'INVITE',
      viaCount: 3,
      contentType: 'application/sdp',
      from: '"J\u00e9" <sip:a@b>;tag=f',
      source,
    })
    expect([invite.viaBranch(), invite.viaBranch(2)]).toEqual(['z1', 'z2'])
    expect([invite.body.toString(), invite.sdp?.toString()]).toEqual(['v=0\r\n', 'v=0\r\n'])
    expect([invite.header('call-id'), invite.header('VIA'), invite.header('none')]).toEqual([
      'c1',
      'SIP/2.0/UDP c',
      undefined,
    ])
  })

  it('tells the branch of any Via', () => {
    const vias = ['a;branch=1, SIP/2.0/UDP b;branch=2', 'c', 'd;branch="4" (x, y), SIP/2.0/UDP e;branch=5']
    const text = `BYE sip:b@c SIP/2.0\r\n${vias.map((via) => `Via: SIP/2.0/UDP ${via}\r\n`).join('')}\r\n`
    const message = SipMessage.parse(Buffer.from(text), source)
    const branches = [0, 1, 2, 3, 4, 5, 6, 1.5, -1].map((number) => message.viaBranch(number))
    expect(branches).toEqual([undefined, '1', '2', undefined, '4', '5', undefined, undefined, undefined])
  })

  it('tells what is in a reply', () => {
    const reply = SipMessage.parse(
      Buffer.from('SIP/2.0 183 Session Progress\r\nt: <sip:b@c>;tag=t\r\n\r\n'),
      source,
    )
    expect(reply).toMatchObject({
      isRequest: false,
      method: undefined,
      statusCode: 183,
      toTag: 't',
      callId: undefined,
      cseq: undefined,
      viaCount: 0,
      contentType: undefined,
      sdp: undefined,
    })
    expect([reply.viaBranch(), reply.body.length]).toEqual([undefined, 0])
  })

  it('can be given another SDP', () => {
    const other = invite.withSdp(Buffer.from('v=0\r\ns=x\r\n'))
    expect([other.sdp?.toString(), other.header('Content-Length'), other.callId]).toEqual([
      'v=0\r\ns=x\r\n',
      '10',
      'c1',
    ])
    expect(other.buffer.includes('trailing')).toBe(false)
    expect(invite.sdp?.toString()).toBe('v=0\r\n')
  })

  it('needs to know where it came from', () => {
    const bytes = Buffer.from('SIP/2.0 200 OK\r\n\r\n')
    for (const address of ['example.com', '', undefined]) {
      expect(() => SipMessage.parse(bytes, { address: address as string })).toThrow(
        expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option: 'source' }),
      )
    }
  })

  it('takes any Uint8Array', () => {
    expect(SipMessage.parse(new Uint8Array(invite.buffer), source).callId).toBe('c1')
  })

  it.each([
    ['text', 'SIP/2.0 200 OK\r\n\r\n'],
    ['a number', 200],
    ['nothing', undefined],
    ['null', null],
    ['a list', [83, 73, 80]],
    ['other numbers', new Uint16Array(8)],
    ['what only has a length', { length: -1 }],
  ])('is refused with an error of its own when it, or the SDP it is given, is %s', (_, wrong) => {
    const refused = expect.objectContaining({ name: 'SipError', code: 'ERR_RTPPROXY_SIP' })
    expect(() => SipMessage.parse(wrong as Uint8Array, source)).toThrow(refused)
    expect(() => invite.withSdp(wrong as Uint8Array)).toThrow(refused)
    expect(invite.sdp?.toString()).toBe('v=0\r\n')
  })
})
