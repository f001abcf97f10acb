import { decode } from '../../../src/core/bencode.ts'
import { NgError, type RtpProxyNgError } from '../../../src/errors.ts'
import { TimerWheel } from '../../../src/network/requests/timer-wheel.ts'
import { Pins } from '../../../src/nodes/affinity/pins.ts'
import { choose } from '../../../src/nodes/balancing.ts'
import type { Command, Exchanges } from '../../../src/nodes/dispatch/command.ts'
import { Deletes } from '../../../src/nodes/dispatch/deletes.ts'
import { Dispatch } from '../../../src/nodes/dispatch/dispatch.ts'
import { Load } from '../../../src/nodes/dispatch/load.ts'
import type { Node } from '../../../src/nodes/node.ts'
import { NodeSet } from '../../../src/nodes/set.ts'
import { healthOf, nodeOf } from '../fakes.ts'

/** A set of nodes, and commands to it whose ends are noted. */
export function scene(urls: string, shared: Partial<Exchanges> = {}) {
  const nodes = urls.split(' ').map((url) => nodeOf(url))
  const { health, told } = healthOf({ disableMs: 0 })
  const idle: string[] = []
  const pins = new Pins(
    {
      affinity: { limit: 100, lifetimeMs: 60_000 },
      store: undefined,
      storeWaitMs: 50,
      tokenKey: undefined,
      tokenMs: 60_000,
      node: (url) => nodes.find((node) => node.url === url),
      urls: () => nodes.map(({ url }) => url),
      released: () => undefined,
    },
    { storeDown: () => undefined, storeUp: () => undefined },
  )
  const exchanges: Exchanges = {
    health,
    pins,
    deletes: new Deletes(100),
    load: new Load(100, 100),
    wheel: new TimerWheel(),
    suspectAttempts: 1000,
    halfOpen: false,
    redetect: true,
    nodesPerCommand: 1000,
    failsOver: () => false,
    idle: ({ url }) => idle.push(url),
    ...shared,
  }
  const set = new NodeSet(0, nodes, { choose: choose('checksum'), seconds: health.seconds })
  const run = (name: string, parts: Partial<Command> = {}) => {
    const ends: string[] = []
    const command: Command = {
      name,
      datagram: Buffer.from('datagram'),
      set,
      sum: 0,
      callId: 'call',
      viaBranch: undefined,
      token: undefined,
      signal: undefined,
      deadlineMs: 0,
      avoid: undefined,
      only: undefined,
      isLeg: false,
      deferrable: name === 'delete',
      replied: (node, bytes, offset) => {
        const reply = decode(bytes.subarray(offset), 'utf8') as { result: string; reason?: string }
        if (reply.result === 'error') return refusal(node, reply.reason)
        ends.push(`${reply.result} ${node.url}`)
        return undefined
      },
      remembered: (node) => ends.push(`remembered ${node.url}`),
      failed: (error: RtpProxyNgError) => ends.push(error.code.replace('ERR_RTPPROXY_', '')),
      ...parts,
    }
    exchanges.load.enter(name)
    new Dispatch(command, exchanges).start()
    return ends
  }
  const state = () => [exchanges.load.open, exchanges.wheel.size, ...nodes.map((node) => node.open)]
  return { nodes, health, told, idle, pins, exchanges, deletes: exchanges.deletes, run, state, set }
}

export function refusal(node: Node, reason: string | undefined): NgError {
  return new NgError('ERR_RTPPROXY_NG', 'refused', { command: 'offer', node: node.url, reason })
}
