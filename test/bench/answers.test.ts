import { describe, expect, it } from 'vitest'
import { compare } from '../../bench/measure.js'
import { rows } from '../../bench/rows/all.js'

const compared = rows.filter(({ ours }) => ours.run !== undefined)

describe('the contenders of the benchmark', () => {
  it.each(compared.map((row) => [row.name, row] as const))('agree with ours: %s', (_, row) => {
    compare(row)
  })

  it('are found out when they do not', () => {
    const [row] = compared
    const lying = { ...row!, peers: [{ name: 'liar', run: () => Buffer.from('another answer') }] }
    expect(() => compare(lying)).toThrow('liar gives another answer')
  })

  it('stand beside every row that is timed, one in pure JavaScript among them', () => {
    for (const { peers } of compared) expect(peers.map(({ name }) => name)).toContain('pure JS')
  })
})

describe('a target that is out of reach', () => {
  const goals = rows.flatMap(({ goal, peers }) => [goal, ...peers.map((peer) => peer.goal)])

  it('says what is reached and why, both or neither', () => {
    for (const goal of goals) expect(goal?.reached === undefined).toBe(goal?.why === undefined)
  })
})
