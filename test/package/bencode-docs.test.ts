import { describe, expect, it, vi } from 'vitest'
import * as ours from '../../src/core/bencode.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/bencode.md')
const {
  default: theirs,
}: {
  default: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array, encoding?: string): unknown }
} = await import('bencode' as string)

describe('the page on bencode', () => {
  const snippets = snippetsOf(page)

  it('has code', () => {
    expect(snippets).toHaveLength(5)
  })

  it.each(snippets)('has code that prints what it says: %#', (code) => {
    const said = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)/g)].flatMap(([, text = '']) =>
      text === '1, 2' ? ['1', '2'] : [text],
    )
    expect(said.length).toBeGreaterThan(0)
    expect(run(code)).toBe(`${said.join('\n')}\n`)
  })

  it('is right about the package bencode', () => {
    const bytes = (text: string) => Buffer.from(text)
    const rows = new Map(tableOf(page, 'What').map(([what, other, here]) => [what, [other, here]]))
    expect(rows.size).toBe(12)
    expect(() => theirs.decode(bytes('d1:a1:be'), 'utf8')).toThrow()
    expect(ours.decode(bytes('d1:a1:be'), 'utf8')).toEqual({ a: 'b' })
    expect(Buffer.from(theirs.encode({ b: 1, a: 2 })).toString()).toBe('d1:ai2e1:bi1ee')
    const said = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'trace')].map((spy) => spy.mockReturnValue())
    expect(Buffer.from(theirs.encode(1.5)).toString()).toBe('i1e')
    expect(said[0]).toHaveBeenCalledOnce()
    for (const spy of said) spy.mockRestore()
    expect(() => ours.encode(1.5)).toThrow()
    expect(theirs.decode(bytes('i9007199254740993e'))).toBe(9007199254740992)
    expect(ours.decode(bytes('i9007199254740993e'))).toBe(9007199254740993n)
    expect(Buffer.from(theirs.encode([true, false])).toString()).toBe('li1ei0ee')
    expect(ours.encode([true, false]).toString()).toBe('li1ei0ee')
    expect(Buffer.from(theirs.encode({ a: null, b: undefined })).toString()).toBe('de')
    expect(ours.encode({ a: null, b: undefined }).toString()).toBe('de')
    expect(theirs.decode(bytes('i01exyz'))).toBe(1)
    expect(() => ours.decode(bytes('i01e'))).toThrow()
    expect(() => theirs.decode(bytes('l'.repeat(100_000) + 'e'.repeat(100_000)))).toThrow(RangeError)
    expect(() => ours.decode(bytes('l'.repeat(1000)))).toThrow('nested too deeply')
    const theirPrototype = theirs.decode(bytes('d9:__proto__d1:ai1eee')) as object
    expect(Object.keys(theirPrototype)).toEqual([])
    expect(Object.keys(ours.decode(bytes('d9:__proto__d1:ai1eee')))).toEqual(['__proto__'])
  })
})
