import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Rewrite, rewriteSdp } from '../../src/relay/rewrite.ts'

const RELAY: Rewrite = {
  address: '203.0.113.9',
  ports: (index) => ({
    rtp: { address: '203.0.113.9', port: 40000 + index * 2 },
    rtcp: { address: '203.0.113.9', port: 40001 + index * 2 },
  }),
  replaceOrigin: false,
  removeIce: false,
}

const rewritten = (lines: readonly string[], change: Partial<Rewrite> = {}) =>
  rewriteSdp(Buffer.from(lines.join('\r\n'), 'latin1'), { ...RELAY, ...change })
    .toString('latin1')
    .split('\r\n')

const HEAD = ['v=0', 'o=- 5 6 IN IP4 192.0.2.1', 's=-']

describe('rewriteSdp', () => {
  it('replaces addresses and ports, and nothing else', () => {
    const before = [
      ...HEAD,
      'c=IN IP4 192.0.2.1',
      'a=x:c=IN IP4 192.0.2.1 m=audio 5004',
      'm=audio 5004 RTP/AVP 0 8',
      'a=rtcp:5010 IN IP4 192.0.2.1',
      'm=video 5006/2 RTP/AVP 31 ',
      'c=IN IP6 2001:db8::1',
      'a=rtcp:5007',
      '',
    ]
    expect(rewritten(before)).toEqual([
      ...HEAD,
      'c=IN IP4 203.0.113.9',
      'a=x:c=IN IP4 192.0.2.1 m=audio 5004',
      'm=audio 40000 RTP/AVP 0 8',
      'a=rtcp:40001 IN IP4 203.0.113.9',
      'm=video 40002 RTP/AVP 31 ',
      'c=IN IP4 203.0.113.9',
      'a=rtcp:40003',
      '',
    ])
  })

  it('writes an IPv6 address with its type', () => {
    expect(
      rewritten([...HEAD, 'c=IN IP4 192.0.2.1/127', 'm=audio 5004 RTP/AVP 0'], { address: '2001:db8::9' }),
    ).toEqual([...HEAD, 'c=IN IP6 2001:db8::9', 'm=audio 40000 RTP/AVP 0'])
  })

  it('replaces the origin only where asked to', () => {
    expect(rewritten(HEAD, { replaceOrigin: true })[1]).toBe('o=- 5 6 IN IP4 203.0.113.9')
    expect(rewritten(HEAD)[1]).toBe(HEAD[1])
  })

  it('leaves hold, refused sections and sections that are not relayed alone', () => {
    const before = [...HEAD, 'c=IN IP4 0.0.0.0', 'm=video 0 RTP/AVP 96', 'a=rtcp:7', 'm=message 9 TCP/MSRP *']
    expect(rewritten(before, { ports: (index) => (index === 1 ? undefined : RELAY.ports(index)) })).toEqual(
      before,
    )
  })

  it('keeps a=rtcp on the port of RTP where it was there', () => {
    expect(rewritten([...HEAD, 'm=audio 9 RTP/AVP 0', 'a=rtcp-mux', 'a=rtcp:9']).at(-1)).toBe('a=rtcp:40000')
  })

  it('takes everything of ICE out where asked to', () => {
    const ice = [
      'a=ice-ufrag:x',
      'a=ice-pwd:y',
      'a=candidate:1 1 UDP 1 192.0.2.1 9 typ host',
      'a=end-of-candidates',
    ]
    const before = [...HEAD, 'a=ice-lite', 'm=audio 5004 RTP/AVP 0', ...ice, 'a=sendrecv']
    const after = [...HEAD, 'm=audio 40000 RTP/AVP 0', 'a=sendrecv']
    expect(rewritten(before, { removeIce: true })).toEqual(after)
    expect(rewritten(before)).toHaveLength(before.length)
  })

  it('gives back every byte where there is nothing to replace', () => {
    const line = fc
      .tuple(fc.constantFrom(...'abeikprstuz'), fc.uint8Array({ maxLength: 30 }))
      .map(([type, value]) => `${type}=${Buffer.from(value).toString('latin1').replaceAll('\n', '')}`)
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const bytes = Buffer.from(
          ['v=0', ...lines.filter((text) => !text.startsWith('a=rtcp:'))].join(end),
          'latin1',
        )
        return rewriteSdp(bytes, RELAY).equals(bytes)
      }),
    )
  })
})
