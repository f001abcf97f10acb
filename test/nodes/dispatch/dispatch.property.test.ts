import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FakeNode } from '../fakes.ts'
import { scene } from './scene.ts'

const PING = 'd7:command4:pinge'
const isPing = (node: FakeNode) => node.transport.open[0]!.datagram.toString('latin1').endsWith(PING)
const passed = () => new Promise<void>((resolve) => setImmediate(resolve))

const nodeNumber = fc.nat(2)
const step = fc.oneof(
  fc.record({
    do: fc.constant('run' as const),
    name: fc.constantFrom('offer', 'answer', 'query', 'delete'),
    callId: fc.constantFrom('1', '2', undefined),
    viaBranch: fc.constantFrom(undefined, 'x', 'y'),
    sum: fc.nat(255),
    avoid: fc.option(nodeNumber, { freq: 8 }),
  }),
  fc.record({
    do: fc.constant('reply' as const),
    node: nodeNumber,
    reply: fc.constantFrom(
      { result: 'ok' },
      { result: 'ok' },
      { result: 'error' },
      { result: 'error', reason: 'Ran out of ports' },
    ),
  }),
  fc.record({
    do: fc.constant('fail' as const),
    node: nodeNumber,
    kind: fc.constantFrom('timeout', 'refused', 'local', 'too-large'),
  }),
  fc.record({ do: fc.constant('unanswered' as const), node: nodeNumber }),
  fc.record({ do: fc.constant('abort' as const), command: fc.nat(20) }),
  fc.record({ do: fc.constant('hand' as const), node: nodeNumber, enabled: fc.boolean() }),
  fc.record({ do: fc.constant('drain' as const), node: nodeNumber, draining: fc.boolean() }),
  fc.record({ do: fc.constant('remove' as const), node: nodeNumber }),
  fc.record({ do: fc.constant('pass' as const) }),
)

/** What a pool does of itself when a node goes. */
function remove({ nodes, set, health, deletes, pins }: ReturnType<typeof scene>, node: FakeNode): void {
  if (node.removed) return
  set.replace(nodes.filter((other) => !other.removed && other !== node))
  health.removed(node)
  deletes.drop(node)
  pins.memory!.forgetNode(node)
  if (node.open === 0) void node.transport.close()
}

describe('commands', () => {
  it('each end once, and leave nothing behind, whatever happens in whatever order', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.boolean(),
      fc.constantFrom(1, 1000),
      fc.constantFrom(1, 2, 1000),
      fc.boolean(),
      async (steps, halfOpen, suspectAttempts, nodesPerCommand, redetect) => {
        const at = scene('a b c', {
          halfOpen,
          suspectAttempts,
          nodesPerCommand,
          redetect,
          idle: (node) => {
            if (node.removed) void node.transport.close()
          },
        })
        const { nodes, health, deletes, pins } = at
        const commands: { ends: string[]; controller: AbortController }[] = []
        for (const one of steps) {
          const node = nodes['node' in one ? one.node : 0]!
          const busy = node.transport.open.length > 0
          if (one.do === 'run') {
            const controller = new AbortController()
            const { name, callId, viaBranch, sum } = one
            const avoid = one.avoid === null ? undefined : nodes[one.avoid]
            commands.push({
              ends: at.run(name, { callId, viaBranch, sum, avoid, signal: controller.signal }),
              controller,
            })
          } else if (one.do === 'reply' && busy)
            node.transport.reply(isPing(node) ? { result: 'pong' } : one.reply)
          else if (one.do === 'fail' && busy) node.transport.fail(one.kind)
          else if (one.do === 'unanswered' && busy) {
            if (node.transport.open[0]!.unanswered?.(1) === false) node.transport.fail('timeout')
          } else if (one.do === 'abort') commands[one.command]?.controller.abort()
          else if (one.do === 'hand' && !node.removed) health.setByHand(node, one.enabled)
          else if (one.do === 'drain' && !node.removed) health.setDraining(node, one.draining)
          else if (one.do === 'remove') remove(at, node)
          else if (one.do === 'pass') await passed()
          expect(Math.min(...nodes.map(({ open }) => open))).toBeGreaterThanOrEqual(0)
          // The shortcut for "nothing is disabled" must agree with the nodes.
          const inUse = nodes.filter(({ removed }) => !removed)
          expect(health.due(inUse)).toEqual(inUse.filter((each) => each.isDue(health.seconds())))
        }
        for (let rounds = 0; commands.some(({ ends }) => ends.length === 0); rounds++) {
          expect(rounds).toBeLessThan(1000)
          for (const { transport } of nodes) while (transport.open.length > 0) transport.fail('timeout')
          await passed()
        }
        expect(commands.filter(({ ends }) => ends.length !== 1)).toEqual([])
        for (const { transport } of nodes) await transport.close()
        await passed()
        expect(at.state()).toEqual([0, 0, 0, 0, 0])
        expect(nodes.map(({ probing }) => probing)).toEqual([false, false, false])
        expect(nodes.filter(({ removed }) => removed).flatMap((node) => [...pins.callsOn(node)])).toEqual([])
        for (const node of nodes) remove(at, node)
        expect([deletes.size, pins.memory!.size]).toEqual([0, 0])
      },
    )
    await fc.assert(property, { numRuns: 400 })
  })

  it('to nodes that answer at once put no node out of use', async () => {
    const { nodes, run, told } = scene('a b c')
    for (let call = 0; call < 30; call++) {
      const ends = ['offer', 'answer', 'delete'].map((name) => run(name, { callId: `${call}`, sum: call }))
      for (const node of nodes) while (node.transport.open.length > 0) node.transport.reply({ result: 'ok' })
      expect(ends.map(([end]) => end?.split(' ')[0])).toEqual(['ok', 'ok', 'ok'])
    }
    expect([told]).toEqual([[]])
  })
})
