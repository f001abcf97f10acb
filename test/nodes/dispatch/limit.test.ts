import { describe, expect, it } from 'vitest'
import type { RtpProxyNgError } from '../../../src/errors.ts'
import type { Command } from '../../../src/nodes/dispatch/command.ts'
import type { FakeNode } from '../fakes.ts'
import { refusal, scene } from './scene.ts'

const full = { result: 'error', reason: 'Ran out of ports' }

/** A scene where one command goes to two nodes at most, and commands whose error is kept. */
function limited(urls: string, shared: Parameters<typeof scene>[1] = {}) {
  const made = scene(urls, { nodesPerCommand: 2, ...shared })
  const errors: RtpProxyNgError[] = []
  const run = (name: string, parts: Partial<Command> = {}): void => {
    made.run(name, { failed: (error) => errors.push(error), ...parts })
  }
  const sent = (): number[] => made.nodes.map(({ transport }) => transport.sent)
  return { ...made, run, errors, sent }
}

/** The node that has the command now. */
const busy = (nodes: readonly FakeNode[]): FakeNode => nodes.find(({ open }) => open > 0)!

describe('nodesPerCommand', () => {
  it('ends a command when so many nodes have failed it, as one for which no node is left', () => {
    const { nodes, run, errors, sent, state } = limited('a b c')
    run('query')
    busy(nodes).transport.fail('local')
    const last = busy(nodes)
    last.transport.fail('local')
    expect(errors).toMatchObject([
      {
        code: 'ERR_RTPPROXY_NO_NODE',
        command: 'query',
        node: last.url,
        message: 'query: it went to 2 of the media proxies of set 0, and that is the limit',
        cause: { code: 'ERR_RTPPROXY_UNREACHABLE', node: last.url },
      },
    ])
    expect([sent().filter((count) => count > 0), state()]).toEqual([
      [1, 1],
      [0, 0, 0, 0, 0],
    ])
  })

  it('counts nodes that are full, and tells what the last of them said', () => {
    const { nodes, run, errors, sent } = limited('a b c')
    run('offer')
    busy(nodes).transport.reply(full)
    expect(errors).toEqual([])
    busy(nodes).transport.reply(full)
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NG', reason: 'Ran out of ports' }])
    expect(sent().filter((count) => count > 0)).toEqual([1, 1])
  })

  it('counts the node that has the call, but not one that is out of order and is passed over', () => {
    const { nodes, run, errors, pins, health, sent } = limited('a b c')
    const call = { callId: 'call', viaBranch: undefined }
    pins.keep(call, nodes[0]!)
    run('answer')
    nodes[0]!.transport.fail('local')
    expect(errors).toEqual([])
    busy(nodes).transport.fail('local')
    expect([errors.length, sent()[0]]).toEqual([1, 1])
    health.disable(nodes[0]!, refusal(nodes[0]!, ''), 60_000)
    run('answer')
    for (const node of [nodes[1]!, nodes[2]!]) {
      expect(errors).toHaveLength(1)
      node.transport.fail('local')
    }
    expect(errors).toHaveLength(2)
  })

  it('counts the command that finds out whether a node is back', () => {
    const { nodes, run, errors, health, sent } = limited('a b c', { halfOpen: true })
    health.disable(nodes[0]!, refusal(nodes[0]!, ''), 0)
    run('query')
    expect(nodes[0]!.open).toBe(1)
    nodes[0]!.transport.fail('local')
    busy(nodes).transport.fail('local')
    expect([errors.length, sent().filter((count) => count > 0).length]).toEqual([1, 2])
  })

  it('does not count pings, nor the node that is to be avoided', async () => {
    const { nodes, run, errors, health } = limited('a b c d')
    for (const node of [nodes[2]!, nodes[3]!]) health.disable(node, refusal(node, ''), 0)
    run('offer', { avoid: nodes[0]! })
    for (const node of [nodes[2]!, nodes[3]!]) node.transport.fail('timeout')
    await expect.poll(() => nodes[1]!.open).toBe(1)
    nodes[1]!.transport.fail('local')
    expect(errors).toEqual([])
    nodes[2]!.transport.reply({ result: 'pong' })
    nodes[3]!.transport.fail('timeout')
    await expect.poll(() => nodes[2]!.open).toBe(1)
    nodes[2]!.transport.fail('local')
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NO_NODE' }])
  })

  it('lets a delete that nobody waits for be remembered all the same', () => {
    const { nodes, run, errors, pins, deletes } = limited('a b', { nodesPerCommand: 1 })
    pins.keep({ callId: 'call', viaBranch: undefined }, nodes[0]!)
    run('delete')
    nodes[0]!.transport.fail('timeout')
    expect([errors, deletes.size]).toEqual([[], 1])
  })
})

describe('redetect false', () => {
  it('fails a command at once when no node is left, without a ping', async () => {
    const { nodes, run, errors, health, sent } = limited('a b', { redetect: false })
    for (const node of nodes) health.disable(node, refusal(node, ''), 60_000)
    run('query')
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NO_NODE' }])
    expect(sent()).toEqual([0, 0])
  })

  it('still has those pinged whose time has come', async () => {
    const { nodes, run, health } = limited('a b', { redetect: false })
    for (const node of nodes) health.disable(node, refusal(node, ''), 0)
    run('query')
    nodes[1]!.transport.reply({ result: 'pong' })
    await expect.poll(() => nodes[1]!.open).toBe(1)
  })
})
