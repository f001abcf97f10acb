import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BencodeInput, decode, encode } from '../../src/core/bencode.ts'
import { scanBencode } from '../../src/relay/control/bencode-scan.ts'

const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.maxSafeInteger(),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))
const dictionaries = fc.dictionary(fc.string(), value, { maxKeys: 6, noNullPrototype: true })

it('finds the end of a dictionary, wherever it begins and whatever follows', () => {
  fc.assert(
    fc.property(dictionaries, fc.string(), fc.string(), (dictionary, before, after) => {
      const bytes = encode(dictionary)
      const start = Buffer.byteLength(before)
      const all = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)])
      expect(scanBencode(all, start)).toEqual({ end: start + bytes.length, missing: 0 })
    }),
  )
})

it('says of a dictionary that was cut how to end it, if it can be ended', () => {
  fc.assert(
    fc.property(dictionaries, fc.nat(), (dictionary, place) => {
      const bytes = encode(dictionary)
      const cut = bytes.subarray(0, place % bytes.length)
      const scan = scanBencode(cut, 0)
      if (scan === undefined) return
      expect(scan.end).toBe(cut.length)
      expect(scan.missing).toBeGreaterThan(0)
    }),
  )
})

it.each([
  ['d', { end: 1, missing: 1 }],
  ['d1:al', { end: 5, missing: 2 }],
  ['d1:ad1:bi1e', { end: 11, missing: 2 }],
  ['', undefined],
  ['d1', undefined],
  ['d3:ab', undefined],
  ['d1:ai5', undefined],
  ['d1:ae', undefined],
  ['di1ei2ee', undefined],
  ['i-e', undefined],
])('says of %j: %j', (text, scan) => {
  expect(scanBencode(Buffer.from(text), 0)).toEqual(scan)
})

it('comes to an end with any bytes, and never takes for whole what the decoder does not', () => {
  const piece = fc.constantFrom('d', 'l', 'e', 'i', '1:', '0:', '-', '1', '2:ab', 'i-1e', 'x')
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const scan = scanBencode(bytes, 0)
      if (scan?.missing === 0 && bytes[0] === 0x64) {
        expect(() => decode(bytes.subarray(0, scan.end), 'latin1')).not.toThrow()
      }
    }),
    { numRuns: 1000 },
  )
})
