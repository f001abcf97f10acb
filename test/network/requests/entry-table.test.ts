import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntryTable } from '../../../src/network/requests/entry-table.ts'

interface Entry {
  readonly counter: number
  below: Entry | undefined
  readonly payload?: unknown
}

const entry = (counter: number, payload?: unknown): Entry => ({ counter, below: undefined, payload })

/** Collects the young objects only, as the engine does some hundred times before it looks at the old ones. */
function minorCollection(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void
  return () => collect({ type: 'minor' })
}

describe('the table of open requests', () => {
  it('has what a Map has, in the order of the counters', () => {
    // Few counters, and all in few buckets, so that they meet.
    const counters = fc.nat(40).map((n) => n * 64)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), counters), { maxLength: 300 }), (steps) => {
        const table = new EntryTable<Entry>()
        const reference = new Map<number, Entry>()
        for (const [adds, counter] of steps) {
          const known = reference.get(counter)
          expect(table.get(counter)).toBe(known)
          if (adds && known === undefined) {
            const added = entry(counter)
            table.add(added)
            reference.set(counter, added)
          } else if (!adds && known !== undefined) {
            table.remove(known)
            reference.delete(counter)
            expect(known.below).toBeUndefined()
          }
          expect(table.size).toBe(reference.size)
        }
        expect(table.inOrder()).toEqual([...reference.values()].sort((a, b) => a.counter - b.counter))
      }),
    )
  })

  it('grows with what is in it, and finds all of it', () => {
    const table = new EntryTable<Entry>()
    const entries = Array.from({ length: 5000 }, (_, i) => entry(i * 7))
    for (const added of entries) table.add(added)
    expect(entries.every((added) => table.get(added.counter) === added)).toBe(true)
    expect(table.inOrder()).toEqual(entries)
    for (const added of entries) table.remove(added)
    expect([table.size, table.get(7), table.inOrder()]).toEqual([0, undefined, []])
  })

  it('finds nothing for a counter that no cookie has', () => {
    const table = new EntryTable<Entry>()
    table.add(entry(2 ** 31 - 1))
    expect([table.get(-1), table.get(0), table.get(2 ** 32 - 1)]).toEqual([undefined, undefined, undefined])
  })

  it('keeps the order where the counters begin again', () => {
    const table = new EntryTable<Entry>()
    const counters = [2 ** 31 - 2, 2 ** 31 - 1, 0, 1]
    for (const counter of [1, 2 ** 31 - 1, 0, 2 ** 31 - 2]) table.add(entry(counter))
    expect(table.inOrder().map(({ counter }) => counter)).toEqual(counters)
  })

  it('keeps nothing of what has gone, so that short-lived requests die young', () => {
    const collect = minorCollection()
    const table = new EntryTable<Entry>()
    const [open, all, bytes] = [64, 40_000, 1000]
    for (let i = 0; i < open; i++) table.add(entry(i))
    // What is old now is not collected with the young objects, and whatever it still held would not be either.
    for (let i = 0; i < 4; i++) collect()
    const before = process.memoryUsage().heapUsed
    for (let i = open; i < all; i++) {
      table.remove(table.get(i - open)!)
      table.add(entry(i, new Array(bytes / 8).fill(i + 0.5)))
      if (i % 1000 === 0) collect()
    }
    collect()
    collect()
    const kept = process.memoryUsage().heapUsed - before
    expect(kept).toBeLessThan((all * bytes) / 8)
  })
})
