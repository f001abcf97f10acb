import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { SipMessage } from '../../../src/module/message.ts'
import { checkOptions } from '../../../src/module/options/check.ts'
import { requestPlan, writtenOut } from '../../../src/module/request/plan.ts'

const text = 'BYE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>;tag=t\r\nCall-ID: c\r\n\r\n'
const from = (address: string) => SipMessage.parse(Buffer.from(text), { address })
const plan = (address: string, media?: string) =>
  requestPlan('offer', from(address), { address: media }, checkOptions({}))
const middle = (address: string, media?: string) =>
  decode(Buffer.concat([Buffer.from('d'), plan(address, media).middle, Buffer.from('e')]), 'utf8')

describe('what a request takes from beside its message', () => {
  it('names the SIP source, an IPv6 one written out, an IPv4-mapped one as IPv4', () => {
    expect(middle('192.0.2.7')).toEqual({ 'received-from': ['IP4', '192.0.2.7'] })
    expect(middle('::1')).toEqual({ 'received-from': ['IP6', '0:0:0:0:0:0:0:1'] })
    expect(middle('2001:db8::AB:0')).toEqual({ 'received-from': ['IP6', '2001:db8:0:0:0:0:ab:0'] })
    expect(middle('::ffff:192.0.2.7')).toEqual({ 'received-from': ['IP4', '192.0.2.7'] })
  })

  it('names the media address when one is given', () => {
    expect(middle('192.0.2.7', '203.0.113.9')).toEqual({
      'received-from': ['IP4', '192.0.2.7'],
      'media address': '203.0.113.9',
    })
    expect(middle('192.0.2.7', '')).toEqual({ 'received-from': ['IP4', '192.0.2.7'] })
  })

  it('writes out any IPv6 address to the same address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        fc.pre(isIPv6(address))
        const full = writtenOut(address)
        expect(full).toMatch(/^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}$/)
        const canonical = (one: string) => new URL(`http://[${one}]/`).hostname
        expect(canonical(full)).toBe(canonical(address))
      }),
    )
  })

  it('asks for the extra id only with flag b, and fails without one', () => {
    const options = checkOptions({ extraId: (message) => `x-${message.callId}` })
    const given = (extraId?: string | null, flags = 'b') =>
      requestPlan('offer', from('::1'), { flags, extraId }, options)
    expect(given().branchValue?.toString()).toBe('x-c')
    expect(given('own').branchValue?.toString()).toBe('own')
    expect(given('own', 'r').branchValue).toBeUndefined()
    for (const none of ['', null]) {
      expect(() =>
        requestPlan('offer', from('::1'), { flags: 'b', extraId: none }, checkOptions({})),
      ).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_NO_EXTRA_ID' }))
    }
  })

  it('has the To tag in a delete by flag t, as the module does or as its manual says', () => {
    const toTag = (flags: string, toTagFlag: 'includes' | 'omits') =>
      requestPlan('delete', from('::1'), { flags }, checkOptions({ toTagFlag })).toTag
    expect([toTag('', 'includes'), toTag('t', 'includes'), toTag('', 'omits'), toTag('t', 'omits')]).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(
      requestPlan('offer', from('::1'), { flags: 't' }, checkOptions({ toTagFlag: 'omits' })).toTag,
    ).toBe(true)
  })
})

describe('the options', () => {
  it.each([
    [{ timeout: 5 }, 'timeout'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: '1' }, 'timeoutMs'],
    [{ attempts: 1.5 }, 'attempts'],
    [{ disableMs: -1 }, 'disableMs'],
    [{ disableMs: 2 ** 31 }, 'disableMs'],
    [{ sockets: 5 }, 'sockets'],
    [{ sockets: ['udp:a:1', 5] }, 'sockets'],
    [{ extraId: 'x' }, 'extraId'],
    [{ toTagFlag: true }, 'toTagFlag'],
    [{ transactionLimit: 0 }, 'transactionLimit'],
    [null, 'options'],
  ])('refuse %j by name', (options, option) => {
    expect(() => checkOptions(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option }),
    )
  })

  it("have the module's defaults", () => {
    expect(checkOptions({})).toMatchObject({
      sockets: [],
      timeoutMs: 1000,
      attempts: 5,
      disableMs: 60_000,
      toTagFlag: 'includes',
    })
  })
})
