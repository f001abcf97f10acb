import { describe, expect, it } from 'vitest'
import type { RtpProxyNg } from '../../../src/module/client.ts'
import type { RtpProxyNgOptions } from '../../../src/module/options/options.ts'
import type { CallStore } from '../../../src/nodes/affinity/store.ts'
import { scripts } from '../../media-proxy.ts'
import { after, bye, client, deaf, errorOf, invite, proxy, type TestProxy } from '../../module/nodes/scene.ts'

/** What happens to a node in a row of the table. */
type Act = (media: RtpProxyNg, node: TestProxy) => unknown

const command: Act = (media) => media.query(bye()).catch(() => undefined)
const silent: Act = (_, node) => {
  node.script = scripts.silent
}
const answering: Act = (_, node) => {
  node.script = scripts.ok
}
const closed: Act = (_, node) => node.close()
const back: Act = async (_, node) => {
  node.script = scripts.ok
  await node.back()
}
const byHand =
  (enabled: boolean): Act =>
  (media, node) =>
    media.enable(node.url, enabled)
const drain: Act = async (media, node) => {
  // What becomes of the wait is no matter of the state.
  void media.drain(node.url).catch(() => undefined)
}
/** A command whose first send is lost. */
const lossy: Act = async (media, node) => {
  node.script = after(1)
  await media.query(bye())
}
const DEAD = { timeoutMs: 250, attempts: 2, disableMs: 60_000 }
/** Its recheck is due at once. */
const DUE = { ...DEAD, disableMs: 0 }

const EDGES: [name: string, options: RtpProxyNgOptions, acts: Act[], states: string[]][] = [
  ['up: an unanswered send, and a reply to the next', DEAD, [lossy], ['up>suspect', 'suspect>up']],
  ['up: no reply to any send', DEAD, [silent, command], ['up>suspect', 'suspect>down']],
  ['up: a closed port', DEAD, [closed, command], ['up>down']],
  ['up: an error reply', DEAD, [(_, node) => (node.script = scripts.error), command], []],
  ['up: garbage', DEAD, [(_, node) => (node.script = scripts.garbage), command], []],
  ['up: by hand, and back', DEAD, [byHand(false), byHand(true)], ['up>disabled', 'disabled>up']],
  ['up: twice by hand', DEAD, [byHand(false), byHand(false)], ['up>disabled']],
  ['up: drained, and enabled', DEAD, [drain, drain, byHand(true)], ['up>draining', 'draining>up']],
  ['down: not due, no other node', DEAD, [closed, command, back, command], ['up>down']],
  ['down: due, and it answers', DUE, [closed, command, back, command], ['up>down', 'down>up']],
  ['down: due, and still dead', DUE, [closed, command, command, command], ['up>down']],
  ['down: enabled by hand', DEAD, [closed, command, byHand(true)], ['up>down', 'down>up']],
  [
    'down: disabled by hand, never rechecked',
    DUE,
    [closed, command, byHand(false), back, command, byHand(true)],
    ['up>down', 'down>disabled', 'disabled>up'],
  ],
  [
    'draining: disabled by hand, and enabled',
    DEAD,
    [drain, byHand(false), byHand(true)],
    ['up>draining', 'draining>disabled', 'disabled>up'],
  ],
  ['disabled: drained meanwhile', DEAD, [byHand(false), drain, byHand(true)], ['up>disabled', 'disabled>up']],
  [
    'deadAfter: the third in a row',
    { ...DEAD, deadAfter: 3 },
    [silent, command, command, command],
    ['up>suspect', 'suspect>down'],
  ],
  [
    'deadAfter: a reply between begins anew',
    { ...DEAD, deadAfter: 2 },
    [silent, command, answering, command, silent, command],
    ['up>suspect', 'suspect>up', 'up>suspect'],
  ],
  ['deadAfter: a closed port needs no second', { ...DEAD, deadAfter: 3 }, [closed, command], ['up>down']],
  ['deadOn without time-outs', { ...DEAD, deadOn: ['refused'] }, [silent, command, command], ['up>suspect']],
  ['deadOn without refusals', { ...DEAD, deadOn: ['timeout'] }, [closed, command], []],
  [
    'halfOpen: one command finds it back',
    { ...DUE, halfOpen: true },
    [closed, command, back, command],
    ['up>down', 'down>up'],
  ],
  [
    'halfOpen: even an error reply is a reply',
    { ...DUE, halfOpen: true },
    [closed, command, back, (_, node) => (node.script = scripts.error), command],
    ['up>down', 'down>up'],
  ],
  [
    'halfOpen: the command fails, whatever deadOn says',
    { ...DUE, halfOpen: true, deadOn: ['refused'] },
    [closed, command, back, silent, command, command],
    ['up>down'],
  ],
]

describe('the state of a media proxy', () => {
  it.each(EDGES)('%s', async (_, options, acts, expected) => {
    const node = await proxy()
    const { media, states } = await client({ sockets: node.url, ...options })
    for (const act of acts) await act(media, node)
    expect(states.map((change) => change.split(' ')[0])).toEqual(expected)
    const state = expected.at(-1)?.split('>')[1] ?? 'up'
    const byHand = state === 'disabled'
    expect(media.show()[0]).toMatchObject({
      state,
      disabled: byHand || state === 'down',
      disabledByHand: byHand,
      open: 0,
    })
  })

  it('is draining again when it comes back from being down', async () => {
    const node = await proxy()
    const { media, states } = await client({ sockets: node.url, ...DUE })
    await media.offer(invite())
    void media.drain(node.url).catch(() => undefined)
    await node.close()
    await errorOf(media.query(bye()))
    await node.back()
    await errorOf(media.offer(invite({ callId: 'new' })))
    await media.query(bye())
    expect(states.map((change) => change.split(' ')[0])).toEqual([
      'up>draining',
      'draining>down',
      'down>draining',
    ])
  })

  it('is up while it answers others, although one command gets no reply', async () => {
    const node = await proxy((payload, cookie, request) =>
      request['call-id'] === 'large' ? [] : scripts.ok(payload, cookie, request),
    )
    const { media, states } = await client({ sockets: node.url, timeoutMs: 250, attempts: 2 })
    const large = errorOf(media.query(bye({ callId: 'large' })))
    await media.query(bye())
    expect(await large).toMatchObject({
      code: 'ERR_RTPPROXY_NO_NODE',
      cause: { code: 'ERR_RTPPROXY_TIMEOUT' },
    })
    expect(states).toEqual([])
  })

  it('is up when a ping confirms it, down when none does', async () => {
    const node = await proxy(deaf)
    const { media, states } = await client({ sockets: node.url, ...DEAD, confirmDead: true })
    await errorOf(media.query(bye()))
    await expect.poll(() => states).toEqual([`up>suspect ${node.url}`, `suspect>up ${node.url}`])
    node.script = scripts.silent
    await errorOf(media.query(bye()))
    await expect.poll(() => states.at(-1)).toBe(`suspect>down ${node.url}`)
    expect(node.pings).toBe(1 + 1 + 2)
  })

  it('is left to a ping when commands go on early', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({
      sockets: `${a.url} ${b.url}`,
      timeoutMs: 250,
      attempts: 20,
      suspectAttempts: 1,
    })
    a.script = deaf
    expect((await media.query(bye())).result).toBe('ok')
    expect([a.commands.length, b.commands.length]).toEqual([1, 1])
    await expect.poll(() => states).toEqual([`up>suspect ${a.url}`, `suspect>up ${a.url}`])
  })

  it('is told once however many commands were under way, each of which goes on', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media, states } = await client({ sockets: `${a.url} ${b.url}`, timeoutMs: 5000 })
    const downs: string[] = []
    media.on('node:down', ({ url }, reason) => downs.push(`${url} ${reason.code}`))
    a.script = deaf
    const open = Array.from({ length: 20 }, () => media.query(bye()))
    await expect.poll(() => a.commands.length).toBe(20)
    await a.close()
    await media.query(bye())
    await Promise.all(open)
    expect(downs).toEqual([`${a.url} ERR_RTPPROXY_UNREACHABLE`])
    expect(states).toEqual([`up>down ${a.url}`])
    expect(media.show().map((node) => node.open)).toEqual([0, 0])
  })

  it('follows what other SIP proxies report, and reports what it finds itself', async () => {
    const node = await proxy()
    const reports: [string, number][] = []
    let hear: (url: string, downForMs: number) => void = () => undefined
    const store: CallStore = {
      find: async () => new Map(),
      keep: async () => undefined,
      forget: async () => undefined,
      report: async (url, downForMs) => void reports.push([url, downForMs]),
      watch: async (listener) => {
        hear = listener
      },
      close: async () => undefined,
    }
    const { media, states } = await client({ sockets: [node.url, `1 == ${node.url}`], store, ...DUE })
    hear(node.url, 60_000)
    hear('udp:192.0.2.1:1', 60_000)
    expect(media.show().map(({ state }) => state)).toEqual(['down', 'down'])
    expect(await errorOf(media.query(bye()))).toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
    hear(node.url, 0)
    hear(node.url, 0)
    expect(states).toEqual(
      ['up>down', 'up>down', 'down>up', 'down>up'].map((change) => `${change} ${node.url}`),
    )
    expect(reports).toEqual([])
    await node.close()
    await errorOf(media.query(bye()))
    await node.back()
    await media.query(bye())
    expect(reports).toEqual([
      [node.url, DUE.disableMs],
      [node.url, 0],
    ])
  })

  it('may be changed by a listener, and a listener that throws stops nothing', async () => {
    const [a, b] = [await proxy(), await proxy()]
    const { media } = await client({ sockets: `${a.url} ${b.url}`, ...DEAD })
    const thrown: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => thrown.push(error))
    media.on('node:down', ({ url }) => {
      media.enable(url, false)
      throw new Error('listener')
    })
    await a.close()
    await media.query(bye())
    await expect.poll(() => thrown).toMatchObject([{ message: 'listener' }])
    for (const other of others) process.on('uncaughtException', other)
    expect(media.show()).toMatchObject([{ state: 'disabled' }, { state: 'up' }])
  })
})
