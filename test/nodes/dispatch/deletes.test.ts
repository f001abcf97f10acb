import { describe, expect, it } from 'vitest'
import { NodeError } from '../../../src/errors.ts'
import { Deletes } from '../../../src/nodes/dispatch/deletes.ts'
import { type FakeNode, healthOf, nodeOf } from '../fakes.ts'

const dead = new NodeError('ERR_RTPPROXY_TIMEOUT', 'dead', { command: 'delete', node: 'a' })
const { health } = healthOf()

function downNode(url: string): FakeNode {
  const node = nodeOf(url)
  health.disable(node, dead)
  return node
}

const datagram = (name: string | number, length = 0) => Buffer.from(String(name).padEnd(length))
const underWay = (node: FakeNode) =>
  node.transport.open.map((exchange) => exchange.datagram.toString().trim())
const done = { result: 'ok' }

describe('a delete', () => {
  it('goes at once to a node that is in use, even when none may be remembered', () => {
    const deletes = new Deletes(0)
    const node = nodeOf('a')
    deletes.add(node, datagram(1))
    expect([underWay(node), deletes.size, deletes.dropped]).toEqual([['1'], 0, 0])
  })

  it('waits for a node that is out of order, and goes there once', () => {
    const deletes = new Deletes(10)
    const node = downNode('a')
    deletes.add(node, datagram(1))
    deletes.flush(node)
    expect([node.transport.sent, deletes.size]).toEqual([0, 1])
    health.enable(node)
    deletes.flush(node)
    deletes.flush(node)
    expect([underWay(node), deletes.size]).toEqual([['1'], 0])
    node.transport.reply(done)
    deletes.flush(node)
    expect([node.transport.sent, deletes.dropped]).toEqual([1, 0])
  })

  it('goes to a node disabled by hand, which keeps its calls', () => {
    const deletes = new Deletes(10)
    const node = nodeOf('a')
    health.setByHand(node, false)
    deletes.add(node, datagram(1))
    expect(underWay(node)).toEqual(['1'])
  })

  it('waits again when the node dies on it, as often as that happens', () => {
    const deletes = new Deletes(10)
    const node = nodeOf('a')
    deletes.add(node, datagram(1))
    for (let round = 0; round < 10; round++) {
      health.disable(node, dead)
      node.transport.fail('timeout')
      expect([node.transport.open.length, deletes.size]).toEqual([0, 1])
      health.enable(node)
      deletes.flush(node)
    }
    node.transport.reply(done)
    expect([deletes.size, deletes.dropped]).toEqual([0, 0])
  })

  it('that a node leaves unanswered while it answers others is given up after three times', () => {
    const deletes = new Deletes(10)
    const node = nodeOf('a')
    deletes.add(node, datagram(1))
    for (let reply = 0; reply < 2; reply++) {
      node.transport.fail('timeout')
      expect(deletes.size).toBe(1)
      deletes.flush(node)
    }
    node.transport.fail('timeout')
    expect([node.transport.sent, deletes.size, deletes.dropped]).toEqual([3, 0, 1])
  })

  it('is not given up for a fault of this host, but at once when no datagram can take it', () => {
    const deletes = new Deletes(10)
    const node = nodeOf('a')
    deletes.add(node, datagram(1))
    for (let round = 0; round < 10; round++) {
      node.transport.fail('local')
      deletes.flush(node)
    }
    expect(deletes.dropped).toBe(0)
    node.transport.fail('too-large')
    expect([deletes.size, deletes.dropped]).toEqual([0, 1])
  })
})

describe('remembered deletes', () => {
  it('are 32 under way to a node at a time', () => {
    const deletes = new Deletes(1000)
    const node = downNode('a')
    for (let i = 0; i < 100; i++) deletes.add(node, datagram(i))
    health.enable(node)
    deletes.flush(node)
    expect([node.transport.open.length, deletes.size]).toEqual([32, 68])
    node.transport.reply(done)
    expect([node.transport.open.length, deletes.size, underWay(node).at(-1)]).toEqual([32, 67, '32'])
    while (node.transport.open.length > 0) node.transport.reply(done)
    expect([node.transport.sent, deletes.size, deletes.dropped]).toEqual([100, 0, 0])
  })

  it('are so many at most, and the oldest of the node with most go first', () => {
    const deletes = new Deletes(10)
    const [a, b] = [downNode('a'), downNode('b')]
    for (let i = 0; i < 20; i++) deletes.add(a, datagram(i))
    for (let i = 0; i < 3; i++) deletes.add(b, datagram(i))
    expect([deletes.size, deletes.dropped]).toEqual([10, 13])
    for (const node of [a, b]) {
      health.enable(node)
      deletes.flush(node)
    }
    expect([underWay(a), underWay(b)]).toEqual([
      ['13', '14', '15', '16', '17', '18', '19'],
      ['0', '1', '2'],
    ])
  })

  it('are bounded in bytes as well, whatever Call-IDs come in', () => {
    const deletes = new Deletes(100)
    const node = downNode('a')
    for (let i = 0; i < 50; i++) deletes.add(node, datagram(i, 60_000))
    expect([deletes.size, deletes.dropped]).toEqual([1, 49])
    deletes.drop(node)
    for (let i = 0; i < 100; i++) deletes.add(node, datagram(i, 1000))
    expect(deletes.size).toBe(100)
  })

  it('stay within their bounds when those under way come back', () => {
    const deletes = new Deletes(10)
    const node = nodeOf('a')
    for (let i = 0; i < 32; i++) deletes.add(node, datagram(i))
    health.disable(node, dead)
    while (node.transport.open.length > 0) node.transport.fail('timeout')
    expect([deletes.size, deletes.dropped]).toEqual([10, 22])
  })

  it('are given up with their node, and never begun for one that is gone', async () => {
    const deletes = new Deletes(100)
    const [down, up] = [downNode('down'), nodeOf('up')]
    for (let i = 0; i < 40; i++) deletes.add(up, datagram(i))
    deletes.add(down, datagram(1))
    for (const node of [down, up]) {
      health.removed(node)
      deletes.drop(node)
    }
    expect([deletes.size, deletes.dropped]).toEqual([0, 9])
    await up.transport.close()
    deletes.add(down, datagram(2))
    expect([deletes.size, deletes.dropped, down.transport.sent]).toEqual([0, 10, 0])
  })

  it('are all given up when everything is closed', () => {
    const deletes = new Deletes(100)
    for (const url of ['a', 'b']) deletes.add(downNode(url), datagram(1))
    deletes.close()
    expect([deletes.size, deletes.dropped]).toEqual([0, 2])
  })
})
