import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSdp } from '../../src/core/sdp.ts'
import { scanSdp } from '../../src/core/sdp-lines.ts'
import { SdpError } from '../../src/errors.ts'
import { bytes, moduleCalls } from '../vectors.ts'
import { BadSdp, referenceLines, referenceSdp } from './reference-sdp.ts'

/** What comes of it, or the offset of the error. */
function verdict<T>(work: () => T): T | number {
  try {
    return work()
  } catch (error) {
    if (error instanceof SdpError || error instanceof BadSdp) return error.offset
    throw error
  }
}

const same = (text: string): void => {
  expect(verdict(() => parseSdp(Buffer.from(text, 'latin1')))).toEqual(verdict(() => referenceSdp(text)))
}

const token = fc.constantFrom(
  '0',
  '8',
  '101',
  '65535',
  '65536',
  '9999999999',
  'x',
  '-',
  'IN',
  'IP4',
  'IP6',
  '::1',
)
const name = fc.constantFrom(
  ...['rtpmap', 'fmtp', 'rtcp', 'rtcp-mux', 'ice-ufrag', 'ice-pwd', 'ice-lite', 'ice-options', 'candidate'],
  ...['mid', 'group', 'crypto', 'fingerprint', 'setup', 'sendrecv', 'sendonly', 'recvonly', 'inactive', 'x'],
)
const separator = fc.constantFrom(' ', ' ', ' ', '/', ':', '  ', '')
const value = fc.array(fc.tuple(token, separator), { maxLength: 7 }).map((pairs) => pairs.flat().join(''))
const line = fc.oneof(
  fc.tuple(name, value).map(([n, v]) => `a=${n}:${v}`),
  name.map((n) => `a=${n}`),
  value.map((v) => `m=audio ${v}`),
  fc.constantFrom('m=audio 5004 RTP/AVP 0 8', 'm=video 49170/2 RTP/AVP 31', 'a=rtpmap:0 PCMU/8000/1'),
  fc.constantFrom('c=IN IP4 192.0.2.1/127', 'c=IN IP6 ::1', 'c=TN RFC2543 +1', 'o=- 1 1 IN IP4 192.0.2.1'),
  fc.tuple(fc.constantFrom(...'abceikmoprstuvz'), value).map(([t, v]) => `${t}=${v}`),
)
const ending = fc.constantFrom('\r\n', '\r\n', '\n')
const document = fc
  .tuple(fc.array(fc.tuple(line, ending), { maxLength: 25 }), fc.constantFrom('', '\r\n', '\n\n', 'a=end'))
  .map(([lines, tail]) => `v=0\r\n${lines.flat().join('')}${tail}`)

/** Replaces, removes or inserts a byte or a few. */
const mutated = (base: fc.Arbitrary<string>) =>
  fc
    .tuple(
      base,
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'v=\r\n :/0m\0a')), { maxLength: 6 }),
    )
    .map(([text, changes]) =>
      changes.reduce((all, [place, removed, inserted]) => {
        const at = place % (all.length + 1)
        return all.slice(0, at) + inserted + all.slice(at + removed)
      }, text),
    )

describe('parseSdp, beside a plain reference', () => {
  it('reads documents as the reference does', () => {
    fc.assert(fc.property(document, same), { numRuns: 1500 })
  })

  it('comes to the same verdict over mangled documents', () => {
    fc.assert(fc.property(mutated(document), same), { numRuns: 1500 })
  })

  it('comes to the same verdict over any bytes', () => {
    const anything = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'))
    const ascii = anything.map((text) => text.replace(/[\x80-\xff]/g, '='))
    fc.assert(fc.property(ascii, same))
    fc.assert(fc.property(ascii, (text) => same(`v=0\n${text}`)))
  })

  it('reads the bodies that a real SIP server passed on', () => {
    const bodies = new Set(moduleCalls.map((call) => bytes(call.body_out).toString('latin1')))
    expect(bodies.size).toBeGreaterThan(10)
    for (const body of bodies) if (/^[\0-\x7f]*$/.test(body)) same(body)
  })
})

describe('scanSdp, beside a plain reference', () => {
  it('finds the same lines, end to end and byte for byte', () => {
    fc.assert(
      fc.property(mutated(document), fc.uint8Array({ maxLength: 20 }), (text, tail) => {
        const all = Buffer.concat([Buffer.from(text, 'latin1'), tail])
        const found = verdict(() => {
          const lines = scanSdp(all)
          return Array.from({ length: lines.count }, (_, i) => ({
            type: lines.type(i),
            value: all.toString('latin1', lines.value(i).start, lines.value(i).end),
            start: lines.line(i).start,
            next: lines.line(i).end,
          }))
        })
        expect(found).toEqual(verdict(() => referenceLines(all.toString('latin1'))))
      }),
      { numRuns: 1000 },
    )
  })
})
