import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'

interface BencodePackage {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array, encoding?: string): unknown
}
// The package has no type declarations.
const { default: npmBencode }: { default: BencodePackage } = await import('bencode' as string)

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
