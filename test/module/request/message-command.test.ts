import { describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { SipMessage } from '../../../src/module/message.ts'
import { checkOptions } from '../../../src/module/options/check.ts'
import type { RtpProxyNgOptions } from '../../../src/module/options/options.ts'
import type { MessageInput } from '../../../src/module/request/direct.ts'
import { messageRequest } from '../../../src/module/request/message-command.ts'

const SDP = 'v=0\r\n'

function sip(startLine: string, toTag = 't', cseq = '1 INVITE'): SipMessage {
  const head = [
    startLine,
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone',
    'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKtwo',
    'From: <sip:a@b>;tag=f',
    `To: <sip:b@c>${toTag && `;tag=${toTag}`}`,
    'Call-ID: call-1',
    `CSeq: ${cseq}`,
    'Content-Type: application/sdp',
    `Content-Length: ${SDP.length}`,
  ]
  return SipMessage.parse(Buffer.from(`${head.join('\r\n')}\r\n\r\n${SDP}`), { address: '192.0.2.1' })
}
const invite = sip('INVITE sip:b@c SIP/2.0', '')
const reinvite = sip('INVITE sip:b@c SIP/2.0')
const ok = sip('SIP/2.0 200 OK')
const ack = sip('ACK sip:b@c SIP/2.0', 't', '1 ACK')
const bye = sip('BYE sip:b@c SIP/2.0', 't', '2 BYE')

function made(name: string, message: SipMessage, input: MessageInput, options: RtpProxyNgOptions = {}) {
  const { datagram, callId } = messageRequest(name, message, input, checkOptions(options), 4)
  const dictionary = decode(datagram.subarray(4), 'utf8') as Record<string, unknown>
  return { ...dictionary, ...(callId !== undefined && { balancedBy: callId }) } as Record<string, unknown>
}
const flags = (rtpengineFlags: string, more: MessageInput = {}): MessageInput => ({ rtpengineFlags, ...more })

describe('a command made of a SIP message and rtpengine flags', () => {
  it.each([
    ['offer', invite, { 'from-tag': 'f' }],
    ['offer', reinvite, { 'from-tag': 'f', 'to-tag': 't' }],
    ['offer', ok, { 'from-tag': 't', 'to-tag': 'f' }],
    ['answer', ok, { 'from-tag': 'f', 'to-tag': 't' }],
    ['answer', ack, { 'from-tag': 't', 'to-tag': 'f' }],
    ['delete', bye, { 'from-tag': 'f' }],
    ['delete', ok, { 'from-tag': 'f' }],
    ['query', ok, { 'from-tag': 't', 'to-tag': 'f' }],
    ['play media', ok, { 'from-tag': 't', 'to-tag': 'f' }],
    ['block media', bye, {}],
    ['start forwarding', ok, {}],
  ])('names the parties of %s by their roles', (name, message, tags) => {
    const { 'from-tag': from, 'to-tag': to } = made(name, message, flags(''))
    expect({
      ...(from !== undefined && { 'from-tag': from }),
      ...(to !== undefined && { 'to-tag': to }),
    }).toEqual(tags)
  })

  it.each([
    ['offer', ok],
    ['answer', ack],
    ['query', ok],
    ['block media', bye],
    ['unsilence media', ok],
  ])('keeps the roles of the message with the flag directional: %s', (name, message) => {
    expect(made(name, message, flags('directional'))).toMatchObject({ 'from-tag': 'f', 'to-tag': 't' })
  })

  it.each([
    ['delete', '', { 'from-tag': 'f' }],
    ['block media', '', {}],
    ['query', 'from-tag=x', { 'from-tag': 'x' }],
    ['play media', 'to-tag=y', { 'from-tag': 'y', 'to-tag': 'f' }],
  ])('needs no To tag in the reply that %s is made of, with the flags %j', (name, text, tags) => {
    const command = made(name, sip('SIP/2.0 487 Request Terminated', ''), flags(text))
    expect(Object.fromEntries(Object.entries(command).filter(([key]) => /-tag$/.test(key)))).toEqual(tags)
  })

  it('needs one where the roles are swapped', () => {
    expect(() => made('query', sip('SIP/2.0 180 Ringing', ''), flags(''))).toThrow(/no To tag/)
  })

  it('has the tag of to-tag= as the sender where the roles are swapped', () => {
    expect(made('query', ok, flags('to-tag=y'))).toMatchObject({ 'from-tag': 'y', 'to-tag': 'f' })
    expect(made('answer', ack, flags('to-tag=y'))).toMatchObject({ 'from-tag': 'y', 'to-tag': 'f' })
    expect(made('query', bye, flags('to-tag=y'))).toMatchObject({ 'from-tag': 'f', 'to-tag': 'y' })
    expect(made('delete', ok, flags('to-tag=y'))).toMatchObject({ 'from-tag': 'f', 'to-tag': 'y' })
  })

  it('adds the To tag to a delete with the flag to-tag, in a reply too', () => {
    for (const message of [bye, ok])
      expect(made('delete', message, flags('to-tag'))).toMatchObject({ 'from-tag': 'f', 'to-tag': 't' })
  })

  it.each([
    ['nothing else', reinvite, '', {}, { 'from-tag': 'f' }],
    ['all', reinvite, 'all', {}, {}],
    ['all, in a reply', ok, 'all siprec', {}, {}],
    ['all as a parameter', reinvite, '', { flags: ['all'] }, {}],
    ['other tags', reinvite, 'from-tags=t', {}, { 'from-tags': ['t'] }],
    ['other tags as a parameter', reinvite, '', { 'from tags': ['t'] }, { 'from-tags': ['t'] }],
    ['a label', reinvite, 'label=x', {}, {}],
    ['one tag', ok, 'from-tag=t', {}, { 'from-tag': 't' }],
    ['who receives it', reinvite, 'all to-tag=copy', {}, { 'to-tag': 'copy' }],
  ])('makes a new party the copy of who is meant by %s', (_, message, text, parameters, tags) => {
    const command = made('subscribe request', message, flags(text, { parameters }))
    expect(Object.fromEntries(Object.entries(command).filter(([key]) => /tags?$/.test(key)))).toEqual(tags)
  })

  it.each(['subscribe answer', 'unsubscribe'])('calls the copy by the To tag alone: %s', (name) => {
    for (const [message, text, toTag] of [
      [ok, '', 't'],
      [ok, 'to-tag=copy', 'copy'],
      [invite, 'to-tag=copy', 'copy'],
    ] as const) {
      const command = made(name, message, flags(text))
      expect([command['from-tag'], command['to-tag']]).toEqual([undefined, toTag])
    }
  })

  it('takes call and tags out of the flags, and is balanced by that Call-ID', () => {
    expect(made('delete', bye, flags('call-id=other from-tag=x to-tag=y'))).toMatchObject({
      'call-id': 'other',
      'from-tag': 'x',
      'to-tag': 'y',
      balancedBy: 'other',
    })
    expect(made('offer', ok, flags('from-tag=x'))).toMatchObject({ 'from-tag': 'x', 'to-tag': 't' })
    expect(made('block DTMF', bye, flags('from-tag=x'))).toMatchObject({ 'from-tag': 'x', 'to-tag': 't' })
  })

  it('is from where the flags say', () => {
    expect(made('offer', invite, flags('received-from=2001:db8::1'))['received-from']).toEqual(
      ['IP6', '2001:db8::1'].map((part) => (part === 'IP6' ? part : expect.stringMatching(/^2001:0?db8:/))),
    )
  })

  it('says what kind of message it was made of, as Kamailio does', () => {
    expect(made('answer', ok, flags(''))['sip-message-type']).toBe('sip_reply')
    expect(made('offer', invite, flags(''))['sip-message-type']).toBe('sip_request')
    expect(made('offer', invite, flags('', { flagGrammar: 'opensips' }))).not.toHaveProperty(
      'sip-message-type',
    )
  })

  it('is an answer where that is forced', () => {
    expect(made('offer', reinvite, flags('force-answer'))).toMatchObject({ command: 'answer' })
    expect(() => made('delete', bye, flags('force-answer'))).toThrow(/cannot turn delete into an answer/)
  })

  it.each([
    ['1', invite, 'z9hG4bKone'],
    ['2', invite, 'z9hG4bKtwo'],
    ['auto', invite, 'z9hG4bKone'],
    ['auto', ok, 'z9hG4bKtwo'],
    ['extra', invite, 'mine'],
    ['auto-extra', invite, 'mine'],
    ['extra-auto', ok, 'z9hG4bKone'],
    ['next', invite, 'coming'],
    ['auto-next', invite, 'coming'],
    ['next-auto', ok, 'z9hG4bKone'],
  ])('has the branch of via-branch=%s', (choice, message, branch) => {
    const more = { extraId: 'mine', nextBranch: 'coming' }
    const name = message.isRequest ? 'offer' : 'answer'
    expect(made(name, message, flags(`via-branch=${choice}`, more))['via-branch']).toBe(branch)
  })

  it('fails where the branch cannot be had', () => {
    expect(() => made('offer', invite, flags('via-branch=extra'))).toThrow(/no extra id/)
    expect(() => made('offer', invite, flags('via-branch=next'))).toThrow(/no nextBranch/)
    const bare = SipMessage.parse(
      Buffer.from(
        'INVITE sip:b SIP/2.0\r\nCall-ID: 1\r\nFrom: <sip:a>;tag=f\r\nTo: <sip:b>\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n',
      ),
      { address: '192.0.2.1' },
    )
    expect(() => made('offer', bare, flags('via-branch=1'))).toThrow(/Via number 1 has no branch/)
  })

  it('leaves all to rtpengine in the grammar of that name', () => {
    const there = { flagGrammar: 'rtpengine' } as const
    const offer = made('offer', invite, flags('any [thing]', { ...there, viaBranch: 'auto' }))
    expect(offer).toMatchObject({ 'rtpp-flags': 'any [thing]', 'via-branch': 'z9hG4bKone' })
    expect(offer).not.toHaveProperty('received-from')
    expect(made('delete', bye, flags('', there))).toMatchObject({ 'from-tag': 'f', 'to-tag': 't' })
    expect(made('offer', invite, flags('', { ...there, address: '192.0.2.9' }))).toMatchObject({
      'media address': '192.0.2.9',
    })
  })

  it('lets parameters stand in place of what it has, in any spelling, and null take it away', () => {
    const parameters = { 'media address': '192.0.2.9', 'via branch': null, ICE: 'force' } as const
    const offer = made(
      'offer',
      invite,
      flags('media-address=192.0.2.8 ICE=remove via-branch=1', {
        parameters: { ...parameters, 'via-branch': null } as never,
      }),
    )
    expect(offer).toMatchObject({ 'media address': '192.0.2.9', ICE: 'force' })
    expect(offer).not.toHaveProperty('media-address')
    expect(offer).not.toHaveProperty('via-branch')
  })
})
