import { describe, expect, it } from 'vitest'
import { judge, passes } from '../../bench/judge.js'
import { measure, quantile } from '../../bench/measure.js'
import type { Finding } from '../../bench/row.js'

const finding = (score: number, goal: Finding['goal']): Finding => ({
  group: 'group',
  row: 'row',
  unit: 'ns',
  ours: { value: 1 },
  peer: 'peer',
  theirs: { value: score },
  score,
  spread: [score, score],
  goal,
  verdict: judge(score, goal),
})

describe('a ratio', () => {
  it('meets its target from the target on', () => {
    expect(judge(6, { atLeast: 6 })).toEqual({ outcome: 'met', missedBy: 0, floor: 6 * 0.8, lost: false })
  })

  it('misses its target below, and is lost below 0.8 of it', () => {
    expect(judge(5, { atLeast: 6 })).toMatchObject({ outcome: 'missed', lost: false })
    expect(judge(5, { atLeast: 6 }).missedBy).toBeCloseTo(1 / 6)
    expect(judge(4.7, { atLeast: 6 })).toMatchObject({ outcome: 'missed', lost: true })
  })

  it('has its floor at 0.8 of what is reached when its target is out of reach, and still misses the target', () => {
    const goal = { atLeast: 6, reached: 2.5, why: 'copies' }
    expect(judge(2.1, goal)).toMatchObject({ outcome: 'missed', lost: false })
    expect(judge(1.9, goal)).toMatchObject({ outcome: 'missed', lost: true })
  })

  it('has no lower floor for a target that is in reach', () => {
    expect(judge(4, { atLeast: 3, reached: 9, why: 'a stale note' }).floor).toBeCloseTo(2.4)
  })

  it('that is no number is lost', () => {
    expect(judge(Number.NaN, { atLeast: 1 }).lost).toBe(true)
    expect(judge(Number.NaN, { atMost: 1 }).lost).toBe(true)
  })
})

describe('a limit', () => {
  it('is met up to the limit and lost where the limit is less than 0.8 of the figure', () => {
    expect(judge(1000, { atMost: 1000 })).toMatchObject({ outcome: 'met', lost: false })
    expect(judge(1200, { atMost: 1000 })).toMatchObject({ outcome: 'missed', lost: false })
    expect(judge(1300, { atMost: 1000 })).toMatchObject({ outcome: 'missed', lost: true })
    expect(judge(1300, { atMost: 1000, reached: 1200, why: 'fields' }).lost).toBe(false)
  })
})

describe('a smoke run', () => {
  it('fails when one row falls below its floor', () => {
    const good = finding(7, { atLeast: 6 })
    const without = finding(0.1, undefined)
    const missed = finding(5, { atLeast: 6 })
    const lost = finding(4, { atLeast: 6 })
    expect(passes([good, without, missed])).toBe(true)
    expect(passes([good, without, missed, lost])).toBe(false)
  })
})

describe('a measurement', () => {
  /** A contender that needs so many units in each round. */
  const contender = (name: string, values: number[], goal?: Finding['goal']) => {
    let round = 0
    return { name, ...(goal && { goal }), sample: async () => ({ value: values[round++]! }) }
  }
  const effort = { rounds: 3, roundMs: 1 }

  it('compares times round by round and takes the median ratio', async () => {
    const ours = contender('ours', [10, 20, 10])
    const peers = [contender('peer', [30, 40, 50], { atLeast: 4 })]
    const [found] = await measure({ group: 'g', name: 'r', unit: 'ns', ours, peers }, effort)
    expect(found).toMatchObject({ score: 3, spread: [3, 5], ours: { value: 10 }, theirs: { value: 40 } })
    expect(found?.verdict).toMatchObject({ outcome: 'missed', lost: true })
  })

  it('turns the ratio round for rates, where more is better', async () => {
    const ours = contender('ours', [80, 90, 70])
    const peers = [contender('peer', [100, 100, 100], { atLeast: 0.8 })]
    const [found] = await measure({ group: 'g', name: 'r', unit: '/s', ours, peers }, effort)
    expect(found).toMatchObject({ score: 0.8, verdict: { outcome: 'met' } })
  })

  it('takes differences for limits beside a peer, and figures alone for limits of our own', async () => {
    const ours = contender('ours', [60, 61, 62])
    const peers = [contender('empty', [50, 50, 50], { atMost: 15 })]
    const goal = { atMost: 61 }
    const found = await measure({ group: 'g', name: 'r', unit: 'ms', ours, peers, goal }, effort)
    expect(found).toMatchObject([
      { peer: undefined, score: 61, verdict: { outcome: 'met' } },
      { peer: 'empty', score: 11, verdict: { outcome: 'met' } },
    ])
  })

  it('cleans up when a contender fails', async () => {
    let closed = false
    const row = {
      group: 'g',
      name: 'r',
      unit: '/s' as const,
      ours: { name: 'ours', sample: () => Promise.reject(new Error('lost')) },
      peers: [],
      open: async () => async () => {
        closed = true
      },
    }
    await expect(measure(row, effort)).rejects.toThrow('lost')
    expect(closed).toBe(true)
  })
})

it('a quantile is one of the numbers', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2)
  expect(quantile([4, 1, 3, 2, 5], 0.25)).toBe(2)
})
