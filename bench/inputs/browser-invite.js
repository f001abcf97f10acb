import { ngReply, sipMessage } from './sip.js'

// A browser's INVITE over WebSocket: audio and video in one bundle, ICE, DTLS-SRTP, 6 kB.

const print =
  'A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90'

/**
 * @param {number} port
 * @param {number} ssrc
 * @param {string} kind
 */
const media = (port, ssrc, kind) => [
  'c=IN IP4 192.0.2.7',
  'a=rtcp:9 IN IP4 0.0.0.0',
  `a=candidate:2130706431 1 udp 2113937151 192.0.2.7 ${port} typ host generation 0 network-cost 999`,
  `a=candidate:842163049 1 udp 1677729535 198.51.100.20 ${port + 40000} typ srflx raddr 192.0.2.7 rport ${port} generation 0 network-cost 999`,
  `a=candidate:1876313031 1 tcp 1518222591 192.0.2.7 9 typ host tcptype active generation 0 network-cost 999`,
  `a=candidate:3098175849 1 udp 33562367 203.0.113.77 ${port + 41000} typ relay raddr 198.51.100.20 rport ${port + 40000} generation 0 network-cost 999`,
  `a=candidate:2130706432 1 udp 2113939711 2001:db8:7::7 ${port + 2} typ host generation 0 network-cost 999`,
  `a=candidate:1510613869 1 tcp 1518283007 2001:db8:7::7 9 typ host tcptype active generation 0 network-cost 999`,
  `a=candidate:3098175850 1 tcp 33562111 203.0.113.77 ${port + 42000} typ relay raddr 198.51.100.20 rport ${port + 40002} generation 0 network-cost 999`,
  'a=ice-ufrag:Hq7x',
  'a=ice-pwd:asd88fgpdd777uzjYhagZgqT',
  'a=ice-options:trickle renomination',
  `a=fingerprint:sha-256 ${print}`,
  'a=setup:actpass',
  `a=mid:${kind === 'audio' ? 0 : 1}`,
  `a=msid:5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d ${kind}-track-0a1b2c3d4e5f`,
  'a=rtcp-mux',
  'a=sendrecv',
  `a=ssrc:${ssrc} cname:Zx9Yw8Vu7Ts6Rq5P`,
  `a=ssrc:${ssrc} msid:5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d ${kind}-track-0a1b2c3d4e5f`,
]

const videoCodecs = [
  [96, 'VP8/90000', ''],
  [102, 'H264/90000', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f'],
  [127, 'H264/90000', 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f'],
  [98, 'VP9/90000', 'profile-id=0'],
]

export const browserSdp = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 192.0.2.7',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS 5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d',
  'm=audio 11780 UDP/TLS/RTP/SAVPF 111 63 9 0 8 110 126',
  ...media(11780, 1001001001, 'audio'),
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
  `m=video 11790 UDP/TLS/RTP/SAVPF ${videoCodecs.map(([type]) => type).join(' ')}`,
  ...media(11790, 2002002002, 'video'),
  'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
  'a=extmap:13 urn:3gpp:video-orientation',
  'a=rtcp-rsize',
  ...videoCodecs.flatMap(([type, name, parameters]) => [
    `a=rtpmap:${type} ${name}`,
    `a=rtcp-fb:${type} goog-remb`,
    `a=rtcp-fb:${type} transport-cc`,
    `a=rtcp-fb:${type} ccm fir`,
    `a=rtcp-fb:${type} nack`,
    `a=rtcp-fb:${type} nack pli`,
    ...(parameters === '' ? [] : [`a=fmtp:${type} ${parameters}`]),
  ]),
  '',
].join('\r\n')

export const browserInvite = sipMessage(
  [
    'INVITE sip:bob@biloxi.example.com SIP/2.0',
    'Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks1f0e9d8c',
    'Max-Forwards: 69',
    'To: <sip:bob@biloxi.example.com>',
    'From: "Alice" <sip:alice@atlanta.example.com>;tag=asdyka899e1a2b3c',
    'Call-ID: asidkj3ss9f1e2d3c4b5a6978',
    'CSeq: 8323 INVITE',
    'Contact: <sip:alice@atlanta.example.com;gr=urn:uuid:0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d;alias=192.0.2.7~4711~6;ob>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d>"',
    'Route: <sip:edge.atlanta.example.com:443;transport=ws;lr>',
    'Proxy-Authorization: Digest username="alice", realm="atlanta.example.com", nonce="Y2ZkZTQ0ZjE2OTc0ZmY3YjFhNDM1Y2Q5OGJmZGQ0MzI=", uri="sip:bob@biloxi.example.com", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, qop=auth, cnonce="0a4f113b", nc=00000001',
    'P-Asserted-Identity: "Alice" <sip:alice@atlanta.example.com>',
    `Identity: ${'eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0In0'.repeat(9)};info=<https://cert.example.com/passport.pem>;alg=ES256;ppt=shaken`,
    'Session-Expires: 90',
    'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY',
    'Supported: timer,gruu,ice,replaces,outbound',
    'User-Agent: Browser phone 3.10.0',
    'Content-Type: application/sdp',
  ],
  browserSdp,
)

export const browserReply = ngReply(browserSdp)
