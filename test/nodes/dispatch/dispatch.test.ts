import { describe, expect, it } from 'vitest'
import type { FakeNode } from '../fakes.ts'
import { refusal, scene } from './scene.ts'

const ok = { result: 'ok' }
const full = { result: 'error', reason: 'Ran out of ports' }
const answer = (node: FakeNode | undefined, reply: object = ok) => node!.transport.reply(reply)
const pong = { result: 'pong' }

describe('a command', () => {
  it('ends once, by its reply, and leaves nothing behind', () => {
    const { nodes, run, state } = scene('a b')
    const ends = run('offer', { deadlineMs: 1000, signal: new AbortController().signal })
    expect(state()).toEqual([1, 1, 1, 0])
    answer(nodes[0])
    expect([ends, state()]).toEqual([['ok a'], [0, 0, 0, 0]])
  })

  it.each(['timeout', 'refused', 'unreachable', 'local'] as const)(
    'goes on after %s, to each node once',
    async (kind) => {
      const { nodes, run, state } = scene('a b c')
      const ends = run('query')
      const tried: string[] = []
      for (;;) {
        const node = nodes.find(({ transport }) =>
          transport.open.some(({ datagram }) => datagram.length === 8),
        )
        if (node === undefined) break
        tried.push(node.url)
        node.transport.fail(kind)
        // Pings of those that are due at once.
        for (const { transport } of nodes)
          while (transport.open[0]?.datagram.length !== 8 && transport.open[0]) transport.fail(kind)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect([tried.sort(), ends, state()]).toEqual([['a', 'b', 'c'], ['NO_NODE'], [0, 0, 0, 0, 0]])
    },
  )

  it.each([
    ['closed', 'CLOSED'],
    ['too-large', 'TOO_LARGE'],
  ] as const)('ends with %s', (kind, code) => {
    const { nodes, run, state, pins } = scene('a b')
    const ends = run('offer')
    nodes[0]!.transport.fail(kind)
    expect([ends, state(), pins.memory!.size]).toEqual([[code], [0, 0, 0, 0], 0])
  })

  it('ends by its signal when its node is about to go with it', () => {
    const controller = new AbortController()
    const node = { current: undefined as FakeNode | undefined }
    const { nodes, run, state } = scene('a', { idle: () => void node.current!.transport.close() })
    node.current = nodes[0]
    const ends = run('query', { signal: controller.signal })
    nodes[0]!.removed = true
    controller.abort()
    expect([ends, state(), nodes[0]!.transport.closed]).toEqual([['ABORTED'], [0, 0, 0], true])
  })

  it('tells when its draining node has nothing open any more', () => {
    const { nodes, run, idle } = scene('a')
    const [first] = [run('query'), run('query')]
    nodes[0]!.draining = true
    answer(nodes[0])
    expect([first, idle]).toEqual([['ok a'], []])
    answer(nodes[0])
    expect(idle).toEqual(['a'])
  })

  it('finds no node when everything was closed while it looked for one', async () => {
    const { nodes, run, health } = scene('a b')
    for (const node of nodes) health.disable(node, refusal(node, ''))
    const ends = run('query')
    for (const { transport } of nodes) await transport.close()
    await expect
      .poll(() => nodes.flatMap(({ transport }) => transport.open).length || ends.length)
      .toBeGreaterThan(0)
    for (const { transport } of nodes) await transport.close()
    await expect.poll(() => ends).toEqual(['CLOSED'])
  })
})

describe('a node that leaves sends unanswered', () => {
  it('is suspected, and left early only if that is asked for', () => {
    const { nodes, run, told } = scene('a b', { suspectAttempts: 2 })
    run('query')
    const [exchange] = nodes[0]!.transport.open
    expect([exchange!.unanswered!(1), exchange!.unanswered!(2)]).toEqual([true, false])
    expect(told).toEqual(['up>suspect a'])
    // Measured waits make more sends than `attempts`, which is the default here.
    const other = scene('a b', { suspectAttempts: 5 })
    other.run('query')
    const [patient] = other.nodes[0]!.transport.open
    expect([4, 5, 6].map((sends) => patient!.unanswered!(sends))).toEqual([true, true, true])
  })

  it('is not suspected while it answers others', () => {
    const { nodes, run, told } = scene('a b')
    run('query')
    const [exchange] = nodes[0]!.transport.open
    run('query')
    nodes[0]!.transport.open.pop()!.replied(Buffer.from('d6:result2:oke'), 0)
    exchange!.unanswered!(1)
    expect(told).toEqual([])
  })
})

describe('the place of a call', () => {
  it('is known as soon as its offer is under way', () => {
    const { nodes, run } = scene('a b')
    nodes[1]!.weight = 0
    run('offer')
    nodes[1]!.weight = 1000
    run('query', { sum: 7 })
    expect(nodes.map(({ open }) => open)).toEqual([2, 0])
  })

  it('is told again by the reply, had it been forgotten meanwhile', () => {
    const { nodes, run, pins } = scene('a b')
    const first = run('offer')
    const second = run('offer')
    answer(nodes[0], { result: 'error' })
    expect(pins.memory!.size).toBe(0)
    answer(nodes[0])
    expect([first, second]).toEqual([['NG'], ['ok a']])
    expect(pins.memory!.find('call', undefined)).toBe(nodes[0])
  })

  it('is never a node that is gone', () => {
    const { nodes, run, pins } = scene('a b')
    const ends = run('offer')
    nodes[0]!.removed = true
    pins.memory!.forgetNode(nodes[0]!)
    answer(nodes[0])
    expect([ends, pins.memory!.size]).toEqual([['ok a'], 0])
  })

  it('is left alone by an offer that is to avoid it, until another node has taken the call', () => {
    const { nodes, run, pins } = scene('a b')
    pins.keep({ callId: 'call', viaBranch: undefined }, nodes[0]!)
    const ends = run('offer', { avoid: nodes[0]! })
    expect(nodes.map(({ calls: _, open }) => open)).toEqual([0, 1])
    expect(pins.memory!.find('call', undefined)).toBe(nodes[0])
    answer(nodes[1])
    expect([ends, pins.memory!.find('call', undefined)]).toEqual([['ok b'], nodes[1]])
  })

  it('is where it was when the only other node has no room', async () => {
    const { nodes, run, pins } = scene('a b')
    pins.keep({ callId: 'call', viaBranch: undefined }, nodes[0]!)
    const ends = run('offer', { avoid: nodes[0]! })
    answer(nodes[1], full)
    await expect.poll(() => ends).toEqual(['NG'])
    expect(pins.memory!.find('call', undefined)).toBe(nodes[0])
  })
})

describe('a delete', () => {
  const call = { callId: 'call', viaBranch: undefined }

  it('for a node out of order is over at once, and sent when the node is back', () => {
    const { nodes, run, pins, health, deletes, state } = scene('a b')
    pins.keep(call, nodes[0]!)
    health.disable(nodes[0]!, refusal(nodes[0]!, ''))
    expect(run('delete')).toEqual(['remembered a'])
    expect([deletes.size, pins.memory!.size, state()]).toEqual([1, 0, [0, 0, 0, 0]])
    health.enable(nodes[0]!)
    deletes.flush(nodes[0]!)
    answer(nodes[0])
    expect(deletes.size).toBe(0)
  })

  it('for a node that does not answer is remembered then, and sent with its next reply', () => {
    const { nodes, run, pins, deletes, health } = scene('a b')
    pins.keep(call, nodes[0]!)
    const ends = run('delete')
    health.answered(nodes[0]!)
    nodes[0]!.transport.fail('timeout')
    expect(ends).toEqual(['remembered a'])
    nodes[0]!.transport.fail('timeout')
    expect(deletes.size).toBe(1)
    const query = run('query')
    answer(nodes[0])
    expect([query, deletes.size, nodes[0]!.transport.open.length]).toEqual([['ok a'], 0, 1])
  })

  it('that is to be answered goes on to the next node, as every other command', () => {
    const { nodes, run, pins, health } = scene('a b')
    pins.keep(call, nodes[0]!)
    health.disable(nodes[0]!, refusal(nodes[0]!, ''), 60_000)
    const ends = run('delete', { deferrable: false })
    answer(nodes[1])
    expect(ends).toEqual(['ok b'])
  })

  it('ends the call although its node knows of none', () => {
    const { nodes, run, pins } = scene('a b')
    pins.keep(call, nodes[0]!)
    const ends = run('delete')
    answer(nodes[0], { result: 'error' })
    expect([ends, pins.memory!.size]).toEqual([['NG'], 0])
  })
})

describe('half-open', () => {
  it('sends one command to a node that is due, and the others elsewhere', () => {
    const { nodes, run, health, told } = scene('a b', { halfOpen: true })
    health.disable(nodes[0]!, refusal(nodes[0]!, ''))
    const ends = [run('query', { callId: '1' }), run('query', { callId: '2' }), run('query', { callId: '3' })]
    expect(nodes.map(({ open }) => open)).toEqual([1, 2])
    answer(nodes[0])
    expect([ends[0], told.at(-1)]).toEqual([['ok a'], 'down>up a'])
  })

  it('takes the next command when one before it ends without a word', () => {
    const controller = new AbortController()
    const { nodes, run, health } = scene('a', { halfOpen: true })
    health.disable(nodes[0]!, refusal(nodes[0]!, ''))
    run('query', { signal: controller.signal })
    controller.abort()
    const large = run('query')
    nodes[0]!.transport.fail('too-large')
    const third = run('query')
    answer(nodes[0])
    expect([large, third, nodes[0]!.state]).toEqual([['TOO_LARGE'], ['ok a'], 'up'])
  })

  it('is not brought about by what was sent to the node before', () => {
    const { nodes, run, health } = scene('a b', { halfOpen: true })
    run('query', { callId: 'old' })
    health.disable(nodes[0]!, refusal(nodes[0]!, ''))
    const probe = run('query', { callId: 'new' })
    nodes[0]!.transport.fail('timeout')
    answer(nodes[0])
    expect([probe, nodes[0]!.state]).toEqual([['ok a'], 'up'])
  })

  it('pings those that would get no call: without weight, of a later tier, draining', async () => {
    const { nodes, run, health, set } = scene('a b c d', { halfOpen: true })
    const [a, weightless, later, draining] = nodes as [FakeNode, FakeNode, FakeNode, FakeNode]
    weightless.weight = 0
    later.tier = 1
    set.replace(nodes)
    for (const node of [weightless, later, draining]) health.disable(node, refusal(node, ''))
    health.setDraining(draining, true)
    const ends = run('offer')
    expect(nodes.map(({ open, transport }) => [open, transport.sent])).toEqual([
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 1],
    ])
    for (const { transport } of [weightless, later, draining]) transport.reply(pong)
    await expect.poll(() => a.open).toBe(1)
    answer(a)
    expect([ends, nodes.map(({ state }) => state)]).toEqual([['ok a'], ['up', 'up', 'up', 'draining']])
  })
})
