import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BencodeDecoder, type BencodeInput, decode, encode } from '../../../src/core/bencode.ts'

const { value } = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}))

/** The bytes in pieces that end at `cuts`. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

describe('BencodeDecoder', () => {
  it('gives the values of a stream, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (given, cuts) => {
        const bytes = Buffer.concat(given.map((one) => encode(one)))
        const decoder = new BencodeDecoder({ encoding: 'utf8' })
        const values = pieces(bytes, cuts).flatMap((piece) => decoder.push(piece))
        decoder.end()
        expect(values).toEqual(given.map((one) => decode(encode(one), 'utf8')))
      }),
      { numRuns: 500 },
    )
  })

  it('gives them byte by byte, each as soon as it is there', () => {
    const decoder = new BencodeDecoder({ encoding: 'utf8' })
    const text = 'i-12e0:3:abcled1:ali1eee2:xy'
    const seen = [...text].flatMap((byte, at) => decoder.push(Buffer.from(byte)).map((one) => [at, one]))
    expect(seen).toEqual([
      [4, -12],
      [6, ''],
      [11, 'abc'],
      [13, []],
      [23, { a: [1] }],
      [27, 'xy'],
    ])
  })

  it('keeps nothing of the chunks it was given', () => {
    const decoder = new BencodeDecoder()
    const chunk = Buffer.from('3:ab')
    expect(decoder.push(chunk)).toEqual([])
    chunk.fill(0)
    const [read] = decoder.push(Buffer.from('c')) as [Buffer]
    expect(read.toString()).toBe('abc')
  })

  it('reads a stream of chunks one value at a time', async () => {
    async function* stream() {
      yield Buffer.from('i1ei')
      yield Buffer.from('2e')
    }
    const values = []
    for await (const one of new BencodeDecoder().decode(stream())) values.push(one)
    expect(values).toEqual([1, 2])
    const cut = new BencodeDecoder().decode([Buffer.from('i1ei')])
    expect(await cut.next()).toEqual({ value: 1, done: false })
    await expect(cut.next()).rejects.toThrow('the input ends early at byte 4')
  })

  it('gives what comes before an error, and then the error for good', async () => {
    const decoder = new BencodeDecoder()
    const values: unknown[] = []
    const reading = (async () => {
      for await (const one of decoder.decode([Buffer.from('i1ei2exi3e')])) values.push(one)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ERR_RTPPROXY_BENCODE', offset: 6 })
    expect(values).toEqual([1, 2])
    expect(() => decoder.push(Buffer.from('i1e'))).toThrow('at byte 6')
    expect(() => decoder.end()).toThrow('at byte 6')
  })

  it.each([
    ['i1ee', 3],
    ['i1ei01e', 4],
    ['d1:ai1ei2ee', 7],
    ['1x', 1],
    ['l'.repeat(65), 64],
    ['i12345678901234567890e', 0],
    ['d1:ae', 4],
  ])('refuses %s at its byte %i, cut or whole', (text, offset) => {
    const whole = new BencodeDecoder()
    expect(() => whole.push(Buffer.from(text))).toThrow(expect.objectContaining({ offset }))
    const cut = new BencodeDecoder()
    expect(() => [...text].map((byte) => cut.push(Buffer.from(byte)))).toThrow(
      expect.objectContaining({ offset }),
    )
  })

  it('refuses a value that is larger than it may be, before it is all there', () => {
    const decoder = new BencodeDecoder({ maxBytes: 100 })
    expect(() => decoder.push(Buffer.from('101:'))).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_BENCODE' }),
    )
    const list = new BencodeDecoder({ maxBytes: 100 })
    expect(() => list.push(Buffer.from(`l${'i1e'.repeat(40)}`))).toThrow(
      'a value of more than 100 bytes at byte 0',
    )
    expect(() => new BencodeDecoder().end()).not.toThrow()
  })

  it('takes a value of a megabyte byte by byte in time that grows with its size', () => {
    // The time of the processor, so that what else the machine does is not counted.
    const time = (bytes: number): number => {
      const text = Buffer.from(`${bytes}:${'x'.repeat(bytes)}`)
      const decoder = new BencodeDecoder({ maxBytes: 2 << 20 })
      const start = process.cpuUsage()
      for (let at = 0; at < text.length; at++) decoder.push(text.subarray(at, at + 1))
      const { user, system } = process.cpuUsage(start)
      return user + system
    }
    time(10_000)
    expect(time(800_000) / time(100_000)).toBeLessThan(32)
  })

  it('refuses options it cannot use when it is made', () => {
    expect(() => new BencodeDecoder({ maxDepth: 0 })).toThrow(expect.objectContaining({ option: 'maxDepth' }))
    expect(() => new BencodeDecoder({ maxBytes: 1.5 })).toThrow(
      expect.objectContaining({ option: 'maxBytes' }),
    )
  })

  it('takes bytes, not text, and no tolerance', () => {
    const decoder = new BencodeDecoder()
    for (const chunk of ['i1e', 5, undefined, [1]])
      expect(() => decoder.push(chunk as never)).toThrow(
        expect.objectContaining({ code: 'ERR_RTPPROXY_BENCODE' }),
      )
    expect(decoder.push(Buffer.from('i1e'))).toEqual([1])
    const option = { code: 'ERR_RTPPROXY_OPTION', option: 'tolerant' }
    expect(() => new BencodeDecoder({ tolerant: true } as never)).toThrow(expect.objectContaining(option))
    expect(() => decode(Buffer.from('i1e'), { tolerant: 'yes' } as never)).toThrow(
      expect.objectContaining(option),
    )
  })
})
