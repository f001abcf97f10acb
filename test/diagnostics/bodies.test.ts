import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readBody, withoutKeys } from '../../src/diagnostics/bodies.ts'

const key = fc.base64String({ minLength: 8, maxLength: 60 }).map((text) => `KEY${text}`)

it('no key is left in SDP, wherever it stands', () => {
  const line = fc.oneof(
    key.map((secret) => ({ secret, text: `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${secret}|2^20|1:4` })),
    key.map((secret) => ({ secret, text: `a=crypto:2 F8 inline:public|1;inline:${secret}` })),
    key.map((secret) => ({ secret, text: `a=ice-pwd:${secret}` })),
    key.map((secret) => ({ secret, text: `a=key-mgmt:mikey ${secret}` })),
    key.map((secret) => ({ secret, text: `k=clear:${secret}` })),
    fc.constant({ secret: undefined, text: 'm=audio 4000 RTP/SAVP 0' }),
  )
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom('\r\n', '\n'), (lines, ending) => {
      const clean = withoutKeys(lines.map(({ text }) => text).join(ending))
      for (const { secret } of lines) if (secret !== undefined) expect(clean).not.toContain(secret)
      expect(clean.split(ending)).toHaveLength(lines.length)
    }),
  )
})

it('what is public stays', () => {
  const sdp =
    'a=fingerprint:sha-256 AA:BB\r\na=ice-ufrag:x\r\na=setup:actpass\r\na=rtpmap:0 PCMU/8000\r\nb=AS:64\r\n'
  expect(withoutKeys(sdp)).toBe(sdp)
})

it('what is no dictionary shows nothing, and does not fail', () => {
  for (const bytes of ['', 'x', 'd', '{', 'd3:abc', '{"a":'])
    expect(readBody(Buffer.from(bytes), 0, 'all')).toBeUndefined()
  expect(readBody(Buffer.from('xx d1:ai1ee'), 3, 'redacted')).toEqual({ a: 1 })
})
