import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/core/bencode.ts'
import { StreamFrames } from '../../../src/network/framing/stream-frames.ts'

/** What comes out of a stream that arrives in these chunks, and whether it was taken to the end. */
function cut(...chunks: (Buffer | string)[]): { messages: string[]; isTaken: boolean } {
  const messages: string[] = []
  const frames = new StreamFrames((message) => messages.push(message.toString('latin1')))
  const isTaken = chunks.every((chunk) => frames.push(Buffer.from(chunk as string, 'latin1')))
  return { messages, isTaken }
}

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('any'), { maxKeys: 4 }),
  ),
})).any
const cookie = fc.stringMatching(/^[!-~]{1,64}$/)
const message = fc
  .tuple(cookie, fc.dictionary(fc.string(), value, { maxKeys: 5 }))
  .map(([text, dictionary]) => `${text} ${encode(dictionary as never).toString('latin1')}`)

describe('a stream of NG messages', () => {
  it('is cut into exactly the messages it was made of, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (messages, sizes) => {
          const stream = Buffer.from(messages.join(''), 'latin1')
          const chunks: Buffer[] = []
          for (let at = 0; at < stream.length; at += chunks.at(-1)!.length)
            chunks.push(stream.subarray(at, at + sizes.next().value))
          expect(cut(...chunks)).toEqual({ messages, isTaken: true })
        },
      ),
    )
  })

  it('is cut the same with a break at each byte, and with one at every byte', () => {
    const messages = ['c1 d6:result2:oke', '_ de', 'c2 d3:sdp12:v=0 e\r\n i1ed1:ali-1e0:d1:xleeee']
    const stream = messages.join('')
    for (let at = 0; at <= stream.length; at++) {
      expect(cut(stream.slice(0, at), stream.slice(at))).toEqual({ messages, isTaken: true })
    }
    expect(cut(...stream)).toEqual({ messages, isTaken: true })
  })

  it('hands a message on as soon as its last byte is there', () => {
    const { messages } = cut('a de', 'b d', 'e', 'c d1:')
    expect(messages).toEqual(['a de', 'b de'])
  })

  it('may hold messages larger than a datagram, which are for the decoder to refuse', () => {
    const large = `c d1:x70000:${'y'.repeat(70_000)}e`
    expect(cut(large.slice(0, 65_536), large.slice(65_536), 'd de')).toEqual({
      messages: [large, 'd de'],
      isTaken: true,
    })
  })

  it.each([
    ['no dictionary behind the cookie', 'c x'],
    ['JSON behind the cookie', 'c {"result":"ok"}'],
    ['a list behind the cookie', 'c le'],
    ['two spaces', 'c  de'],
    ['no cookie', ' de'],
    ['a cookie without an end', 'c'.repeat(65)],
    ['what is no value', 'c d1:ax'],
    ['what is no number', 'c d1:aiabce'],
    ['a string too long for any message', 'c d9999999:'],
    ['nesting too deep', `c ${'d1:a'.repeat(100)}`],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ])('is refused, but for the messages before, when there is %s', (_, garbage) => {
    for (const chunks of [[`a de${garbage}`], ['a d', `e${garbage}`], [...`a de${garbage}`]])
      expect(cut(...chunks)).toEqual({ messages: ['a de'], isTaken: false })
  })

  it('is refused when one message does not end within some 1,048,000 bytes', () => {
    const frames = new StreamFrames(() => expect.unreachable())
    expect(frames.push(Buffer.from('c d'))).toBe(true)
    const pair = Buffer.from(`1:a60000:${'x'.repeat(60_000)}`)
    let taken = 0
    while (taken < 100 && frames.push(pair)) taken++
    expect(taken).toBe(17)
  })

  it('may be any bytes, without an error', () => {
    const bytes = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.stringMatching(/^[c dlei0-9:]{0,8}$/)),
    )
    fc.assert(
      fc.property(bytes, (chunks) => {
        const frames = new StreamFrames((one) => expect(one.indexOf(' d')).toBeGreaterThan(0))
        chunks.every((chunk) => frames.push(Buffer.from(chunk as string)))
      }),
    )
  })
})
