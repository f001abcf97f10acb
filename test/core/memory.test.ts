import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'
import { encodeRequest, rewriteMessage } from '../../src/core/ng.ts'
import { parseSdp } from '../../src/core/sdp.ts'
import { type SipFields, scanSip } from '../../src/core/sip.ts'
import { RtpProxyNgError } from '../../src/errors.ts'
import { SipMessage } from '../../src/module/message.ts'
import { bytes, moduleCalls } from '../vectors.ts'
import { referenceSip } from './reference-sip.ts'

const texts = moduleCalls.map((call) => bytes(call.sip_in).toString('latin1'))

/** What `action` gives, or the code of its error. */
function outcome<T>(action: () => T): T | string {
  try {
    return action()
  } catch (error) {
    if (error instanceof RtpProxyNgError) return error.code
    throw error
  }
}

describe('the table of a scan', () => {
  const plan = {
    command: 'offer',
    flags: Buffer.alloc(0),
    toTag: true,
    branch: 1,
    branchValue: undefined,
    middle: Buffer.alloc(0),
  } as const
  // In memory of its own: another test gives away that of results.
  const reply = Buffer.from(encode({ sdp: 'v=0', result: 'ok' }))
  const withSdp = texts
    .filter((text) => referenceSip(text)?.sdp !== undefined)
    .map((text) => Buffer.from(text, 'latin1'))

  it('is refused with fewer bytes than it was made of', () => {
    for (const message of withSdp) {
      const fields = scanSip(message)
      for (const length of [0, 1, 100, message.length - 1]) {
        const fewer = message.subarray(0, length)
        expect(outcome(() => encodeRequest(fewer, plan, 0, fields))).toBe('ERR_RTPPROXY_SIP')
        expect(outcome(() => rewriteMessage(fewer, reply, 0, 'offer', 'node', fields))).toBe(
          'ERR_RTPPROXY_SIP',
        )
      }
    }
  })

  it('reaches nothing but the message, whatever it says', () => {
    const range = fc.tuple(fc.nat(900), fc.nat(200)).map(([start, length]) => (start << 16) | length)
    const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x10000, 0xffff), {
      weight: 8,
      arbitrary: range,
    })
    const words = fc.array(word, { minLength: 16, maxLength: 16 })
    // Mostly right tables are the ones that get furthest.
    const table = fc
      .tuple(
        fc.constantFrom(...withSdp),
        words,
        fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
        fc.boolean(),
      )
      .map(([message, others, keep, all]) => ({
        message,
        fields: scanSip(message).map((right, i) => (all || keep[i] ? right : others[i]!)) as SipFields,
        sized: others[0]!,
      }))
    const secret = Buffer.from('INVITE '.padEnd(65535, 'secret'))
    fc.assert(
      fc.property(table, ({ message, fields, sized }) => {
        // Leaves what must not be read where it could be.
        outcome(() => scanSip(secret))
        const bytes = sized % 2 ? message : message.subarray(0, (sized >>> 0) % (message.length + 1))
        for (const result of [
          outcome(() => encodeRequest(bytes, plan, 0, fields)),
          outcome(() => rewriteMessage(bytes, reply, 0, 'offer', 'node', fields)),
        ]) {
          const text = Buffer.isBuffer(result)
            ? result
            : typeof result === 'string'
              ? result
              : JSON.stringify(result)
          expect(text.includes('secret')).toBe(false)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('results', () => {
  it('are their owner\u2019s: none changes when others are made, of whatever size', () => {
    const sizes = [0, 1, 63, 64, 65, 700, 4000, 4096, 4097, 9000, 60_000]
    const results = Array.from({ length: 400 }, (_, i) => {
      const text = String.fromCharCode(97 + (i % 26)).repeat(sizes[i % sizes.length]!)
      return { text, bytes: encode(text) }
    })
    for (const { text, bytes: result } of results) expect(decode(result, 'latin1')).toBe(text)
  })

  it('go on being made after one has been transferred to another thread', () => {
    const { buffer } = encode('x')
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    expect(encode('abc').toString()).toBe('3:abc')
    expect(decode(Buffer.from('1:y'))).toEqual(Buffer.from('y'))
  })
})

describe('bytes that were transferred to another thread', () => {
  function transferred(bytes: Uint8Array): Buffer {
    const buffer = Buffer.allocUnsafeSlow(bytes.length)
    buffer.set(bytes)
    transfer(buffer)
    return buffer
  }
  const transfer = ({ buffer }: Uint8Array): unknown =>
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  const source = { address: '192.0.2.7' }
  const text = texts.find((one) => referenceSip(one)?.sdp !== undefined)!
  const fresh = (): Buffer => {
    const buffer = Buffer.allocUnsafeSlow(text.length)
    buffer.write(text, 'latin1')
    return buffer
  }

  it('are no SIP message, no SDP and no bencode, and an empty byte string', () => {
    const gone = transferred(Buffer.from('v=0'))
    expect(outcome(() => SipMessage.parse(gone, source))).toBe('ERR_RTPPROXY_SIP')
    const view = new Uint8Array([1])
    transfer(view)
    expect(outcome(() => SipMessage.parse(view, source))).toBe('ERR_RTPPROXY_SIP')
    expect(outcome(() => parseSdp(gone))).toBe('ERR_RTPPROXY_SDP')
    expect(outcome(() => decode(gone))).toBe('ERR_RTPPROXY_BENCODE')
    expect(encode({ a: gone }).toString()).toBe('d1:a0:e')
  })

  it('are missed in the message that was made of them', () => {
    const message = SipMessage.parse(fresh(), source)
    transfer(message.buffer)
    const uses = [
      () => message.sdp,
      () => message.body,
      () => message.header('To'),
      () => message.withSdp(Buffer.from('v=0')),
    ]
    for (const use of uses) expect(outcome<unknown>(use)).toBe('ERR_RTPPROXY_SIP')
  })
})
