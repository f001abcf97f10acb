import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TransactionMemory } from '../../src/module/transactions.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the memory of transactions', () => {
  it('tells requests with SDP, requests without, and transactions it does not know apart', () => {
    const memory = new TransactionMemory(10, 1000, () => Date.now())
    memory.remember(undefined, 'with', true)
    memory.remember(undefined, 'without', false)
    expect(['with', 'without', 'unknown'].map((key) => memory.recall(undefined, key))).toEqual([
      true,
      false,
      undefined,
    ])
    memory.close()
  })

  it("goes by the caller's transaction object when there is one, and holds nothing of its own for it", () => {
    const memory = new TransactionMemory(10, 1000)
    const [offered, late] = [{}, {}]
    memory.remember(offered, 'k', true)
    expect([memory.recall(offered, 'k'), memory.recall(late, 'k'), memory.recall(undefined, 'k')]).toEqual([
      true,
      false,
      undefined,
    ])
    expect(memory.size).toBe(0)
  })

  it('forgets the one unused longest when it is full', () => {
    const memory = new TransactionMemory(2, 1000, () => Date.now())
    memory.remember(undefined, 'a', true)
    memory.remember(undefined, 'b', true)
    memory.recall(undefined, 'a')
    memory.remember(undefined, 'c', true)
    expect(['a', 'b', 'c'].map((key) => memory.recall(undefined, key))).toEqual([true, undefined, true])
    memory.close()
  })

  it('forgets what was not used for its lifetime, each at its time, and leaves no timer', () => {
    const memory = new TransactionMemory(10, 1000, () => Date.now())
    memory.remember(undefined, 'a', true)
    vi.advanceTimersByTime(600)
    memory.remember(undefined, 'b', true)
    memory.recall(undefined, 'a')
    vi.advanceTimersByTime(900)
    expect(memory.recall(undefined, 'a')).toBe(true)
    vi.advanceTimersByTime(500)
    expect([memory.size, memory.recall(undefined, 'b')]).toEqual([1, undefined])
    vi.advanceTimersByTime(5000)
    expect([memory.size, vi.getTimerCount()]).toEqual([0, 0])
  })
})
