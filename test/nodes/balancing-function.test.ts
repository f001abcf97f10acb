import { describe, expect, it } from 'vitest'
import { type Balanced, choose } from '../../src/nodes/balancing.ts'

const node = (url: string, weight = 1): Balanced => ({ url, weight, open: 0, calls: 0 })
const nodesOf = (...weights: number[]) => weights.map((weight, i) => node(`udp:10.0.0.${i + 1}:2223`, weight))

describe("balancing by a user's function", () => {
  const nodes = nodesOf(1, 0, 3)
  const call = { callId: undefined, sum: 5 }

  it('takes what it says, of the nodes that may be chosen, or nothing', () => {
    const asked: unknown[] = []
    const pick = choose((...given) => {
      asked.push(given)
      return given[1].at(-1)
    })
    expect(pick(nodes, call)).toBe(nodes[2])
    expect(asked).toEqual([[call, [nodes[0], nodes[2]]]])
    expect(choose(() => undefined)(nodes, call)).toBeUndefined()
  })

  it('may sort what it is given', () => {
    const ordered = nodesOf(1, 2, 3)
    const pick = choose((_, given) => (given as Balanced[]).sort((x, y) => y.weight - x.weight)[0])
    expect(pick(ordered, call)).toBe(ordered[2])
    expect(ordered.map(({ weight }) => weight)).toEqual([1, 2, 3])
  })

  it('is refused with its own error as the cause when it throws', () => {
    const cause = new Error('no tea')
    const pick = choose(() => {
      throw cause
    })
    expect(() => pick(nodes, call)).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_OPTION',
        option: 'balancing',
        message: 'balancing: the function threw: no tea',
        cause,
      }),
    )
    const bare = choose(() => {
      throw Object.create(null)
    })
    expect(() => bare(nodes, call)).toThrow('balancing: the function threw')
  })

  it('is refused when it returns anything but one of those nodes', () => {
    const answers = [
      node('udp:10.0.0.1:2223'),
      nodes[1],
      null,
      'udp:10.0.0.1:2223',
      Promise.resolve(nodes[0]),
    ]
    for (const answer of answers) {
      const pick = choose(() => answer as Balanced)
      expect(() => pick(nodes, call)).toThrow(
        expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option: 'balancing' }),
      )
    }
  })
})
