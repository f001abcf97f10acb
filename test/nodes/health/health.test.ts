import { describe, expect, it, vi } from 'vitest'
import { NodeError } from '../../../src/errors.ts'
import type { ExchangeFailure } from '../../../src/network/transport.ts'
import { healthOf, nodeOf } from '../fakes.ts'

const reason = new NodeError('ERR_RTPPROXY_TIMEOUT', 'silent', { command: 'query', node: 'a' })
const fresh = { answers: 0, early: false, probe: false }
const failure = (kind: ExchangeFailure['kind']): ExchangeFailure => ({ kind })

describe('a failed command', () => {
  it.each([
    ['timeout', ['up>suspect a', 'down a', 'suspect>down a']],
    ['refused', ['down a', 'up>down a']],
    ['unreachable', ['down a', 'up>down a']],
    ['local', []],
    ['too-large', []],
    ['closed', []],
  ] as const)('of kind %s says of its node what it can', (kind, expected) => {
    const { health, told } = healthOf()
    const node = nodeOf('a')
    health.failed(node, failure(kind), reason, fresh)
    expect(told).toEqual(expected)
    health.failed(node, failure(kind), reason, fresh)
    expect(told).toEqual(expected)
    expect(health.due([node])).toEqual([])
  })

  it('counts for nothing when the node has answered since it was sent', () => {
    const { health, told } = healthOf()
    const node = nodeOf('a')
    health.answered(node)
    health.failed(node, failure('timeout'), reason, fresh)
    health.failed(node, failure('timeout'), reason, { ...fresh, early: true })
    expect([told, node.transport.sent]).toEqual([[], 0])
  })

  it('that was the probe of a node leaves it out of use, but for a fault of this host', () => {
    const { health, told } = healthOf({ disableMs: 0 })
    const node = nodeOf('a')
    health.disable(node, reason)
    const before = node.recheckAt
    health.failed(node, failure('local'), reason, { ...fresh, probe: true })
    expect(node.recheckAt).toBe(before)
    health.failed(node, failure('timeout'), reason, { ...fresh, probe: true })
    expect(node.recheckAt).toBeGreaterThan(before)
    expect(told).toEqual(['down a', 'up>down a'])
  })

  it('sent before the node was found out of order does not put its recheck off', () => {
    const { health } = healthOf()
    const node = nodeOf('a')
    health.failed(node, failure('timeout'), reason, fresh)
    const { recheckAt } = node
    health.failed(node, failure('timeout'), reason, fresh)
    expect([node.recheckAt, node.unanswered]).toEqual([recheckAt, 0])
  })
})

describe('a ping', () => {
  const pong = { result: 'pong' }

  it.each([
    ['pong', pong, []],
    ['another reply', { result: 'ok' }, ['down a', 'up>down a']],
    ['an error', { result: 'error' }, ['down a', 'up>down a']],
  ])('answered with %s', async (_, reply, expected) => {
    const { health, told } = healthOf()
    const node = nodeOf('a')
    const [first, second] = [health.ping(node), health.ping(node)]
    expect(node.transport.sent).toBe(1)
    node.transport.reply(reply)
    await Promise.all([first, second])
    expect(told).toEqual(expected)
  })

  it.each([
    ['timeout', ['down a', 'up>down a']],
    ['refused', ['down a', 'up>down a']],
    ['local', []],
    ['closed', []],
  ] as const)('that fails as %s', async (kind, expected) => {
    const { health, told } = healthOf()
    const node = nodeOf('a')
    const ping = health.ping(node)
    node.transport.fail(kind)
    await ping
    expect(told).toEqual(expected)
  })

  it('of a node that answers others meanwhile does no harm by getting lost', async () => {
    const { health, told } = healthOf()
    const node = nodeOf('a')
    const ping = health.ping(node)
    health.answered(node)
    node.transport.fail('timeout')
    await ping
    expect(told).toEqual([])
  })

  it('brings a node back, but none that was disabled by hand meanwhile', async () => {
    const { health, told } = healthOf()
    const nodes = [nodeOf('a'), nodeOf('b')]
    for (const node of nodes) health.disable(node, reason)
    const pings = nodes.map((node) => health.ping(node))
    health.setByHand(nodes[1]!, false)
    told.length = 0
    for (const node of nodes) node.transport.reply(pong)
    await Promise.all(pings)
    expect(told).toEqual(['up a', 'down>up a'])
  })

  it('of a node that is no longer configured tells nobody', async () => {
    const { health, told } = healthOf({ disableMs: 0 })
    const [a, b] = [nodeOf('a'), nodeOf('b')]
    health.disable(b, reason)
    told.length = 0
    const pings = [health.ping(a), health.ping(b)]
    health.removed(a)
    health.removed(b)
    a.transport.fail('timeout')
    b.transport.reply(pong)
    await Promise.all(pings)
    expect([told, health.due([a, b])]).toEqual([[], []])
  })
})

describe('the nodes that are due', () => {
  it('are those out of order whose time has come, whichever way each got there', () => {
    const { health } = healthOf({ disableMs: 0 })
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((url) => nodeOf(url)) as [FakeOf, FakeOf, FakeOf, FakeOf]
    const all = [a, b, c, d]
    for (const node of all) health.disable(node, reason)
    health.disable(a, reason)
    health.setByHand(b, false)
    health.setByHand(b, false)
    health.disable(c, reason, 60_000)
    expect(health.due(all)).toEqual([a, d])
    health.removed(d)
    health.setByHand(b, true)
    health.enable(a)
    health.enable(a)
    expect(health.due(all.slice(0, 3))).toEqual([])
    health.enable(c)
    health.disable(a, reason)
    expect(health.due(all.slice(0, 3))).toEqual([a])
    health.setByHand(a, false)
    health.removed(a)
    health.disable(b, reason)
    expect(health.due([b, c])).toEqual([b])
  })

  it('hold a choice up for a moment only when others can be chosen, and leave no timer', async () => {
    vi.useFakeTimers()
    try {
      const { health } = healthOf({ disableMs: 0 })
      const [dead, alive] = [nodeOf('dead'), nodeOf('alive')]
      health.disable(dead, reason)
      const choice = health.recheck([dead], [dead, alive])
      await vi.advanceTimersByTimeAsync(100)
      await choice
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('are waited for until the first is back when no other can be chosen', async () => {
    const { health } = healthOf({ disableMs: 0 })
    const nodes = [nodeOf('a'), nodeOf('b')]
    for (const node of nodes) health.disable(node, reason)
    const choice = health.recheck(nodes, nodes)
    nodes[1]!.transport.reply({ result: 'pong' })
    await choice
    expect(nodes.map((node) => node.state)).toEqual(['down', 'up'])
    const again = health.recheck([nodes[0]!], [nodes[0]!])
    nodes[0]!.transport.fail('timeout')
    await again
    expect(nodes[0]!.state).toBe('down')
  })
})

type FakeOf = ReturnType<typeof nodeOf>
