import { SipMessage } from '../../src/module/message.ts'

export const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const PASSWORD = 'asd88fgpdd777uzjYhagZg'

export const SDP = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'],
  'm=audio 4000 RTP/SAVP 0',
  `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:32;inline:${KEY}|2^20|2:32`,
  `a=ice-pwd:${PASSWORD}`,
  `a=key-mgmt:mikey ${KEY}`,
  `k=base64:${KEY}`,
  '',
].join('\r\n')

export const SECRETS = [KEY, PASSWORD]

export function invite(callId = 'one', sdp = SDP): SipMessage {
  const head = [
    'INVITE sip:b@c SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'From: <sip:a@b>;tag=a',
    'To: <sip:b@c>',
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
  ]
  return SipMessage.parse(Buffer.from([...head, '', sdp].join('\r\n')), {
    address: '192.0.2.1',
    port: 5060,
  })
}
