import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BencodeInput, decode, encode, encodingLength } from '../../../src/core/bencode.ts'
import type { BencodeError } from '../../../src/errors.ts'

/** The package has no types of its own. */
const { default: bencode }: { default: { encode(value: unknown): Uint8Array } } = await import(
  'bencode' as string
)

const key = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '€', '😀', 'Z', '0') })
const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.uint8Array(),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}))

describe('encoding outside the core', () => {
  it('gives the bytes of the core', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(encode(given, {})).toEqual(encode(given))
        expect(encodingLength(given)).toBe(encode(given).length)
      }),
      { numRuns: 500 },
    )
  })

  it('refuses as the core does, with the same path', () => {
    const wrong = fc.constantFrom<unknown>(
      1.5,
      Number.NaN,
      Infinity,
      2n ** 64n,
      () => 1,
      Symbol('x'),
      new Date(0),
      undefined,
      null,
    )
    const within = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        wrong,
        fc.tuple(fc.integer(), tie('value')),
        fc.record({ 'a b': tie('value') }),
      ),
    })).value
    const outcome = (encoding: () => unknown): unknown => {
      try {
        return encoding()
      } catch (error) {
        return [(error as BencodeError).code, (error as BencodeError).message]
      }
    }
    fc.assert(
      fc.property(within, (given) => {
        expect(outcome(() => encode(given as never, {}))).toEqual(outcome(() => encode(given as never)))
      }),
    )
  })

  it('refuses what is cyclic', () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    expect(() => encode(cyclic as never, {})).toThrow(/cyclic/)
  })

  it('stops at the size that was asked for', () => {
    expect(encode('x'.repeat(100_000), { maxBytes: 100_007 })).toHaveLength(100_007)
    expect(() => encode('x'.repeat(100_000), { maxBytes: 100_006 })).toThrow('larger than 100,006 bytes')
    expect(() => encode('x', { maxBytes: 0 })).toThrow(expect.objectContaining({ option: 'maxBytes' }))
    expect(() => encode('x', { sorted: 'yes' as never })).toThrow(
      expect.objectContaining({ option: 'sorted' }),
    )
  })
})

describe('sorted encoding', () => {
  it('has the keys of every dictionary in the order of their bytes', () => {
    const given = {
      b: 1,
      a: { '😀': 1, '€': 2, é: 3, Z: 4 },
      c: new Map([
        ['y', 1],
        ['x', 2],
      ]),
    }
    const sorted = decode(encode(given, { sorted: true }), { encoding: 'utf8', dictionaries: 'map' }) as Map<
      string,
      Map<string, unknown>
    >
    expect([...sorted.keys()]).toEqual(['a', 'b', 'c'])
    expect([...sorted.get('a')!.keys()]).toEqual(['Z', 'é', '€', '😀'])
    expect([...sorted.get('c')!.keys()]).toEqual(['x', 'y'])
  })

  it('says the same, whatever the order was', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 6 }), fc.nat(), (given, seed) => {
        const entries = Object.entries(given)
        const turned = [
          ...entries.slice(seed % (entries.length + 1)),
          ...entries.slice(0, seed % (entries.length + 1)),
        ]
        const bytes = encode(given, { sorted: true })
        expect(encode(new Map(turned), { sorted: true })).toEqual(bytes)
        expect(decode(bytes, 'latin1')).toEqual(decode(encode(given), 'latin1'))
      }),
    )
  })

  it('gives the bytes of the package bencode for what both can encode', () => {
    const plain = fc.letrec<{ value: BencodeInput }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme-ascii' }),
        fc.integer(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), tie('value'), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
      ),
    })).value
    fc.assert(
      fc.property(plain, (given) => {
        expect(encode(given, { sorted: true })).toEqual(Buffer.from(bencode.encode(given)))
      }),
    )
  })
})
