import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COOKIE_LENGTH, Cookies } from '../../src/protocol/cookie.ts'

const datagram = () => Buffer.alloc(COOKIE_LENGTH + 3)

describe('cookies', () => {
  it('are 96 random bits and a counter, and a space behind', () => {
    const bytes = datagram()
    new Cookies().write(bytes)
    expect(bytes.toString('latin1', 0, COOKIE_LENGTH + 1)).toMatch(/^[A-Za-z0-9_-]{16}_[0-9a-f]{10} $/)
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

  it('are refused when they are cut short', () => {
    const cookies = new Cookies()
    const bytes = datagram()
    cookies.write(bytes)
    for (let length = 0; length < COOKIE_LENGTH; length++)
      expect(cookies.read(bytes.subarray(0, length))).toBe(-1)
  })
})
