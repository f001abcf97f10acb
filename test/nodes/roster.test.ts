import { describe, expect, it } from 'vitest'
import { choose } from '../../src/nodes/balancing.ts'
import { parseSockets } from '../../src/nodes/grammar.ts'
import { LAST_TIER } from '../../src/nodes/node.ts'
import { Roster } from '../../src/nodes/roster.ts'
import { type FakeNode, nodeOf } from './fakes.ts'

function rosterOf({ lastResort = false } = {}) {
  const made: string[] = []
  const roster = new Roster({
    choose: choose('checksum'),
    seconds: () => 0,
    lastResort,
    make: (definition, set) => {
      made.push(`${set} ${definition.url}`)
      const node: FakeNode = nodeOf(definition.url)
      return Object.defineProperty(node, 'set', { value: set })
    },
  })
  const configure = (...sockets: string[]) => {
    const { added, removed } = roster.configure(parseSockets(sockets))
    return { added: added.map(({ url }) => url), removed: removed.map(({ url }) => url) }
  }
  return { roster, made, configure }
}

const [A, B, C] = ['udp:10.0.0.1:1', 'udp:10.0.0.2:1', 'udp:10.0.0.3:1']

describe('the roster of nodes', () => {
  it('keeps those that stay by set and URL, with new weights and indexes, and tells of the others', () => {
    const { roster, made, configure } = rosterOf()
    expect(configure(`${A} ${B}=2`)).toEqual({ added: [A, B], removed: [] })
    const [, b] = roster.nodes
    b!.draining = true
    expect(configure(`${C} ${B}=7`, `1 == ${B}`)).toEqual({ added: [C, B], removed: [A] })
    expect(roster.nodes[1]).toBe(b)
    expect(b).toMatchObject({ weight: 7, index: 1, draining: true })
    expect(made).toEqual([`0 ${A}`, `0 ${B}`, `0 ${C}`, `1 ${B}`])
  })

  it('keeps as many of the same URL as there are', () => {
    const { roster, configure } = rosterOf()
    configure(`${A} ${A} ${A}`)
    const before = new Set(roster.nodes)
    expect(configure(`${A} ${A} ${A} ${A}`)).toEqual({ added: [A], removed: [] })
    expect(roster.nodes.filter((node) => before.has(node))).toHaveLength(3)
    expect(configure(A)).toEqual({ added: [], removed: [A, A, A] })
  })

  it('finds a node by its URL, in the set that is asked for if it is there', () => {
    const { roster, configure } = rosterOf()
    configure(`${A} ${B}`, `1 == ${B}`)
    expect([roster.find(B, 1)!.set, roster.find(B, 0)!.set, roster.find(A, 1)!.set]).toEqual([1, 0, 0])
    expect([roster.find(C, 0), roster.named(B).length, [...roster.urls()]]).toEqual([undefined, 2, [A, B, B]])
  })

  it('empties a set that goes for those who have it in hand, and makes it anew', () => {
    const { roster, configure } = rosterOf()
    configure(A, `1 == ${B}`)
    const set = roster.set(1, 'offer')
    configure(A)
    expect([set.nodes, roster.has(1)]).toEqual([[], false])
    expect(() => roster.set(1, 'offer')).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_SET', command: 'offer' }),
    )
    configure(A, `1 == ${B}`)
    expect(roster.set(1, 'offer').nodes).toHaveLength(1)
  })

  it('puts nodes of weight 0 into the last tier, if they are a last resort', () => {
    const { roster, configure } = rosterOf({ lastResort: true })
    configure(`${A}=0 ${B}`)
    expect(roster.nodes.map(({ tier }) => tier)).toEqual([LAST_TIER, 0])
    const pick = () => roster.set(0, 'offer').pick({ sum: 0, callId: undefined }, 10)?.url
    expect(pick()).toBe(B)
    configure(`${A}=1 ${B}=0`)
    expect(pick()).toBe(A)
    expect(rosterOf().configure(`${A}=0`)).toEqual({ added: [A], removed: [] })
  })
})
