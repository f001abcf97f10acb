import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BoundedResolver, type NameResolver, type ServiceRecord } from '../../src/network/names.ts'
import { parseSockets, parseUrl, type SetDefinition } from '../../src/nodes/grammar.ts'
import {
  type ExpandedSet,
  expandNames,
  NameExpander,
  type NameMode,
  NameWatch,
} from '../../src/nodes/names.ts'
import { DnsServer } from '../dns-server.ts'

/** A resolver that answers from lists a test may change. */
function book() {
  const hosts: Record<string, string[]> = {}
  const services: Record<string, ServiceRecord[]> = {}
  const questions: string[] = []
  const look = async <T>(names: Record<string, T[]>, name: string): Promise<T[]> => {
    questions.push(name)
    return names[name] ?? Promise.reject(new Error(`no ${name}`))
  }
  const resolver: NameResolver = new BoundedResolver({
    addresses: (host) => look(hosts, host),
    services: (name) => look(services, name),
  })
  return { hosts, services, questions, resolver }
}

const record = (host: string, port: number, priority = 0, weight = 0) => ({ host, port, priority, weight })

/** What the tests look at: `set: [url weight tier]`. */
const brief = (sets: readonly ExpandedSet[]) =>
  sets.map(({ id, nodes }) => [id, nodes.map(({ url, weight, tier }) => `${url} ${weight} ${tier}`)])

async function expanded(sockets: string[], mode: NameMode, resolver: NameResolver) {
  return brief(await expandNames(parseSockets(sockets), mode, resolver))
}

describe('names in a real name server', () => {
  const server = new DnsServer()
  afterEach(() => server.close())

  it('become nodes, by address and by service', async () => {
    await server.listen()
    server.host('media.example.com', '192.0.2.9', '192.0.2.1', '2001:db8::1')
    server.host('backup.example.com', '198.51.100.1')
    server.service('_ng._udp.example.com', 'media.example.com', 2224, 10, 5)
    server.service('_ng._udp.example.com', 'backup.example.com', 2225, 20, 0)
    server.service('_gone._udp.example.com', '.', 1)
    const sockets = [
      'udp:media.example.com:2223=3 udp6:media.example.com',
      '1 == udp:_ng._udp.example.com udp:_gone._udp.example.com',
    ]
    expect(await expanded(sockets, 'srv', server.resolver())).toEqual([
      [0, ['udp:192.0.2.1:2223 3 0', 'udp:192.0.2.9:2223 3 0', 'udp6:[2001:db8::1]:22222 1 0']],
      [
        1,
        [
          'udp:192.0.2.1:2224 5 0',
          'udp:192.0.2.9:2224 5 0',
          'udp:198.51.100.1:2225 1 1',
          'udp:_gone._udp.example.com 1 0',
        ],
      ],
    ])
  })
})

describe('expanding', () => {
  it('`first` asks nobody and leaves every node as it is', async () => {
    const { resolver, questions } = book()
    const definitions = parseSockets(['udp:a:1=2 udp:a:1', '3 == unix:/run/ng udp6:b'])
    const sets = await expandNames(definitions, 'first', resolver)
    expect(sets).toEqual(
      definitions.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map((node) => ({ ...node, tier: 0, origin: node.url })),
      })),
    )
    expect(questions).toEqual([])
  })

  it('`all` makes a node of every address, in one order however the answers are shuffled', async () => {
    const { resolver, hosts } = book()
    hosts.a = ['192.0.2.2', '192.0.2.1', '192.0.2.3']
    const one = await expandNames(parseSockets(['UDP:a:7=4']), 'all', resolver)
    expect(one[0]!.nodes[1]).toEqual({
      url: 'udp:192.0.2.2:7',
      origin: 'UDP:a:7',
      index: 1,
      weight: 4,
      tier: 0,
      address: { transport: 'udp', family: 4, host: '192.0.2.2', port: 7 },
    })
    hosts.a.reverse()
    expect(await expandNames(parseSockets(['UDP:a:7=4']), 'all', resolver)).toEqual(one)
  })

  it('leaves IP addresses and UNIX paths as they are written', async () => {
    const { resolver, questions } = book()
    const sockets = ['udp:192.0.2.1 unix:/run/ng udp6:[::1]:5=0']
    expect(await expanded(sockets, 'srv', resolver)).toEqual([
      [0, ['udp:192.0.2.1 1 0', 'unix:/run/ng 1 0', 'udp6:[::1]:5 0 0']],
    ])
    expect(questions).toEqual([])
  })

  it('counts nodes anew in the order they were written, over sets that are written in turns', async () => {
    const { resolver, hosts } = book()
    hosts.a = ['192.0.2.1', '192.0.2.2']
    hosts.b = ['192.0.2.3', '192.0.2.4']
    const sets = await expandNames(parseSockets(['udp:a', '7 == udp:b', 'udp:c']), 'all', resolver)
    expect(sets.map(({ id, nodes }) => [id, nodes.map(({ index }) => index)])).toEqual([
      [0, [0, 1, 4]],
      [7, [2, 3]],
    ])
  })

  it('leaves one node of those at the same address in a set, the first, and those of other sets alone', async () => {
    const { resolver, hosts, services } = book()
    hosts.a = ['192.0.2.1', '192.0.2.2']
    hosts.b = ['192.0.2.2', '192.0.2.3']
    services._s = [record('b', 1, 0, 9), record('b', 1, 5, 5)]
    expect(
      await expanded(['udp:a:1=2 udp:b:1=3 udp:192.0.2.3:1 udp:b:2 udp:_s', '1 == udp:b:1'], 'srv', resolver),
    ).toEqual([
      [
        0,
        [
          'udp:192.0.2.1:1 2 0',
          'udp:192.0.2.2:1 2 0',
          'udp:192.0.2.3:1 3 0',
          'udp:192.0.2.2:2 1 0',
          'udp:192.0.2.3:2 1 0',
        ],
      ],
      [1, ['udp:192.0.2.2:1 1 0', 'udp:192.0.2.3:1 1 0']],
    ])
  })

  it('takes port, weight and tier from the records of a service, only in mode `srv`', async () => {
    const { resolver, hosts, services } = book()
    hosts.a = ['192.0.2.1']
    hosts.b = ['192.0.2.2']
    hosts.c = ['192.0.2.3']
    services['_ng._udp.x'] = [
      record('c', 3, 500, 0),
      record('b', 2, 500, 7),
      record('a', 1, 30, 0),
      record('b', 9, 30, 0),
      record('a', 0, 1, 1),
    ]
    // 0 stays 0 beside others of its priority, and is 1 where all are 0.
    expect(await expanded(['udp:_ng._udp.x:77=5'], 'srv', resolver)).toEqual([
      [0, ['udp:192.0.2.1:1 1 0', 'udp:192.0.2.2:9 1 0', 'udp:192.0.2.2:2 7 1', 'udp:192.0.2.3:3 0 1']],
    ])
    expect(await expanded(['udp:_ng._udp.x:77=5'], 'all', resolver)).toEqual([[0, ['udp:_ng._udp.x:77 5 0']]])
  })

  it('counts the tiers of a service from the one its definition has', async () => {
    const { resolver, hosts, services } = book()
    hosts.a = ['192.0.2.1']
    services._s = [record('a', 1, 10), record('a', 2, 20)]
    const [{ id, nodes }] = parseSockets(['udp:_s udp:a:3']) as [SetDefinition]
    const sets = await expandNames(
      [{ id, nodes: nodes.map((node) => ({ ...node, tier: 4 })) }],
      'srv',
      resolver,
    )
    expect(sets[0]!.nodes.map(({ tier }) => tier)).toEqual([4, 5, 4])
  })

  it('makes no more than 256 nodes of a name', async () => {
    const { resolver, hosts, services, questions } = book()
    hosts.a = Array.from({ length: 4000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    const [set] = await expandNames(parseSockets(['udp:a']), 'all', resolver)
    expect(set!.nodes).toHaveLength(256)
    services._s = Array.from({ length: 4000 }, (_, i) => record(`a${i}`, 1))
    for (const { host } of services._s) hosts[host] = hosts.a.slice(0, 2)
    questions.length = 0
    const [service] = await expandNames(parseSockets(['udp:_s']), 'srv', resolver)
    expect(service!.nodes.length).toBeLessThanOrEqual(256)
    expect(questions.length).toBeLessThanOrEqual(257)
  })

  it('gives URLs that lead to the same address when they are read again, whatever is answered', async () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    await fc.assert(
      fc.asyncProperty(fc.array(address, { maxLength: 6 }), fc.constantFrom(4, 6), async (found, family) => {
        const addresses = found.filter((one) => one.includes(':') === (family === 6))
        const resolver = { addresses: async () => addresses, services: async () => [] }
        const scheme = family === 4 ? 'udp' : 'udp6'
        const [set] = await expandNames(parseSockets([`${scheme}:a:9`]), 'all', resolver)
        expect(set!.nodes).toHaveLength(Math.max(1, new Set(addresses).size))
        for (const [index, node] of set!.nodes.entries()) {
          expect(parseUrl(node.url)).toEqual(node.address)
          expect(node.index).toBe(index)
        }
      }),
    )
  })
})

describe('a name that does not resolve', () => {
  it('stays as written as long as it never did, then leads where it led last, and is reported each time', async () => {
    const { resolver, hosts } = book()
    const failed = vi.fn()
    const expander = new NameExpander('all', resolver, failed)
    const definitions = parseSockets(['udp:a:1=2 udp:b:1'])
    hosts.b = ['192.0.2.9']
    expect(brief(await expander.expand(definitions))).toEqual([[0, ['udp:a:1 2 0', 'udp:192.0.2.9:1 1 0']]])
    expect(failed.mock.lastCall![0]).toMatchObject({
      code: 'ERR_RTPPROXY_UNREACHABLE',
      node: 'udp:a:1',
      cause: new Error('no a'),
    })
    hosts.a = ['192.0.2.1', '192.0.2.2']
    const known = await expander.expand(definitions)
    expect(known[0]!.nodes).toHaveLength(3)
    expect(failed).toHaveBeenCalledTimes(1)
    delete hosts.a
    delete hosts.b
    expect(await expander.expand(definitions)).toEqual(known)
    expect(await expander.expand(definitions)).toEqual(known)
    expect(failed).toHaveBeenCalledTimes(5)
  })

  it('may be a service or one of its targets; the others follow their own answers', async () => {
    const { resolver, hosts, services } = book()
    const failed = vi.fn()
    const expander = new NameExpander('srv', resolver, failed)
    const definitions = parseSockets(['udp:_s'])
    services._s = [record('a', 1), record('b', 2), record('never', 3)]
    hosts.a = ['192.0.2.1']
    hosts.b = ['192.0.2.2']
    expect(brief(await expander.expand(definitions))).toEqual([
      [0, ['udp:192.0.2.1:1 1 0', 'udp:192.0.2.2:2 1 0']],
    ])
    delete services._s
    delete hosts.a
    hosts.b = ['192.0.2.3']
    expect(brief(await expander.expand(definitions))).toEqual([
      [0, ['udp:192.0.2.1:1 1 0', 'udp:192.0.2.3:2 1 0']],
    ])
    expect(failed.mock.lastCall![0]).toMatchObject({ node: 'udp:_s' })
  })

  it('is forgotten once nothing leads to it any more', async () => {
    const { resolver, hosts, services } = book()
    const expander = new NameExpander('srv', resolver, () => undefined)
    const definitions = parseSockets(['udp:_s'])
    hosts.a = ['192.0.2.1']
    hosts.b = ['192.0.2.2']
    services._s = [record('a', 1)]
    await expander.expand(definitions)
    services._s = [record('b', 1)]
    await expander.expand(definitions)
    services._s = [record('a', 1)]
    delete hosts.a
    expect(brief(await expander.expand(definitions))).toEqual([[0, ['udp:_s 1 0']]])
  })
})

describe('watching names', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  const watches: NameWatch[] = []
  afterEach(() => {
    for (const watch of watches.splice(0)) watch.close()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  function watch(sockets: string, resolver: NameResolver, mode: NameMode = 'all', intervalMs = 30_000) {
    const changed = vi.fn<(sets: ExpandedSet[]) => void>()
    const failed = vi.fn<(error: unknown) => void>()
    const refresh = vi.fn<() => void>()
    const definitions = parseSockets([sockets])
    const one = new NameWatch({ definitions, mode, resolver, intervalMs, changed, failed, refresh })
    watches.push(one)
    return { watch: one, changed, failed, refresh }
  }

  it('tells of the first answers and of every other one after that, not of the same in another order', async () => {
    const { resolver, hosts } = book()
    hosts.a = ['192.0.2.1', '192.0.2.2']
    const { watch: one, changed, failed } = watch('udp:a:1', resolver)
    await one.start()
    expect(brief(changed.mock.lastCall![0])).toEqual([[0, ['udp:192.0.2.1:1 1 0', 'udp:192.0.2.2:1 1 0']]])
    hosts.a.reverse()
    await vi.advanceTimersByTimeAsync(33_000)
    expect(changed).toHaveBeenCalledTimes(1)
    hosts.a.pop()
    await vi.advanceTimersByTimeAsync(33_000)
    expect(brief(changed.mock.lastCall![0])).toEqual([[0, ['udp:192.0.2.2:1 1 0']]])
    delete hosts.a
    await vi.advanceTimersByTimeAsync(33_000)
    expect([changed.mock.calls.length, failed.mock.calls.length]).toEqual([2, 1])
  })

  it('tells of nothing when the names never led anywhere', async () => {
    const { watch: one, changed, failed, refresh } = watch('udp:a:1 unix:/x', book().resolver)
    await one.start()
    expect([changed, failed, refresh].map((each) => each.mock.calls.length)).toEqual([0, 1, 0])
  })

  it.each([
    [0, 27_000],
    [0.5, 30_000],
    [1, 33_000],
  ])('waits its interval, give or take a tenth (chance %d: %d ms)', async (chance, delayMs) => {
    const { resolver, questions } = book()
    vi.spyOn(Math, 'random').mockReturnValue(chance)
    const { watch: one } = watch('udp:a:1', resolver)
    await one.start()
    await vi.advanceTimersByTimeAsync(delayMs - 1)
    expect(questions).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(questions).toHaveLength(2)
  })

  it('waits no longer than a timer can, and without an interval until it is asked to', async () => {
    const { resolver, questions } = book()
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await watch('udp:a:1', resolver, 'all', 0x7fff_ffff).watch.start()
    expect(timers.mock.lastCall![1]).toBe(0x7fff_ffff)
    const { watch: idle } = watch('udp:b:1', resolver, 'all', 0)
    await idle.start()
    await vi.advanceTimersByTimeAsync(100_000)
    await idle.check()
    expect(questions).toEqual(['a', 'b', 'b'])
  })

  it('checks at once when asked to, but once a second at most, and all who ask share a check', async () => {
    const { resolver, questions } = book()
    const { watch: one } = watch('udp:a:1', resolver)
    await one.start()
    await vi.advanceTimersByTimeAsync(400)
    const checks = Promise.all([one.check(), one.check(), one.check()])
    await vi.advanceTimersByTimeAsync(599)
    expect(questions).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    await checks
    expect(questions).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(5000)
    await one.check()
    expect(questions).toHaveLength(3)
    expect(vi.getTimerCount()).toBe(1)
  })

  it('calls `refresh` at each check when there is nothing to expand', async () => {
    const { resolver, questions } = book()
    const { watch: one, changed, refresh } = watch('udp:a:1', resolver, 'first')
    await one.start()
    // The clock's check comes within 33 seconds, and the rest behind it takes one more.
    await vi.advanceTimersByTimeAsync(34_000)
    await one.check()
    expect([refresh.mock.calls.length, changed.mock.calls.length, questions.length]).toEqual([3, 0, 0])
  })

  it('goes on after an observer threw: whoever asked is told, or `failed` if nobody did', async () => {
    const { resolver, hosts } = book()
    hosts.a = ['192.0.2.1']
    const { watch: one, changed, failed } = watch('udp:a:1', resolver)
    const cause = new Error('observer')
    changed.mockImplementationOnce(() => {
      throw cause
    })
    await expect(one.start()).rejects.toBe(cause)
    changed.mockImplementationOnce(() => {
      throw cause
    })
    await vi.advanceTimersByTimeAsync(33_000)
    expect(failed.mock.calls).toEqual([[cause]])
    await vi.advanceTimersByTimeAsync(33_000)
    expect(changed).toHaveBeenCalledTimes(3)
  })

  it('closed in the middle of a look-up or of its rest says nothing more and leaves no timer', async () => {
    let answer: (found: string[]) => void = () => expect.unreachable()
    const addresses = () =>
      new Promise<string[]>((resolve) => {
        answer = resolve
      })
    const { watch: one, changed, failed } = watch('udp:a:1', { addresses, services: addresses as never })
    const looking = one.start()
    one.close()
    answer(['192.0.2.1'])
    await looking
    await one.check()
    const { resolver, questions } = book()
    const { watch: other, failed: otherFailed } = watch('udp:b:1', resolver)
    await other.start()
    const resting = other.check()
    other.close()
    await resting
    expect(questions).toHaveLength(1)
    expect([changed, failed, otherFailed].map((each) => each.mock.calls.length)).toEqual([0, 0, 1])
    expect(vi.getTimerCount()).toBe(0)
  })
})
