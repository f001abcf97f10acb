import { describe, expect, it } from 'vitest'
import { Drains } from '../../src/nodes/drains.ts'
import { nodeOf } from './fakes.ts'

function draining(calls: number) {
  const count = { calls }
  const node = nodeOf('a', { calls: () => count.calls })
  const drains = new Drains()
  const ends: string[] = []
  const wait = () =>
    drains.wait(node).then(
      () => ends.push('empty'),
      (error: Error & { code: string }) => ends.push(`${error.code} ${error.message}`),
    )
  return { count, node, drains, ends, wait }
}

describe('the wait for a draining node', () => {
  it('ends when it has neither calls nor commands', async () => {
    const { count, node, drains, ends, wait } = draining(1)
    node.open = 1
    const waits = [wait(), wait()]
    drains.check(node)
    count.calls = 0
    drains.check(node)
    await Promise.resolve()
    expect(ends).toEqual([])
    node.open = 0
    drains.check(nodeOf('b'))
    drains.check(node)
    await Promise.all(waits)
    expect(ends).toEqual(['empty', 'empty'])
  })

  it('ends at once when there is nothing to wait for', async () => {
    const { ends, wait } = draining(0)
    await wait()
    expect(ends).toEqual(['empty'])
  })

  it('fails when the node is cancelled or all is closed, once', async () => {
    const { node, drains, ends, wait } = draining(1)
    const first = wait()
    drains.cancel(node, 'was enabled again')
    drains.cancel(node, 'twice')
    const second = wait()
    drains.close()
    await Promise.all([first, second])
    expect(ends).toEqual([
      'ERR_RTPPROXY_ABORTED drain: media proxy a was enabled again',
      'ERR_RTPPROXY_ABORTED drain: media proxy a was closed',
    ])
  })

  it('does not take the calls of a node that goes for ended', async () => {
    const { count, node, drains, ends, wait } = draining(1)
    const waiting = wait()
    node.removed = true
    count.calls = 0
    drains.check(node)
    drains.cancel(node, 'is gone')
    await waiting
    expect(ends).toEqual(['ERR_RTPPROXY_ABORTED drain: media proxy a is gone'])
  })
})
