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
const remember = (limit = 100, released?: (node: Proxy) => void) =>
  new CallMemory<Proxy>({ limit, lifetimeMs: 1000, now, released })

describe('the memory of calls', () => {
  it('knows the node of a branch, and for any other branch that of the branch used last', () => {
    const memory = remember()
    memory.keep('call', '1', a)
    memory.keep('call', '2', b)
    expect(['1', '2', '3', undefined].map((branch) => memory.find('call', branch))).toEqual([a, b, b, b])
    memory.find('call', '1')
    expect([memory.find('call', undefined), memory.find('other', '1')]).toEqual([a, undefined])
    expect(memory.nodesOf('call')).toEqual([a, b])
  })

  it('takes each leg for a call of its own', () => {
    const memory = remember()
    memory.keep('call', 'x\n1', a)
    memory.keep('call', 'x\n2', b)
    expect(['\n1', 'y\n1', '\n2', undefined].map((branch) => memory.find('call', branch))).toEqual([
      a,
      a,
      b,
      b,
    ])
    expect([memory.nodesOf('call', '\n1'), memory.nodesOf('call')]).toEqual([[a], [b, a]])
    expect(memory.forget('call', 'y\n1')).toEqual([])
    expect(memory.forget('call', '\n1')).toEqual(['x\n1'])
    expect([memory.size, memory.find('call', 'x\n2')]).toEqual([1, b])
  })

  it('holds no branch apart from branches with a name', () => {
    const memory = remember()
    memory.keep('call', undefined, a)
    memory.keep('call', '1', b)
    expect([memory.find('call', undefined), memory.find('call', '1'), memory.size]).toEqual([a, b, 2])
  })

  it('names each node of a call once, the one used last first, and does not count that as a use', () => {
    const memory = remember()
    for (const [branch, node] of [
      ['1', a],
      ['2', b],
      ['3', a],
      ['4', c],
    ] as const) {
      memory.keep('call', branch, node)
    }
    expect([memory.nodesOf('call'), memory.nodesOf('other')]).toEqual([[c, a, b], []])
    vi.advanceTimersByTime(600)
    memory.nodesOf('call')
    vi.advanceTimersByTime(600)
    expect(memory.nodesOf('call')).toEqual([])
  })

  it('moves a branch that another node has now', () => {
    const released: Proxy[] = []
    const memory = remember(100, (node) => released.push(node))
    memory.keep('call', '1', a)
    memory.keep('call', '1', b)
    expect([memory.find('call', '1'), memory.countOn(a), memory.countOn(b), memory.size]).toEqual([
      b,
      0,
      1,
      1,
    ])
    expect(released).toEqual([a])
  })

  it('forgets one branch, or the whole call', () => {
    const memory = remember()
    for (const branch of ['1', '2', '3']) memory.keep('call', branch, a)
    memory.keep('other', '1', b)
    memory.forget('call', '2')
    memory.forget('call', 'unknown')
    expect([memory.size, memory.countOn(a)]).toEqual([3, 2])
    memory.forget('call', undefined)
    memory.forget('call', undefined)
    expect([memory.size, memory.countOn(a), memory.find('call', '1'), memory.find('other', '1')]).toEqual([
      1,
      0,
      undefined,
      b,
    ])
  })

  it('forgets what was used longest ago when it is full', () => {
    const memory = remember(2)
    memory.keep('1', undefined, a)
    memory.keep('2', undefined, a)
    memory.find('1', undefined)
    memory.keep('3', undefined, a)
    expect(['1', '2', '3'].map((call) => memory.find(call, undefined))).toEqual([a, undefined, a])
  })

  it('lets nobody fill the memory of the process with long Call-IDs, and keeps the newest however long', () => {
    const memory = remember(10)
    for (const call of ['1', '2', '3']) memory.keep(call, undefined, a)
    memory.keep('x'.repeat(2000), 'y'.repeat(500), b)
    expect(memory.size).toBe(4)
    memory.keep('x'.repeat(60_000), undefined, c)
    expect([memory.size, memory.countOn(c)]).toEqual([1, 1])
    memory.keep('1', undefined, a)
    expect([memory.size, memory.countOn(c)]).toEqual([1, 0])
  })

  it('holds 64 branches of a call, those used last', () => {
    const memory = remember(1000)
    for (let branch = 0; branch < 500; branch++) memory.keep('call', String(branch), branch === 436 ? b : a)
    expect([memory.size, memory.find('call', '436'), memory.find('call', '435')]).toEqual([64, b, b])
    memory.keep('call', 'new', a)
    expect([memory.size, memory.countOn(b)]).toEqual([64, 1])
  })

  it('takes any string as a Call-ID', () => {
    const memory = remember()
    const calls = ['__proto__', 'constructor', '', '\u0000', 'ä', '\u4e2d\ud83d\ude00', '\ud800', '\ud801']
    for (const call of calls) memory.keep(call, call, { name: call })
    expect(calls.map((call) => memory.find(call, call)?.name)).toEqual(calls)
    expect([...memory.callsOn(memory.find('\ud800', undefined)!)]).toEqual([
      { callId: '\ud800', viaBranch: '\ud800' },
    ])
  })
})

describe('the lifetime of calls in memory', () => {
  it('begins anew with every use, and ends exactly, whether a timer ran or not', () => {
    let time = 0
    const memory = new CallMemory<Proxy>({ limit: 10, lifetimeMs: 1000, now: () => time })
    memory.keep('call', '1', a)
    memory.keep('kept', '1', a)
    time = 999
    expect(memory.find('call', 'unknown')).toBe(a)
    time = 1000
    expect([memory.find('kept', '1'), memory.size, memory.countOn(a)]).toEqual([undefined, 1, 1])
    time = 1998.5
    expect(memory.nodesOf('call')).toEqual([a])
    time = 1999
    expect([memory.find('call', '1'), memory.nodesOf('call'), [...memory.callsOn(a)]]).toEqual([
      undefined,
      [],
      [],
    ])
    memory.close()
  })

  it('ends by one timer, which tells of what the nodes lost, and none is left when nothing is', () => {
    const released: Proxy[] = []
    const memory = remember(100, (node) => released.push(node))
    expect(vi.getTimerCount()).toBe(0)
    memory.keep('1', undefined, a)
    vi.advanceTimersByTime(600)
    memory.keep('2', undefined, b)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(400)
    expect([released, vi.getTimerCount()]).toEqual([[a], 1])
    vi.advanceTimersByTime(600)
    expect([released, vi.getTimerCount()]).toEqual([[a, b], 0])
  })

  it('leaves no timer once all is forgotten, or it is closed', () => {
    const memory = remember()
    memory.keep('1', undefined, a)
    memory.forget('1', undefined)
    expect(vi.getTimerCount()).toBe(0)
    memory.keep('1', undefined, a)
    memory.close()
    expect([vi.getTimerCount(), memory.size, memory.countOn(a)]).toEqual([0, 0, 0])
  })

  it('may be longer than a timer can wait', () => {
    const memory = new CallMemory<Proxy>({ limit: 10, lifetimeMs: 2 ** 40, now })
    memory.keep('1', undefined, a)
    vi.advanceTimersByTime(2 ** 32)
    expect([memory.find('1', undefined), vi.getTimerCount()]).toEqual([a, 1])
    memory.close()
  })
})

describe('the calls of a node', () => {
  it('come one by one, and only those still there when their turn comes', () => {
    const memory = remember()
    for (const call of ['1', '2', '3', '4', '5']) memory.keep(call, 'x', call === '3' ? b : a)
    const calls = memory.callsOn(a)
    expect(calls.next().value).toEqual({ callId: '1', viaBranch: 'x' })
    memory.forget('2', undefined)
    memory.keep('4', 'x', b)
    expect([...calls]).toEqual([{ callId: '5', viaBranch: 'x' }])
  })

  it('leave out what expired during the iteration', () => {
    const memory = remember()
    memory.keep('1', undefined, a)
    memory.keep('2', undefined, a)
    const calls = memory.callsOn(a)
    calls.next()
    vi.setSystemTime(now() + 1000)
    expect([...calls]).toEqual([])
  })

  it('come to an end although each is forgotten and kept again, or answered with a new one', () => {
    const memory = remember(1000)
    for (let call = 0; call < 100; call++) memory.keep(String(call), undefined, a)
    const seen = new Set<string>()
    let steps = 0
    for (const { callId, viaBranch } of memory.callsOn(a)) {
      seen.add(callId)
      memory.forget(callId, viaBranch)
      memory.keep(callId, viaBranch, a)
      memory.keep(`new ${++steps}`, undefined, a)
    }
    expect([steps, seen.size, memory.countOn(a)]).toEqual([100, 100, 200])
  })

  it('can all be forgotten at once', () => {
    const released: Proxy[] = []
    const memory = remember(100, (node) => released.push(node))
    for (const [call, node] of [
      ['1', a],
      ['2', b],
      ['3', a],
    ] as const)
      memory.keep(call, undefined, node)
    memory.forgetNode(a)
    expect([memory.size, memory.countOn(a), memory.countOn(b)]).toEqual([1, 0, 1])
    expect(released).toEqual([a, a])
    memory.forgetNode(b)
    expect([memory.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('are gone from the count when their release is told', () => {
    const counts: number[] = []
    const memory: CallMemory<Proxy> = remember(100, (node) => counts.push(memory.countOn(node)))
    for (const call of ['1', '2', '3']) memory.keep(call, undefined, a)
    memory.forgetNode(a)
    expect(counts).toEqual([2, 1, 0])
  })
})

describe('the release of calls', () => {
  it('may be answered by counting, although thousands expire at once', () => {
    const counts: number[] = []
    const memory: CallMemory<Proxy> = remember(50_000, (node) => counts.push(memory.countOn(node)))
    for (let call = 0; call < 50_000; call++) memory.keep(String(call), undefined, a)
    vi.setSystemTime(now() + 1000)
    expect(memory.find('1', undefined)).toBeUndefined()
    expect([counts.length, counts[0], counts.at(-1), memory.size]).toEqual([50_000, 49_999, 0, 0])
  })

  it('may be answered by counting while time goes on and the rest of the call expires', () => {
    let time = 0
    const counts: number[] = []
    const memory: CallMemory<Proxy> = new CallMemory({
      limit: 10,
      lifetimeMs: 1000,
      now: () => time,
      released: (node) => {
        time = 1500
        counts.push(memory.countOn(node))
      },
    })
    for (const branch of ['1', '2', '3']) memory.keep('call', branch, a)
    memory.keep('other', '1', b)
    time = 999
    memory.find('other', undefined)
    memory.forget('call', undefined)
    expect([memory.size, memory.countOn(a), memory.countOn(b), counts.at(-1)]).toEqual([1, 0, 1, 0])
    expect(counts).toHaveLength(3)
    memory.close()
  })

  it('that fails does not keep others from expiring', () => {
    let fails = true
    const memory = remember(10, () => {
      if (fails) throw new Error('released')
    })
    memory.keep('1', undefined, a)
    memory.keep('2', undefined, a)
    vi.setSystemTime(now() + 1000)
    expect(() => memory.size).toThrow('released')
    fails = false
    expect(memory.size).toBe(0)
  })
})
