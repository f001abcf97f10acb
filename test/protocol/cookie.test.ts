import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COOKIE_LENGTH, Cookies } from '../../src/protocol/cookie.ts'

const datagram = () => Buffer.alloc(COOKIE_LENGTH + 3)

describe('cookies', () => {
  it('are 96 random bits and a counter, and a space behind', () => {
    const bytes = datagram()
    new Cookies().write(bytes)
    expect(bytes.toString('latin1', 0, COOKIE_LENGTH + 1)).toMatch(/^[A-Za-z0-9_-]{16}_[0-9a-f]{8} $/)
  })

  it('never repeat, and are read back to their counter', () => {
    const cookies = new Cookies()
    const seen = new Map<string, number>()
    for (let i = 0; i < 10_000; i++) {
      const bytes = datagram()
      const counter = cookies.write(bytes)
      expect(cookies.read(bytes)).toBe(counter)
      seen.set(bytes.toString('latin1', 0, COOKIE_LENGTH), counter)
    }
    expect(seen.size).toBe(10_000)
  })

  it('of another thread or process are not ours', () => {
    const bytes = datagram()
    new Cookies().write(bytes)
    expect(new Cookies().read(bytes)).toBe(-1)
  })

  it('are refused when any byte of them is changed to anything but another counter of ours', () => {
    const cookies = new Cookies()
    fc.assert(
      fc.property(fc.nat(COOKIE_LENGTH), fc.nat(255), (at, byte) => {
        const bytes = datagram()
        const counter = cookies.write(bytes)
        fc.pre(bytes[at] !== byte)
        bytes[at] = byte
        const isCounterDigit = at > 16 && at < COOKIE_LENGTH && /[0-9a-f]/.test(String.fromCharCode(byte))
        if (isCounterDigit) expect(cookies.read(bytes)).not.toBe(counter)
        else expect(cookies.read(bytes)).toBe(-1)
      }),
    )
  })

  it('are read from well-formed bytes alone', () => {
    const cookies = new Cookies()
    const own = datagram()
    cookies.write(own)
    const prefix = own.toString('latin1', 0, 16)
    const wellFormed = new RegExp(`^${prefix}_([0-9a-f]{8})(?: |$)`)
    const latin1 = fc.uint8Array({ maxLength: 14 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789abcdefAF g_'),
      minLength: 6,
      maxLength: 10,
    })
    fc.assert(
      fc.property(
        fc.constantFrom(prefix, `${prefix}_`, prefix.slice(1), ''),
        fc.oneof(latin1, digits),
        latin1,
        (a, b, c) => {
          const text = a + b + c
          // `$` would also stand before a line feed at the end; cookies have none.
          const counter = wellFormed.exec(text.replaceAll('\n', 'n'))?.[1]
          const read = cookies.read(Buffer.from(text.replaceAll('\n', 'n'), 'latin1'))
          expect(read).toBe(counter === undefined ? -1 : Number.parseInt(counter, 16))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are refused when they are cut short', () => {
    const cookies = new Cookies()
    const bytes = datagram()
    cookies.write(bytes)
    for (let length = 0; length < COOKIE_LENGTH; length++)
      expect(cookies.read(bytes.subarray(0, length))).toBe(-1)
  })
})
