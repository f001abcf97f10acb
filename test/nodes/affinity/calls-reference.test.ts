import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CallMemory } from '../../../src/nodes/affinity/calls.ts'

interface Proxy {
  readonly name: string
}
const [a, b, c]: readonly [Proxy, Proxy, Proxy] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const now = () => Date.now()
const remember = (limit: number, released: (node: Proxy) => void) =>
  new CallMemory<Proxy>({ limit, lifetimeMs: 1000, now, released })

/** The leg behind a branch: `1` of `x\n1`. */
const legOf = (viaBranch: string | undefined): string => viaBranch?.split('\n')[1] ?? ''

/** The same in a plain list, the one used last first. */
class Reference {
  entries: { callId: string; viaBranch: string | undefined; node: Proxy; used: number }[] = []
  released: string[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  expire(time: number): void {
    this.#drop((entry) => entry.used + 1000 <= time)
  }

  find(callId: string, viaBranch: string | undefined, time: number): Proxy | undefined {
    const ofCall = this.entries.filter((entry) => entry.callId === callId)
    const ofLeg = ofCall.filter(
      (entry) => legOf(viaBranch) !== '' && legOf(entry.viaBranch) === legOf(viaBranch),
    )
    const found = ofCall.find((entry) => entry.viaBranch === viaBranch) ?? ofLeg[0] ?? ofCall[0]
    if (found !== undefined) this.#toFront(found, time)
    return found?.node
  }

  keep(callId: string, viaBranch: string | undefined, node: Proxy, time: number): void {
    const known = this.entries.find((entry) => entry.callId === callId && entry.viaBranch === viaBranch)
    const before = known?.node
    this.#toFront(Object.assign(known ?? { callId, viaBranch, used: 0 }, { node }), time)
    if (before !== undefined && before !== node) this.released.push(before.name)
    this.#drop((_, index) => index >= this.#limit)
  }

  forget(callId: string, viaBranch: string | undefined): void {
    const ofWhole = (branch: string | undefined) =>
      viaBranch?.startsWith('\n') === true && legOf(branch) === legOf(viaBranch)
    const isGone = (branch: string | undefined) =>
      viaBranch === undefined || branch === viaBranch || ofWhole(branch)
    this.#drop((entry) => entry.callId === callId && isGone(entry.viaBranch))
  }

  forgetNode(node: Proxy): void {
    this.#drop((entry) => entry.node === node)
  }

  #toFront(entry: (typeof this.entries)[number], time: number): void {
    entry.used = time
    this.entries = [entry, ...this.entries.filter((other) => other !== entry)]
  }

  #drop(gone: (entry: (typeof this.entries)[number], index: number) => boolean): void {
    this.released.push(...this.entries.filter(gone).map((entry) => entry.node.name))
    this.entries = this.entries.filter((entry, index) => !gone(entry, index))
  }
}

describe('the memory of calls, whatever happens to it', () => {
  it('answers as a plain list does', () => {
    const call = fc.constantFrom('1', '2', '3', '__proto__')
    const branch = fc.constantFrom(undefined, 'x', 'y', 'z', '\n1', 'x\n1', '\n2', 'x\n2', 'y\n2')
    const node = fc.constantFrom(a, b, c)
    const step = fc.oneof(
      fc.tuple(fc.constant('keep' as const), call, branch, node, fc.nat(300)),
      fc.tuple(fc.constantFrom('find' as const, 'forget' as const), call, branch, node, fc.nat(300)),
      fc.tuple(fc.constant('forgetNode' as const), call, branch, node, fc.nat(300)),
    )
    const steps = fc.array(step, { maxLength: 200, size: 'max' })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, limit) => {
        const reference = new Reference(limit)
        const released: string[] = []
        const memory = remember(limit, ({ name }) => released.push(name))
        let time = now()
        for (const [what, callId, viaBranch, proxy, pause] of all) {
          time += pause
          vi.setSystemTime(time)
          reference.expire(time)
          if (what === 'keep') {
            memory.keep(callId, viaBranch, proxy)
            reference.keep(callId, viaBranch, proxy, time)
          } else if (what === 'find') {
            expect(memory.find(callId, viaBranch)).toBe(reference.find(callId, viaBranch, time))
          } else if (what === 'forget') {
            memory.forget(callId, viaBranch)
            reference.forget(callId, viaBranch)
          } else {
            memory.forgetNode(proxy)
            reference.forgetNode(proxy)
          }
          const ofCall = reference.entries.filter((entry) => entry.callId === callId)
          expect(memory.nodesOf(callId)).toEqual([...new Set(ofCall.map((entry) => entry.node))])
          const onNode = reference.entries.filter((entry) => entry.node === proxy)
          const text = (key: { callId: string; viaBranch: string | undefined }) =>
            `${key.callId} ${key.viaBranch}`
          expect([...memory.callsOn(proxy)].map(text).sort()).toEqual(onNode.map(text).sort())
          expect([memory.size, memory.countOn(proxy)]).toEqual([reference.entries.length, onNode.length])
          expect(vi.getTimerCount()).toBe(memory.size > 0 ? 1 : 0)
        }
        expect(released.sort()).toEqual(reference.released.sort())
        memory.close()
      }),
    )
  })
})

describe('the size of the memory of calls', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const calls = 100_000
  const messageOf = (call: number) =>
    `INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: ${String(call).padStart(32, 'f')}@192.0.2.1000\r\n${'X-Padding: 0123456789\r\n'.repeat(40)}`
  /** A slice of a message, as an application's parser may hand it out. */
  const callIdOf = (call: number) => messageOf(call).slice(45, 90)

  it('stays under 200 bytes a call, also when old calls have made room for new ones', () => {
    expect(callIdOf(1)).toMatch(/^f{31}1@192\.0\.2\.1000$/)
    // What the engine keeps of code that runs for the first time is no part of the calls.
    const first = new CallMemory<Proxy>({ limit: calls / 10, lifetimeMs: 1e9 })
    for (let call = 0; call < calls; call++) first.keep(callIdOf(call), undefined, a)
    first.close()
    const before = used()
    const memory = new CallMemory<Proxy>({ limit: calls, lifetimeMs: 1e9 })
    for (let call = 0; call < calls; call++) memory.keep(callIdOf(call), undefined, a)
    const full = (used() - before) / calls
    for (let call = calls; call < 2.5 * calls; call++) memory.keep(callIdOf(call), undefined, a)
    const churned = (used() - before) / calls
    expect(memory.size).toBe(calls)
    expect(full).toBeLessThan(175)
    expect(churned).toBeLessThanOrEqual(200)
    memory.close()
    expect((used() - before) / calls).toBeLessThan(20)
  })
})
