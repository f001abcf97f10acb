import { describe, expect, it } from 'vitest'
import { parseSdp } from '../../src/core/sdp.ts'
import { scanSdp } from '../../src/core/sdp-lines.ts'
import { SdpError } from '../../src/errors.ts'

const HEAD = [
  'v=0',
  'o=alice 2890844526 2890842807 IN IP4 192.0.2.1',
  's=call',
  'c=IN IP4 192.0.2.1',
  't=0 0',
]
const sdp = (...lines: string[]) => Buffer.from([...lines, ''].join('\r\n'))
const parse = (...lines: string[]) => parseSdp(sdp(...lines))

function failure(bytes: Uint8Array): SdpError {
  try {
    parseSdp(bytes)
  } catch (error) {
    if (error instanceof SdpError) return error
    throw error
  }
  throw new Error('no error')
}

const WEBRTC = sdp(
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-lite',
  'a=fingerprint:sha-256 AB:CD',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'a=ice-options:trickle ice2',
  'a=setup:actpass',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP6 2001:db8::1',
  'b=AS:2000',
  'a=rtpmap:96 VP8/90000',
  'a=mid:1',
)

describe('parseSdp', () => {
  it('reads the session section', () => {
    const session = parse(...HEAD, 'b=CT:128', 'a=recvonly')
    expect(session).toMatchObject({
      version: 0,
      origin: {
        username: 'alice',
        sessionId: '2890844526',
        sessionVersion: '2890842807',
        netType: 'IN',
        addressType: 'IP4',
        address: '192.0.2.1',
      },
      sessionName: 'call',
      connection: { netType: 'IN', addressType: 'IP4', address: '192.0.2.1' },
      bandwidth: [{ type: 'CT', bandwidth: 128 }],
      timing: [{ startTime: 0, stopTime: 0 }],
      direction: 'recvonly',
      mediaDescriptions: [],
    })
  })

  it('reads a WebRTC offer of audio and video', () => {
    const session = parseSdp(WEBRTC)
    expect(session.groups).toEqual([{ semantics: 'BUNDLE', mids: ['0', '1'] }])
    expect(session.iceLite).toBe(true)
    expect(session.fingerprint).toEqual({ hash: 'sha-256', value: 'AB:CD' })
    const [audio, video] = session.mediaDescriptions
    expect(audio).toMatchObject({
      media: 'audio',
      port: 9,
      portCount: 1,
      protocol: 'UDP/TLS/RTP/SAVPF',
      formats: ['111', '0'],
      connection: { address: '0.0.0.0' },
      direction: 'sendonly',
      mid: '0',
      rtpmap: [{ payloadType: 111, encoding: 'opus', clockRate: 48000, channels: 2 }],
      fmtp: [{ payloadType: 111, parameters: 'minptime=10;useinbandfec=1' }],
      rtcp: { port: 9, address: '0.0.0.0' },
      rtcpMux: true,
      iceUfrag: 'abcd',
      icePwd: 'abcdefghijklmnopqrstuvwx',
      iceOptions: ['trickle', 'ice2'],
      setup: 'actpass',
      candidates: ['1 1 udp 2113937151 192.0.2.9 50000 typ host'],
    })
    expect(video).toMatchObject({
      media: 'video',
      connection: { netType: 'IN', addressType: 'IP6', address: '2001:db8::1' },
      bandwidth: [{ type: 'AS', bandwidth: 2000 }],
      direction: 'sendrecv',
      rtpmap: [{ payloadType: 96, encoding: 'VP8', clockRate: 90000, channels: undefined }],
      rtcpMux: false,
    })
    expect(video?.attributes).toEqual([
      { name: 'rtpmap', value: '96 VP8/90000' },
      { name: 'mid', value: '1' },
    ])
  })

  it('gives a media section the connection and direction of the session if it has none', () => {
    const session = parse(
      ...HEAD,
      'a=inactive',
      'm=audio 5004 RTP/AVP 0',
      'm=audio 5006 RTP/AVP 0',
      'a=sendrecv',
    )
    const [first, second] = session.mediaDescriptions
    expect(first).toMatchObject({ direction: 'inactive', connection: { address: '192.0.2.1' } })
    expect(second?.direction).toBe('sendrecv')
  })

  it('reads the number of ports', () => {
    const [media] = parse(...HEAD, 'm=audio 49170/2 RTP/AVP 31').mediaDescriptions
    expect(media).toMatchObject({ port: 49170, portCount: 2, protocol: 'RTP/AVP', formats: ['31'] })
  })

  it('refuses what are no bytes', () => {
    for (const wrong of ['v=0', undefined, null, 5, [118], { length: -1 }])
      expect(() => parseSdp(wrong as unknown as Uint8Array)).toThrow(SdpError)
  })

  it('leaves TTL and count out of a multicast address', () => {
    expect(parse('v=0', 'c=IN IP4 233.252.0.1/127/3').connection?.address).toBe('233.252.0.1')
  })

  it('reads the keys of SDES', () => {
    const [media] = parse(
      'v=0',
      'm=audio 1 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20 FEC_ORDER=FEC_SRTP',
    ).mediaDescriptions
    expect(media?.crypto).toEqual([
      {
        tag: 1,
        cryptoSuite: 'AES_CM_128_HMAC_SHA1_80',
        keyParams: 'inline:abc|2^20',
        sessionParams: 'FEC_ORDER=FEC_SRTP',
      },
    ])
  })

  it('takes bare line feeds, a missing last line end and empty lines at the end', () => {
    const expected = parse(...HEAD, 'm=audio 5004 RTP/AVP 0', 'a=sendonly')
    const lines = [...HEAD, 'm=audio 5004 RTP/AVP 0', 'a=sendonly']
    for (const text of [
      lines.join('\n'),
      `${lines.join('\n')}\n`,
      lines.join('\r\n'),
      `${lines.join('\r\n')}\r\n\r\n\n`,
    ]) {
      expect(parseSdp(Buffer.from(text))).toEqual(expected)
    }
  })

  it('reads values as UTF-8', () => {
    expect(parse('v=0', 's=Gespräch ☎', 'a=x:ü').sessionName).toBe('Gespräch ☎')
  })

  it('leaves an attribute that does not fit its grammar in the list of attributes only', () => {
    const [media] = parse(
      'v=0',
      'm=audio 1 RTP/AVP 0',
      'a=rtpmap:x PCMU/8000',
      'a=fmtp:8',
      'a=rtcp:99999',
    ).mediaDescriptions
    expect(media).toMatchObject({ rtpmap: [], fmtp: [], rtcp: undefined })
    expect(media?.attributes.map(({ name }) => name)).toEqual(['rtpmap', 'fmtp', 'rtcp'])
  })

  it('has no use for names that JavaScript objects are born with', () => {
    const session = parse('v=0', 'a=__proto__:polluted', 'a=constructor', 'm=__proto__ 1 toString __proto__')
    expect(session.attributes[0]).toEqual({ name: '__proto__', value: 'polluted' })
    expect(Object.getPrototypeOf(session)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(session.mediaDescriptions[0]?.media).toBe('__proto__')
  })

  it.each([
    ['nothing at all', '', 0],
    ['text that is no SDP', 'hello', 0],
    ['another first line', 's=-\r\nv=0\r\n', 0],
    ['another version', 'v=1\r\n', 0],
    ['an upper-case letter', 'v=0\r\nS=-\r\n', 5],
    ['a line without an equals sign', 'v=0\r\ns\r\n', 5],
    ['an empty line in the middle', 'v=0\r\n\r\ns=-\r\n', 5],
    ['media without a port', 'v=0\r\nm=audio\r\n', 5],
    ['media with a port that is no number', 'v=0\r\nm=audio x RTP/AVP 0\r\n', 5],
    ['media with a port beyond 65535', 'v=0\r\nm=audio 65536 RTP/AVP 0\r\n', 5],
    ['media with no ports', 'v=0\r\nm=audio 1/0 RTP/AVP 0\r\n', 5],
    ['media without a protocol', 'v=0\r\nm=audio 1\r\n', 5],
    ['a connection without an address', 'v=0\r\nc=IN IP4\r\n', 5],
  ])('refuses %s and says where', (_, text, offset) => {
    const error = failure(Buffer.from(text))
    expect(error.code).toBe('ERR_RTPPROXY_SDP')
    expect(error.offset).toBe(offset)
  })

  it('takes 65,535 bytes and no more', () => {
    expect(() => parseSdp(Buffer.concat([Buffer.from('v=0\na=b'), Buffer.alloc(65528, 'c')]))).not.toThrow()
    expect(failure(Buffer.alloc(65536, 'v')).offset).toBe(65535)
  })

  it('has room for the most lines there can be', () => {
    const dense = Buffer.from(`v=0\n${'a=\n'.repeat(21843)}`)
    expect(dense.length).toBe(65533)
    expect(parseSdp(dense).attributes).toHaveLength(21843)
  })
})

describe('scanSdp', () => {
  it('says where everything is that a rewrite replaces', () => {
    const bytes = sdp(
      'v=0',
      'o=- 1 1 IN IP6 ::1',
      'c=IN IP4 192.0.2.1/64',
      'm=audio 5004/2 RTP/AVP 0',
      'a=rtcp:5005',
    )
    const lines = scanSdp(bytes)
    const at = (range: { start: number; end: number } | undefined) => range && lines.text(range)
    expect(lines.count).toBe(5)
    expect([0, 1, 2, 3, 4].map((i) => lines.type(i)).join('')).toBe('vocma')
    expect([0, 1, 2, 3, 4].map((i) => lines.section(i))).toEqual([0, 0, 0, 1, 1])
    expect(at(lines.line(0))).toBe('v=0\r\n')
    expect([at(lines.address(1)), lines.family(1)]).toEqual(['::1', 6])
    expect([at(lines.address(2)), lines.family(2)]).toEqual(['192.0.2.1', 4])
    expect([at(lines.portRange(3)), lines.port(3), lines.portCount(3)]).toEqual(['5004', 5004, 2])
    expect(at(lines.protocol(3))).toBe('RTP/AVP')
    expect([lines.attributeName(4), at(lines.attributeValue(4)), lines.attributeNumber(4)]).toEqual([
      'rtcp',
      '5005',
      5005,
    ])
  })

  it('keeps an origin that does not fit, without an address', () => {
    expect(scanSdp(sdp('v=0', 'o=- 1 1')).address(1)).toBeUndefined()
  })
})
