import { ngReply, sipMessage } from './sip.js'

// A desk phone's INVITE: 1.3 kB, 16 headers, an SDP of 593 bytes.

const codecs = [
  [0, 'PCMU/8000'],
  [8, 'PCMA/8000'],
  [9, 'G722/8000'],
  [18, 'G729/8000'],
  [96, 'opus/48000/2'],
  [97, 'iLBC/8000'],
  [98, 'AMR/8000'],
  [101, 'telephone-event/8000'],
]
export const phoneSdp = [
  'v=0',
  'o=- 3900000000 3900000000 IN IP4 192.0.2.7',
  's=Phone 1.2.3',
  'c=IN IP4 192.0.2.7',
  't=0 0',
  `m=audio 11780 RTP/AVP ${codecs.map(([type]) => type).join(' ')}`,
  ...codecs.map(([type, name]) => `a=rtpmap:${type} ${name}`),
  'a=fmtp:18 annexb=no',
  'a=fmtp:96 useinbandfec=1; minptime=10; maxaveragebitrate=40000',
  'a=fmtp:97 mode=30',
  'a=fmtp:98 octet-align=1; mode-change-capability=2',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=maxptime:150',
  'a=rtcp:11781',
  'a=ssrc:305419896 cname:a73kszlfl-1',
  'a=sendrecv',
  '',
].join('\r\n')

export const phoneInvite = sipMessage(
  [
    'INVITE sip:bob@biloxi.example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bKPj3f1c2d4e5a6b7c8d9e0f',
    'Max-Forwards: 70',
    'From: "Alice Liddell" <sip:alice@atlanta.example.com>;tag=a73kszlfl-1928301774',
    'To: "Bob" <sip:bob@biloxi.example.com>',
    'Contact: "Alice Liddell" <sip:alice@192.0.2.7:5060;ob>',
    'Call-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.7',
    'CSeq: 26101 INVITE',
    'Route: <sip:proxy.atlanta.example.com;lr>',
    'Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS',
    'Supported: replaces, 100rel, timer, norefersub',
    'Session-Expires: 1800',
    'Min-SE: 90',
    'User-Agent: Phone/1.2.3',
    'Content-Type: application/sdp',
  ],
  phoneSdp,
)

export const phoneReply = ngReply(phoneSdp)

/** Its offer as a value with a few flags, for encoders and for clients that take a ready dictionary. */
export const phoneOffer = {
  sdp: phoneSdp,
  ICE: 'remove',
  direction: ['internal', 'external'],
  flags: ['trust-address', 'symmetric'],
  replace: ['origin', 'session-connection'],
  'transport-protocol': 'RTP/AVP',
  'call-id': 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.7',
  'via-branch': 'z9hG4bKPj3f1c2d4e5a6b7c8d9e0f',
  'received-from': ['IP4', '192.0.2.7'],
  'from-tag': 'a73kszlfl-1928301774',
  command: 'offer',
}
