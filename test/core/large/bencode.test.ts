import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BencodeInput, decode, encode } from '../../../src/core/bencode.ts'
import { decodeLarge, encodeLarge } from '../../../src/core/large/bencode.ts'
import { readWholeReply, textOf } from '../../../src/core/large/reply.ts'

const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}))
const dictionary = fc.dictionary(fc.string(), value, { maxKeys: 6 })

describe('bencode beyond what the core takes', () => {
  it('decodes to what the core decodes to', () => {
    fc.assert(
      fc.property(dictionary, fc.nat({ max: 9 }), (given, room) => {
        const bytes = encode(given)
        const large = decodeLarge(Buffer.concat([Buffer.alloc(room), bytes]), room)
        expect(textOf(large)).toEqual(decode(bytes, 'utf8'))
      }),
    )
  })

  it('encodes long strings among others so that they decode to themselves', () => {
    const blob = Buffer.alloc(300_000, 0xff)
    const given = { command: 'play media', blob, file: 'é'.repeat(20_000), flags: ['a', 'b'], n: 5 }
    const large = decodeLarge(encodeLarge(given), 0)
    expect(blob.equals(large.get('blob') as Buffer)).toBe(true)
    expect(textOf(large)).toMatchObject({ file: given.file, flags: ['a', 'b'], n: 5, command: 'play media' })
    expect(() => encodeLarge({ blob: Buffer.alloc((1 << 20) + 1) })).toThrow(/larger than 1,048,576 bytes/)
  })

  it.each([
    ['', 0],
    ['i1e', 0],
    ['d1:a', 4],
    ['d1:ai01ee', 5],
    ['d1:ai1e', 7],
    ['d1:a99999999999:x', 4],
    ['d1:a5:abce', 4],
    ['di1ei2ee', 1],
    ['d1:a1:bex', 8],
    [`d1:a${'l'.repeat(100)}`, 67],
  ])('refuses %j and says where', (text, offset) => {
    expect(() => decodeLarge(Buffer.from(text), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_BENCODE', offset }),
    )
  })

  it('never does anything but decode or refuse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), dictionary, fc.nat(), (noise, given, at) => {
        const bytes = encode(given)
        const start = at % bytes.length
        bytes.set(noise.subarray(0, bytes.length - start), start)
        try {
          decodeLarge(bytes, 0)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_RTPPROXY_BENCODE' })
        }
      }),
    )
  })

  it('reads a reply of a megabyte as one of a hundred bytes', () => {
    const calls = Array.from({ length: 20_000 }, (_, i) => `call-${i}@192.0.2.1.example.net`)
    const parts = calls.map((call) => `${call.length}:${call}`)
    const bytes = Buffer.from(`cookie d5:callsl${parts.join('')}e9:__proto__1:x6:result2:oke`)
    const { summary, reply } = readWholeReply(bytes, 7, 'list', 'udp:h:1')
    expect(summary).toMatchObject({ result: 'ok', resultText: 'ok', hasSdp: false })
    expect(reply.calls).toEqual(calls)
    expect(Object.getPrototypeOf(reply)).toBe(Object.prototype)
    expect(() => readWholeReply(bytes.subarray(0, -9), 7, 'list', 'udp:h:1')).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_REPLY', command: 'list', node: 'udp:h:1' }),
    )
  })
})
