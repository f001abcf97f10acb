import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IntervalPings } from '../../../src/nodes/health/interval.ts'
import { type FakeNode, healthOf, nodeOf } from '../fakes.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  // In the middle of the jitter.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function pinging(...nodes: FakeNode[]) {
  const { health } = healthOf({ disableMs: 0 })
  const pings = new IntervalPings(health, 1000, () => nodes)
  pings.start()
  return { health, pings }
}

async function intervals(count: number, node: FakeNode): Promise<void> {
  for (let i = 0; i < count; i++) {
    await vi.advanceTimersByTimeAsync(1000)
    if (node.transport.open.length > 0) node.transport.reply({ result: 'pong' })
    await vi.advanceTimersByTimeAsync(0)
  }
}

describe('pings at intervals', () => {
  it('go to a silent node in every interval but the one in which it answered the ping at the start', async () => {
    const node = nodeOf('a')
    const { health } = pinging(node)
    health.answered(node)
    await intervals(5, node)
    expect(node.transport.sent).toBe(4)
  })

  it('go in the first one to a node that has never answered anything', async () => {
    const node = nodeOf('a')
    pinging(node)
    await intervals(5, node)
    expect(node.transport.sent).toBe(5)
  })

  it('do not go to one that answers commands', async () => {
    const node = nodeOf('a')
    const { health } = pinging(node)
    for (let i = 0; i < 5; i++) {
      health.answered(node)
      await intervals(1, node)
    }
    expect(node.transport.sent).toBe(0)
    await intervals(1, node)
    expect(node.transport.sent).toBe(1)
  })

  it('bring back one that is due, and leave alone one that is disabled by hand', async () => {
    const [a, b] = [nodeOf('a'), nodeOf('b')]
    const { health } = pinging(a, b)
    health.disable(a, new Error('dead') as never)
    health.setByHand(b, false)
    await intervals(3, a)
    expect([a.state, b.state, b.transport.sent]).toEqual(['up', 'disabled', 0])
  })

  it('end with all timers', async () => {
    const node = nodeOf('a')
    const { pings } = pinging(node)
    expect(vi.getTimerCount()).toBe(1)
    pings.stop()
    expect(vi.getTimerCount()).toBe(0)
    new IntervalPings(healthOf().health, 0, () => [node]).start()
    expect(vi.getTimerCount()).toBe(0)
  })
})
