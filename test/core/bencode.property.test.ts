import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BencodeInput, decode, encode } from '../../src/core/bencode.ts'
import { BencodeError } from '../../src/errors.ts'
import { BadBencode, type Reference, referenceDecode, referenceEncode } from './reference-bencode.ts'

interface BencodePackage {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array, encoding?: string): unknown
}
// The package has no type declarations.
const { default: npmBencode }: { default: BencodePackage } = await import('bencode' as string)

const key = fc.oneof(
  fc.constantFrom(
    'sdp',
    'result',
    'call-id',
    'ICE',
    '__proto__',
    'constructor',
    '',
    '7',
    'k'.repeat(28),
    'k'.repeat(29),
  ),
  fc.string({ maxLength: 33 }).map((text) => Buffer.from(text).toString('latin1')),
)

const { reference } = fc.letrec<{ reference: Reference }>((tie) => ({
  reference: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.record({
      string: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    }),
    fc.record({ integer: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
    fc.record({ integer: fc.integer().map(BigInt) }),
    fc.record({ list: fc.array(tie('reference'), { maxLength: 5 }) }),
    fc.record({ dictionary: fc.array(fc.tuple(key, tie('reference')), { maxLength: 6 }) }),
  ),
}))
const verdict = (work: () => unknown) => {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof BadBencode) return { error: `${error.message} at byte ${error.offset}` }
    if (error instanceof BencodeError) return { error: error.message }
    throw error
  }
}

/** What `decode(bytes, { encoding: 'latin1', dictionaries: 'map' })` makes of it. */
const asMaps = (value: Reference): unknown => {
  if ('string' in value) return value.string
  if ('integer' in value) return asInteger(value.integer)
  if ('list' in value) return value.list.map(asMaps)
  return new Map(value.dictionary.map(([name, item]) => [asKey(name), asMaps(item)]))
}
/** What `decode(bytes)` makes of it. */
const asObjects = (value: Reference): unknown => {
  if ('string' in value) return Buffer.from(value.string, 'latin1')
  if ('integer' in value) return asInteger(value.integer)
  if ('list' in value) return value.list.map(asObjects)
  return Object.fromEntries(value.dictionary.map(([name, item]) => [asKey(name), asObjects(item)]))
}
const asInteger = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
const asKey = (latin1: string) => Buffer.from(latin1, 'latin1').toString()

const sameVerdict = (bytes: Uint8Array, maxDepth = 64) => {
  const expected = verdict(() => referenceDecode(bytes, maxDepth))
  const maps = verdict(() => decode(bytes, { encoding: 'latin1', dictionaries: 'map', maxDepth }))
  const objects = verdict(() => decode(bytes, { maxDepth }))
  if ('error' in expected) {
    expect(maps).toEqual(expected)
    expect(objects).toEqual(expected)
  } else {
    expect(maps).toEqual({ value: asMaps(expected.value as Reference) })
    expect(objects).toEqual({ value: asObjects(expected.value as Reference) })
  }
}

describe('bencode, for any input', () => {
  it('decodes what the reference encodes', () => {
    fc.assert(
      fc.property(reference, (value) => sameVerdict(referenceEncode(value))),
      { numRuns: 500 },
    )
  })

  it('gives bytes that are no bencode the verdict of the reference, offset included', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => sameVerdict(bytes)))
  })

  it('gives soup of bencode characters the verdict of the reference', () => {
    const piece = fc.constantFrom(
      ...'0123456789:ildee-x',
      '1:a',
      '0:',
      'i0e',
      'i-1e',
      '3:sdp',
      '9223372036854775808',
      '99999',
    )
    const soup = fc.array(piece, { maxLength: 24 }).map((pieces) => Buffer.from(pieces.join('')))
    fc.assert(
      fc.property(soup, fc.integer({ min: 1, max: 4 }), (bytes, maxDepth) => sameVerdict(bytes, maxDepth)),
      { numRuns: 3000 },
    )
  })

  it('gives valid bencode with bytes changed, lost or cut off the verdict of the reference', () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.oneof(fc.constantFrom(...Buffer.from('0129:ilde-')), fc.nat(255)),
    })
    fc.assert(
      fc.property(
        reference,
        fc.array(change, { maxLength: 3 }),
        fc.nat(),
        fc.boolean(),
        (value, changes, at, cut) => {
          const bytes = Buffer.from(referenceEncode(value))
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte
          const place = at % (bytes.length + 1)
          sameVerdict(
            cut
              ? bytes.subarray(0, place)
              : Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]),
          )
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('does not let what an earlier input left behind change a verdict', () => {
    const long = referenceEncode({ list: Array.from({ length: 300 }, () => ({ string: '5:abcdei77e' })) })
    fc.assert(
      fc.property(reference, fc.nat(), (value, at) => {
        decode(long)
        const bytes = referenceEncode(value)
        sameVerdict(bytes.subarray(0, at % bytes.length))
      }),
    )
  })

  it('encodes as the reference does', () => {
    const asInput = (value: Reference): BencodeInput => {
      if ('string' in value) return Buffer.from(value.string, 'latin1')
      if ('integer' in value) return asInteger(value.integer)
      if ('list' in value) return value.list.map(asInput)
      return new Map(value.dictionary.map(([name, item]) => [name, asInput(item)]))
    }
    const withoutRepeats = (value: Reference): Reference => {
      if ('list' in value) return { list: value.list.map(withoutRepeats) }
      if (!('dictionary' in value)) return value
      const items = new Map(value.dictionary.map(([name, item]) => [name, withoutRepeats(item)]))
      return { dictionary: [...items].map(([name, item]) => [Buffer.from(name).toString('latin1'), item]) }
    }
    fc.assert(
      fc.property(reference, (value) => {
        expect(encode(asInput(value))).toEqual(referenceEncode(withoutRepeats(value)))
      }),
      { numRuns: 500 },
    )
  })

  it('brings text of any language through, in values and keys', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    const plain = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.maxSafeInteger()), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(plain, (value) => {
        expect(decode(encode(value), 'utf8')).toEqual(value)
      }),
    )
  })

  it('brings text through wherever its first character beyond ASCII stands', () => {
    const halves = fc.tuple(fc.nat(70), fc.nat(70))
    fc.assert(
      fc.property(halves, ([before, after]) => {
        const value = `${'x'.repeat(before)}é${'x'.repeat(after)}`
        expect(decode(encode(value), 'utf8')).toBe(value)
      }),
      { examples: [[[0, 0]], [[15, 0]], [[29, 0]]] },
    )
  })

  it('remembers keys without mixing them up, however many there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 100, maxLength: 400 }),
        (names) => {
          const value = Object.fromEntries(names.map((name, i) => [name, i]))
          const bytes = encode(value)
          expect(bytes.toString()).toBe(
            `d${Object.entries(value)
              .map(([name, i]) => `${name.length}:${name}i${i}e`)
              .join('')}e`,
          )
          expect(decode(bytes)).toEqual(value)
        },
      ),
    )
  })
})

describe('bencode beside other programs', () => {
  it('decodes and encodes again every reply of a real rtpengine', () => {
    const vectors = readFileSync(new URL('../vectors/rtpengine-10.5-pairs.jsonl', import.meta.url), 'utf8')
    const replies = vectors
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reply: string | null }).reply)
      .filter((reply) => reply !== null)
      .map((reply) => Buffer.from(reply, 'base64'))
      .map((datagram) => datagram.subarray(datagram.indexOf(' ') + 1))
      // One answers a request in JSON.
      .filter((payload) => payload[0] !== 0x7b)
    expect(replies).toHaveLength(91)
    for (const reply of replies) {
      expect(encode(decode(reply)).equals(reply)).toBe(true)
      expect(encode(decode(reply, { dictionaries: 'map' })).equals(reply)).toBe(true)
    }
  })

  it('agrees with the bencode package, whose v4 has no decode(x, "utf8") for dictionaries', () => {
    const value = { a: 'text', b: [1, -2, 'für', { c: '', d: [] }], e: Buffer.from([0, 255]), f: 2 ** 40 }
    expect(encode(value)).toEqual(Buffer.from(npmBencode.encode(value)))
    const bytes = encode(value)
    const asArrays = (item: unknown): unknown => {
      if (item instanceof Uint8Array) return [...item]
      if (Array.isArray(item)) return item.map(asArrays)
      if (typeof item !== 'object' || item === null) return item
      return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, asArrays(inner)]))
    }
    expect(asArrays(decode(bytes))).toEqual(asArrays(npmBencode.decode(bytes)))
    expect(() => npmBencode.decode(bytes, 'utf8')).toThrow()
    expect(decode(bytes, 'utf8')).toMatchObject({ a: 'text', b: [1, -2, 'für', { c: '', d: [] }] })
  })
})
