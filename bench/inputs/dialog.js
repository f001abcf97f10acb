import { phoneSdp } from './phone-invite.js'
import { ngReply, sipMessage } from './sip.js'

// What follows a phone's INVITE: the 200 OK that came back through two proxies, and the BYE.

const answerSdp = phoneSdp
  .replace('o=- 3900000000 3900000000', 'o=bob 3900000007 3900000007')
  .replace('RTP/AVP 0 8 9 18 96 97 98 101', 'RTP/AVP 8 101')
  .replace(/a=(rtpmap|fmtp):(0|9|18|96|97|98) .*\r\n/g, '')

export const ok = sipMessage(
  [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKcore7d1e9f;received=198.51.100.1',
    'Via: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKedge3b7a2c',
    'Via: SIP/2.0/UDP 192.0.2.7:5060;received=192.0.2.7;rport=5060;branch=z9hG4bKPj3f1c2d4e5a6b7c8d9e0f',
    'Record-Route: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr>',
    'From: "Alice Liddell" <sip:alice@atlanta.example.com>;tag=a73kszlfl-1928301774',
    'To: "Bob" <sip:bob@biloxi.example.com>;tag=8321234356-b0b',
    'Call-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.7',
    'CSeq: 26101 INVITE',
    'Contact: <sip:bob@192.0.2.130:5060>',
    'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE',
    'Server: Gateway/7.4',
    'Content-Type: application/sdp',
  ],
  answerSdp,
)
export const okReply = ngReply(answerSdp)

export const bye = sipMessage(
  [
    'BYE sip:bob@192.0.2.130:5060 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bKPj9e8d7c6b5a4f3e2d1c0b',
    'Max-Forwards: 70',
    'From: "Alice Liddell" <sip:alice@atlanta.example.com>;tag=a73kszlfl-1928301774',
    'To: "Bob" <sip:bob@biloxi.example.com>;tag=8321234356-b0b',
    'Call-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.7',
    'CSeq: 26102 BYE',
    'Route: <sip:198.51.100.2;lr>, <sip:198.51.100.1;lr>',
    'User-Agent: Phone/1.2.3',
  ],
  '',
)
