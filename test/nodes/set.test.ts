import { describe, expect, it } from 'vitest'
import type { Transport } from '../../src/network/transport.ts'
import { choose } from '../../src/nodes/balancing.ts'
import { Node } from '../../src/nodes/node.ts'
import { NodeSet } from '../../src/nodes/set.ts'
import { readVectors } from '../vectors.ts'

const unused: Transport = {
  url: '',
  send: () => {
    throw new Error('not to be used')
  },
  close: async () => undefined,
}

const timing = { timeoutMs: 1000, attempts: 5 }
const rules = { choose: choose('checksum'), seconds: () => 0 }
/** More requests than anything here opens. */
const LIMIT = 100

const setOf = (weights: readonly (readonly [url: string, weight: number])[]) =>
  new NodeSet(
    0,
    weights.map(([url, weight], index) => {
      const address = { transport: 'unix', path: url } as const
      return new Node({ url, weight, index, address }, 0, unused, timing, () => 0)
    }),
    rules,
  )

const sumOf = (callId: string) => Buffer.from(callId).reduce((sum, byte) => sum + byte, 0) & 0xff

interface Selection {
  readonly sets: Record<string, [url: string, weight: number][]>
  readonly calls: { set: number; call_id: string; node: string }[]
}

describe('balancing', () => {
  const { sets, calls } = readVectors<Selection>('selection.json')

  it('chooses as the real module did, in every recorded choice', () => {
    const wrong = calls.filter(
      ({ set, call_id, node }) =>
        setOf(sets[set]!).pick({ sum: sumOf(call_id), callId: call_id }, LIMIT)?.url !== node,
    )
    expect(calls).toHaveLength(225)
    expect(wrong).toEqual([])
  })

  it('shares out by the weights of the enabled nodes only', () => {
    const set = setOf([
      ['a', 1],
      ['b', 5],
      ['c', 2],
    ])
    set.nodes[1]!.disabled = true
    const picks = [0, 1, 2, 3, 4, 5].map((sum) => set.pick({ sum, callId: undefined }, LIMIT)?.url)
    expect(picks).toEqual(['a', 'c', 'c', 'a', 'c', 'c'])
  })

  it('never picks weight 0 beside others, but picks it when it is alone in its set', () => {
    const pair = setOf([
      ['a', 0],
      ['b', 1],
    ])
    expect([0, 1, 100, 255].map((sum) => pair.pick({ sum, callId: undefined }, LIMIT)?.url)).toEqual([
      'b',
      'b',
      'b',
      'b',
    ])
    pair.nodes[1]!.disabled = true
    expect(pair.pick({ sum: 0, callId: undefined }, LIMIT)).toBeUndefined()
    expect(setOf([['a', 0]]).pick({ sum: 7, callId: undefined }, LIMIT)?.url).toBe('a')
  })
})
