import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { NgClient } from '../../src/ng/client.ts'
import { type CallCarrier, MediaCall } from '../../src/session/call.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`
const refused = { code: 'ERR_RTPPROXY_NOT_APPLICABLE' }

let engine: FakeRtpEngine
let client: NgClient
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  client = new NgClient(engine.urls[0]!)
})
afterEach(async () => {
  await client.close()
  await engine.close()
})

/** What was sent, one line a command: its name, and the keys that are asked for. */
const sent = (...keys: string[]) =>
  engine.commands
    .filter(({ command, repeated }) => command !== 'ping' && !repeated)
    .map(({ command, parameters }) =>
      [command, ...keys.map((key) => [parameters[key] ?? '-'].flat().join())].join(' '),
    )
const callOf = (more: object = {}) => new MediaCall(client, { callId: 'one', callerTag: 'alice', ...more })

describe('a call', () => {
  it('is offered, answered, changed by either side and ended, with the tags where they belong', async () => {
    const call = callOf({ toCallee: { ICE: 'remove' }, toCaller: { ICE: 'force' } })
    const branch = call.branch()
    expect([branch.state, branch.calleeTag]).toEqual(['new', undefined])
    expect(await branch.offer('alice', sdpOf(4000))).toMatch(/^m=audio (?!4000)/m)
    expect(branch.state).toBe('offered')
    // A 183 and the 200.
    for (let i = 0; i < 2; i++) expect(await branch.answer('bob', sdpOf(4100))).toMatch(/^m=audio (?!4100)/m)
    expect([branch.state, branch.calleeTag]).toEqual(['agreed', 'bob'])
    await branch.offer('bob', sdpOf(4200), { 'record call': 'yes' })
    await branch.answer('alice', sdpOf(4000))
    await call.end()
    expect([branch.state, call.branches]).toEqual(['over', []])
    expect(sent('from-tag', 'to-tag', 'ice', 'record-call')).toEqual([
      'offer alice - remove -',
      'answer alice bob force -',
      'answer alice bob force -',
      'offer bob alice force yes',
      'answer bob alice remove -',
      'delete - - - -',
    ])
    expect(engine.calls).toHaveLength(0)
  })

  it('without SDP in its INVITE is offered by the callee', async () => {
    const branch = callOf().branch()
    await branch.offer('bob', sdpOf(4100))
    await branch.answer('alice', sdpOf(4000))
    expect(sent('from-tag', 'to-tag')).toEqual(['offer bob alice', 'answer bob alice'])
  })

  it('goes on after a restart, or in another process, from its tags', async () => {
    const before = callOf().branch('z9hG4bK1')
    await before.offer('alice', sdpOf(4000))
    await before.answer('bob', sdpOf(4100))
    const call = callOf()
    const branch = call.branch('z9hG4bK1', 'bob')
    await branch.offer('alice', sdpOf(4200))
    await branch.answer('bob', sdpOf(4100))
    await call.end()
    expect(sent('from-tag', 'to-tag', 'via-branch').slice(2)).toEqual([
      'offer alice bob z9hG4bK1',
      'answer alice bob z9hG4bK1',
      'delete - - -',
    ])
    expect(engine.calls).toHaveLength(0)
  })

  it('takes no answer that nobody waits for, and no offer while the other party’s waits', async () => {
    const branch = callOf().branch()
    await expect(branch.answer('bob', sdpOf(4100))).rejects.toMatchObject(refused)
    const offer = branch.offer('alice', sdpOf(4000))
    // At once: SIP does not wait for the media proxy.
    await expect(branch.offer('bob', sdpOf(4100))).rejects.toMatchObject({
      ...refused,
      message: 'offer: the offer of alice waits for its answer',
    })
    await offer
    await expect(branch.answer('alice', sdpOf(4000))).rejects.toMatchObject(refused)
    // The same party may offer again, as when its INVITE was lost on the way.
    await branch.offer('alice', sdpOf(4000))
    await branch.answer('bob', sdpOf(4100))
    expect(sent()).toEqual(['offer', 'offer', 'answer'])
  })

  it('is as it was when the media proxy refuses', async () => {
    const branch = callOf().branch()
    engine.script('offer', { error: 'Ran out of ports' }, { times: 1 })
    await expect(branch.offer('alice', sdpOf(4000))).rejects.toMatchObject({ reason: 'Ran out of ports' })
    expect(branch.state).toBe('new')
    await branch.offer('alice', sdpOf(4000))
    engine.script('answer', { error: 'no' }, { times: 1 })
    await expect(branch.answer('bob', sdpOf(4100))).rejects.toMatchObject({ reason: 'no' })
    expect([branch.state, branch.calleeTag]).toEqual(['offered', undefined])
    await branch.answer('carol', sdpOf(4100))
    engine.script('offer', { reply: { result: 'ok' } }, { times: 1 })
    await expect(branch.offer('carol', sdpOf(4100))).rejects.toMatchObject({ code: 'ERR_RTPPROXY_REPLY' })
    expect([branch.state, branch.calleeTag]).toEqual(['agreed', 'carol'])
  })

  it('goes by what was agreed before when a re-INVITE is refused', async () => {
    const branch = callOf().branch()
    expect(await branch.restore()).toBeUndefined()
    await branch.offer('alice', sdpOf(4000))
    const forAlice = await branch.answer('bob', sdpOf(4100))
    await branch.offer('bob', sdpOf(4200))
    const restored = await branch.restore()
    expect(restored).toMatchObject({ offererTag: 'alice', answererTag: 'bob', sdpForOfferer: forAlice })
    expect(branch.state).toBe('agreed')
    expect(sent('from-tag', 'to-tag').slice(3)).toEqual(['offer alice bob', 'answer alice bob'])
    await branch.offer('alice', sdpOf(4000))
  })

  it('is over once, behind what is under way, and takes nothing more', async () => {
    const call = callOf()
    const branch = call.branch()
    engine.freeze()
    const offer = branch.offer('alice', sdpOf(4000))
    const ends = [call.end(), call.end(), branch.end()]
    await expect(branch.offer('alice', sdpOf(4000))).rejects.toMatchObject(refused)
    await expect(branch.restore()).rejects.toMatchObject(refused)
    expect(() => call.branch('z9hG4bKnew')).toThrow(expect.objectContaining(refused))
    engine.thaw()
    await Promise.all([offer, ...ends])
    expect(sent('call-id').filter((line) => line.startsWith('delete'))).toEqual(['delete one'])
    expect(engine.calls).toHaveLength(0)
  })

  it.each([
    [{ callerTag: 'a' }, 'callId'],
    [{ callId: 'c', callerTag: '' }, 'callerTag'],
    [undefined, 'callId'],
  ])('is not made of %j', (options, option) => {
    expect(() => new MediaCall(client, options as never)).toThrow(expect.objectContaining({ option }))
    expect(() => new MediaCall({} as never, { callId: 'c', callerTag: 'a' })).toThrow(
      expect.objectContaining({ option: 'carrier' }),
    )
  })
})

describe('a forked call', () => {
  it('has branches that end by themselves, whatever rtpengine knows of them', async () => {
    const call = callOf()
    const [desk, mobile, silent] = ['z9hG4bKdesk', 'z9hG4bKmobile', 'z9hG4bKsilent'].map((name) =>
      call.branch(name),
    )
    for (const branch of [desk, mobile]) await branch!.offer('alice', sdpOf(4000))
    await desk!.answer('bob', sdpOf(4100))
    await mobile!.end()
    // Never offered, and ended already: with the caller's tag rtpengine would end all of the call.
    await silent!.end()
    await call.branch('z9hG4bKmobile').end()
    expect(call.branches).toEqual([desk])
    expect(engine.calls).toHaveLength(1)
    await desk!.offer('bob', sdpOf(4200))
    await desk!.answer('alice', sdpOf(4000))
    await desk!.end()
    expect(engine.calls).toHaveLength(0)
    expect(sent('via-branch').slice(-3)).toEqual([
      'offer z9hG4bKdesk',
      'answer z9hG4bKdesk',
      'delete z9hG4bKdesk',
    ])
  })

  it('gives one branch for one name, and refuses one without, whose end would be that of all', () => {
    const forked = callOf()
    expect(forked.branch('a')).toBe(forked.branch('a'))
    expect(() => forked.branch()).toThrow(expect.objectContaining(refused))
    const simple = callOf()
    expect(simple.branch()).toBe(simple.branch())
    expect(() => simple.branch('a')).toThrow(expect.objectContaining(refused))
  })

  it('can be tried elsewhere when its first branch is over', async () => {
    const call = callOf()
    await call.branch('a').offer('alice', sdpOf(4000))
    await call.branch('a').end()
    expect(engine.calls).toHaveLength(0)
    const second = call.branch('b')
    await second.offer('alice', sdpOf(4000))
    expect([await second.answer('bob', sdpOf(4100)), call.branches]).toEqual([
      expect.stringContaining('m=audio'),
      [second],
    ])
  })
})

describe('a call through a set of media proxies', () => {
  it('stays where it is, leaves nothing behind, and is set up again elsewhere when that dies', async () => {
    await using other = new FakeRtpEngine()
    await other.start()
    await using media = new RtpProxyNg({
      sockets: `3 == ${engine.urls[0]} ${other.urls[0]}`,
      timeoutMs: 100,
      attempts: 1,
    })
    await media.start()
    const call = new MediaCall(media, { callId: 'one', callerTag: 'alice', options: { set: 3 } })
    const branch = call.branch('z9hG4bK1')
    await branch.offer('alice', sdpOf(4000))
    await branch.answer('bob', sdpOf(4100))
    const [from, to] = media.nodeOf('one') === engine.urls[0] ? [engine, other] : [other, engine]
    await from.stop()
    const moved = await branch.restore()
    expect([media.nodeOf('one'), to.calls.length]).toEqual([to.urls[0], 1])
    expect(moved?.sdpForAnswerer).toMatch(/^m=audio/m)
    await call.end()
    expect([to.calls.length, media.counters.calls]).toEqual([0, 0])
    await from.start()
  })

  it('needs nothing but a `command`', async () => {
    const commands: string[] = []
    const carrier: CallCarrier = {
      command: async (name) => {
        commands.push(name)
        return { sdp: 'v=0' }
      },
    }
    const call = new MediaCall(carrier, { callId: 'one', callerTag: 'alice' })
    await call.branch().offer('alice', sdpOf(4000))
    await call.end()
    expect(commands).toEqual(['offer', 'delete'])
  })
})
