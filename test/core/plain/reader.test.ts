import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BencodeInput, decode, encode } from '../../../src/core/bencode.ts'
import type { BencodeError } from '../../../src/errors.ts'
import { NOT_TOLERATED, TOLERATED } from './tolerance.ts'

const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string(),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}))
/** Bencode with a few bytes that are something else. */
const nearly = fc
  .tuple(value, fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'0123456789ide:l-e x')), { maxLength: 3 }))
  .map(([given, changes]) => {
    const bytes = encode(given)
    for (const [at, character] of changes) bytes.write(character, at % bytes.length)
    return bytes
  })

/** The value, or what is wrong with it: the same for the core and for the reader in JavaScript. */
function outcome(bytes: Uint8Array, options: Parameters<typeof decode>[1]): unknown {
  try {
    return decode(bytes, options)
  } catch (error) {
    return [(error as BencodeError).code, (error as BencodeError).message, (error as BencodeError).offset]
  }
}

describe('the reader in JavaScript', () => {
  it('reads or refuses as the core does, at the same offset', () => {
    fc.assert(
      fc.property(nearly, (bytes) => {
        const core = outcome(bytes, { encoding: 'utf8', maxDepth: 3 })
        // Objects without a prototype are made outside the core.
        expect(outcome(bytes, { encoding: 'utf8', maxDepth: 3, dictionaries: 'null' })).toEqual(core)
      }),
      { numRuns: 3000 },
    )
  })

  it('gives Buffers of the caller as the core does', () => {
    const bytes = Buffer.from('d1:a3:x\xff\x00e', 'latin1')
    const read = decode(bytes, { dictionaries: 'null' }) as Record<string, Buffer>
    expect(read.a).toEqual(Buffer.from('x\xff\x00', 'latin1'))
    bytes.fill(0)
    expect(read.a?.[0]).toBe(0x78)
  })

  it('makes objects without a prototype, in which every key is a key', () => {
    const read = decode(Buffer.from('d9:__proto__d1:ai1eee'), { dictionaries: 'null' }) as Record<
      string,
      object
    >
    expect(Object.getPrototypeOf(read)).toBeNull()
    expect(Object.keys(read)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(Object.values(read)[0])).toBeNull()
  })

  it('reads more than 65,535 bytes where that is asked for', () => {
    const list = Array.from({ length: 20_000 }, (_, i) => `item ${i}`)
    const bytes = encode(list, { maxBytes: 1 << 20 })
    expect(decode(bytes, { encoding: 'utf8', maxBytes: 1 << 20 })).toEqual(list)
    expect(() => decode(bytes)).toThrow('bencode of more than 65535 bytes')
    expect(() => decode(bytes, { maxBytes: bytes.length - 1 })).toThrow(/of more than/)
    expect(() => decode(Buffer.from('i1e'), { maxBytes: 2 })).toThrow('bencode of more than 2 bytes')
  })

  it.each([
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ dictionaries: 'array' as never }, 'dictionaries'],
    [{ maxDepth: 0 }, 'maxDepth'],
    [{ encoding: 'x' as never }, 'encoding'],
  ])('refuses the options %j', (options, option) => {
    expect(() => decode(Buffer.from('le'), options as never)).toThrow(expect.objectContaining({ option }))
  })
})

describe('tolerant decoding', () => {
  it.each(TOLERATED)('takes %s', (bencode, expected) => {
    expect(decode(Buffer.from(bencode), { tolerant: true, encoding: 'utf8' })).toEqual(expected)
  })

  it.each(NOT_TOLERATED)('refuses %s', (bencode) => {
    expect(() => decode(Buffer.from(bencode), { tolerant: true })).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_BENCODE', offset: expect.any(Number) }),
    )
  })

  it('reads what is bencode as strict decoding does, but for a key that comes twice', () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = encode(given)
        expect(decode(bytes, { tolerant: true, encoding: 'utf8' })).toEqual(decode(bytes, 'utf8'))
      }),
    )
  })

  it('has limits all the same', () => {
    expect(() => decode(Buffer.from('l'.repeat(100)), { tolerant: true })).toThrow(/nested too deeply/)
    fc.assert(
      fc.property(nearly, (bytes) => {
        const [code] = [outcome(bytes, { tolerant: true })].flat()
        if (typeof code === 'string') expect(code).toBe('ERR_RTPPROXY_BENCODE')
      }),
    )
  })
})
