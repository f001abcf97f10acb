import net from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIP, isIPv4, isIPv6 } from '../../src/protocol/ip.ts'

/** Addresses, and what is nearly one: a character more, less or other. */
const nearlyAddresses = fc
  .tuple(
    fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6()),
    fc.nat(45),
    fc.constantFrom('', '0', '.', ':', '%e', ' ', '\n'),
  )
  .map(([text, at, put]) => [
    text,
    text.slice(0, at) + put + text.slice(at + 1),
    text.slice(0, at) + put + text.slice(at),
  ])

describe('what is an IP address', () => {
  it('is what Node takes for one, whatever is written', () => {
    fc.assert(
      fc.property(nearlyAddresses, fc.string(), (texts, other) => {
        for (const text of [...texts, other])
          expect([text, isIP(text), isIPv4(text), isIPv6(text)]).toEqual([
            text,
            net.isIP(text),
            net.isIPv4(text),
            net.isIPv6(text),
          ])
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    '0.0.0.0',
    '255.255.255.255',
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.4\n',
    '',
    '::',
    'fe80::1%eth0',
  ])('is so for %j too', (text) => {
    expect([isIP(text), isIPv4(text), isIPv6(text)]).toEqual([
      net.isIP(text),
      net.isIPv4(text),
      net.isIPv6(text),
    ])
  })

  it.each([undefined, null, 4, ['192.0.2.1'], {}])('is never %j', (what) => {
    expect(isIP(what)).toBe(0)
  })
})
