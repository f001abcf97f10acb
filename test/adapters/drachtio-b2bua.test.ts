import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type B2buaMedia, type B2buaOptions, b2buaMedia } from '../../src/adapters/drachtio/index.ts'
import { portIn, Scene, sdpOf } from './drachtio-scene.ts'

// The package's own classes on a stand-in for its server: what goes in and out are SIP messages.
let scene: Scene
let errors: unknown[]
let call: B2buaMedia | undefined
beforeEach(async () => {
  scene = await Scene.set()
  errors = []
})
afterEach(() => scene[Symbol.asyncDispose]())

/** An application that calls Bob; what becomes of the set-up. */
function application(options: B2buaOptions = {}, targets = ['sip:bob@192.0.2.9']): Promise<string> {
  return new Promise((resolve) => {
    scene.srf.invite(async (req, res) => {
      call = undefined
      try {
        call = await b2buaMedia(scene.media, req, { onError: (error) => errors.push(error), ...options })
        for (const target of targets)
          try {
            call.attach(await scene.srf.createB2BUA(req, res, target, { ...call, passFailure: false }))
            return resolve('set up')
          } catch (error) {
            if (res.finalResponseSent || target === targets.at(-1)) throw error
          }
      } catch (error) {
        await call?.release()
        if (!res.finalResponseSent)
          res.send((error as { code?: string }).code === 'ERR_RTPPROXY_ABORTED' ? 487 : 503)
        resolve(String((error as { code?: string }).code ?? (error as Error).message))
      }
    })
  })
}

const commands = () =>
  scene.engine.commands
    .filter(({ command }) => command !== 'ping')
    .map(({ command, parameters }) => [command, parameters['from-tag'], parameters['to-tag']])

/** Alice has called Bob, and both have the other's SDP. */
async function setUp(options: B2buaOptions = {}): Promise<void> {
  const done = application(options)
  await expect.poll(() => scene.server.routes).toContain('invite')
  scene.fromAlice('INVITE', sdpOf(4000), '')
  scene.bobAnswers(await scene.next(/^INVITE sip:bob@/), '200 OK', sdpOf(5000))
  await scene.next(/^SIP\/2\.0 200 /)
  scene.fromAlice('ACK')
  expect(await done).toBe('set up')
}

describe('a B2BUA on drachtio-srf, setting up a call', () => {
  it('without SDP in the INVITE offers what the callee says, and answers with what the ACK says', async () => {
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', undefined, '')
    const invite = await scene.next(/^INVITE sip:bob@/)
    expect(invite.text).not.toContain('m=audio')
    scene.bobAnswers(invite, '200 OK', sdpOf(5000))
    const ok = await scene.next(/^SIP\/2\.0 200 /)
    scene.fromAlice('ACK', sdpOf(4000))
    const ack = await scene.next(/^ACK /)
    expect(await done).toBe('set up')
    expect(commands()).toEqual([
      ['offer', 'bob', 'alice'],
      ['answer', 'bob', 'alice'],
    ])
    const { ports } = scene.engine.calls[0]!
    expect(ports).toContain(portIn(ok.text))
    expect(ports).toContain(portIn(ack.text))
    expect(scene.engine.commands.at(-1)!.parameters['received-from']).toEqual(['IP4', '192.0.2.1'])
  })

  it('answers early media, and the final SDP of another phone of the callee', async () => {
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    const invite = await scene.next(/^INVITE sip:bob@/)
    scene.bobAnswers(invite, '183 Session Progress', sdpOf(5000), 'bob1')
    const early = await scene.next(/^SIP\/2\.0 183 /)
    expect(portIn(early.text)).not.toBe(5000)
    scene.bobAnswers(invite, '200 OK', sdpOf(5002), 'bob2')
    expect(portIn((await scene.next(/^SIP\/2\.0 200 /)).text)).not.toBe(5002)
    scene.fromAlice('ACK')
    expect(await done).toBe('set up')
    scene.fromBob('INVITE', sdpOf(5004))
    await scene.next(/^INVITE /)
    expect(commands()).toEqual([
      ['offer', 'alice', undefined],
      ['answer', 'alice', 'bob1'],
      ['answer', 'alice', 'bob2'],
      ['offer', 'bob2', 'alice'],
    ])
  })

  it('goes on to another target with the same offer', async () => {
    const done = application({}, ['sip:bob@192.0.2.9', 'sip:carol@192.0.2.9'])
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    const first = await scene.next(/^INVITE sip:bob@/)
    scene.bobAnswers(first, '183 Session Progress', sdpOf(5000))
    await scene.next(/^SIP\/2\.0 183 /)
    scene.bobAnswers(first, '486 Busy Here')
    const second = await scene.next(/^INVITE sip:carol@/)
    expect(portIn(second.text)).toBe(portIn(first.text))
    scene.bobAnswers(second, '200 OK', sdpOf(6000), 'carol')
    await scene.next(/^SIP\/2\.0 200 /)
    scene.fromAlice('ACK')
    expect(await done).toBe('set up')
    expect(commands().at(-1)).toEqual(['answer', 'alice', 'carol'])
  })

  it('calls nobody when the caller cancels while the media proxy thinks', async () => {
    scene.engine.script('offer', { silent: 'after' })
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    await scene.engine.received('offer')
    scene.fromAlice('CANCEL')
    expect(await done).toBe('ERR_RTPPROXY_ABORTED')
    await scene.next(/^SIP\/2\.0 487 /)
    expect(scene.server.sent.filter(({ text }) => text.startsWith('INVITE'))).toEqual([])
    await expect.poll(() => scene.engine.calls).toEqual([])
  })

  it('ends the media when the caller cancels while it rings', async () => {
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    const invite = await scene.next(/^INVITE sip:bob@/)
    scene.bobAnswers(invite, '180 Ringing')
    await scene.next(/^SIP\/2\.0 180 /)
    scene.fromAlice('CANCEL')
    await scene.next(/^CANCEL /)
    scene.bobAnswers(invite, '487 Request Terminated')
    await done
    await expect.poll(() => scene.engine.calls).toEqual([])
  })

  it('survives a media proxy that refuses the SDP of a provisional response, and hangs up if there is no other', async () => {
    scene.engine.script('answer', { error: 'no' })
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    const invite = await scene.next(/^INVITE sip:bob@/)
    scene.bobAnswers(invite, '183 Session Progress', sdpOf(5000))
    expect((await scene.next(/^SIP\/2\.0 183 /)).text).not.toContain('m=audio')
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NG' }])
    scene.bobAnswers(invite, '200 OK', sdpOf(5000))
    expect(await done).toBe('set up')
    await scene.next(/^BYE /)
    await scene.next(/^BYE /)
    await expect.poll(() => scene.engine.calls).toEqual([])
  })

  it('ends the callee when the media proxy refuses the SDP of the final response', async () => {
    scene.engine.script('answer', { error: 'no' })
    const done = application()
    await expect.poll(() => scene.server.routes).toContain('invite')
    scene.fromAlice('INVITE', sdpOf(4000), '')
    scene.bobAnswers(await scene.next(/^INVITE sip:bob@/), '200 OK', sdpOf(5000))
    await scene.next(/^BYE /)
    expect(await done).toBe('ERR_RTPPROXY_NG')
    await expect.poll(() => scene.engine.calls).toEqual([])
  })
})

describe('a B2BUA on drachtio-srf, in a call', () => {
  it.each(['INVITE', 'UPDATE'])(
    'carries the SDP of an %s over, of either side, and the answer back',
    async (method) => {
      await setUp()
      scene.fromAlice(method, sdpOf(4002))
      const toBob = await scene.next(new RegExp(`^${method} `))
      expect(toBob.dialogId).toBe('d2')
      scene.bobAnswers(toBob, '200 OK', sdpOf(5002))
      const toAlice = await scene.next(/^SIP\/2\.0 200 /)
      scene.fromBob(method, sdpOf(5004))
      const offered = await scene.next(new RegExp(`^${method} `))
      expect(offered.dialogId).toBe('d1')
      scene.aliceAnswers(offered, '200 OK', sdpOf(4004))
      const answered = await scene.next(/^SIP\/2\.0 200 /)
      const { ports } = scene.engine.calls[0]!
      for (const { text } of [toBob, toAlice, offered, answered]) expect(ports).toContain(portIn(text))
      expect(commands().slice(2)).toEqual([
        ['offer', 'alice', 'bob'],
        ['answer', 'alice', 'bob'],
        ['offer', 'bob', 'alice'],
        ['answer', 'bob', 'alice'],
      ])
    },
  )

  it('asks of the media proxy what fits the side that the SDP goes to', async () => {
    await setUp({
      offer: { rtpengineFlags: 'RTP/SAVPF ICE=force' },
      answer: { rtpengineFlags: 'RTP/AVP ICE=remove' },
    })
    scene.fromBob('INVITE', sdpOf(5002))
    scene.aliceAnswers(await scene.next(/^INVITE /), '200 OK', sdpOf(4002))
    await scene.next(/^SIP\/2\.0 200 /)
    expect(scene.engine.commands.slice(-4).map(({ parameters }) => parameters.ice)).toEqual([
      'force',
      'remove',
      'remove',
      'force',
    ])
  })

  it('asks the other side for an offer when a re-INVITE has none, and takes the answer out of the ACK', async () => {
    await setUp()
    scene.fromAlice('INVITE')
    const toBob = await scene.next(/^INVITE /)
    expect(toBob.text).not.toContain('m=audio')
    scene.bobAnswers(toBob, '200 OK', sdpOf(5002))
    const ok = await scene.next(/^SIP\/2\.0 200 /)
    scene.fromAlice('ACK', sdpOf(4002))
    const ack = await scene.next(/^ACK /)
    const { ports } = scene.engine.calls[0]!
    expect(ports).toContain(portIn(ok.text))
    expect(ports).toContain(portIn(ack.text))
    expect(commands().slice(2)).toEqual([
      ['offer', 'bob', 'alice'],
      ['answer', 'bob', 'alice'],
    ])
  })

  it('hangs up on both when the ACK that owes an answer does not come', async () => {
    await setUp()
    scene.fromAlice('INVITE')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      scene.bobAnswers(await scene.next(/^INVITE /), '200 OK', sdpOf(5002))
      await scene.next(/^SIP\/2\.0 200 /)
      vi.advanceTimersByTime(32_000)
    } finally {
      vi.useRealTimers()
    }
    const byes = [(await scene.next(/^BYE /)).dialogId, (await scene.next(/^BYE /)).dialogId]
    expect(new Set(byes)).toEqual(new Set(['d1', 'd2']))
    await scene.engine.received('delete')
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NO_SDP' }])
  })

  it('hangs up on both when the ACK owes an answer', async () => {
    await setUp()
    scene.fromAlice('INVITE')
    scene.bobAnswers(await scene.next(/^INVITE /), '200 OK', sdpOf(5002))
    await scene.next(/^SIP\/2\.0 200 /)
    scene.fromAlice('ACK')
    await scene.next(/^ACK /)
    expect(new Set([(await scene.next(/^BYE /)).dialogId, (await scene.next(/^BYE /)).dialogId])).toEqual(
      new Set(['d1', 'd2']),
    )
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NO_SDP' }])
  })

  it('answers an UPDATE without SDP itself', async () => {
    await setUp()
    scene.fromAlice('UPDATE')
    expect((await scene.next(/^SIP\/2\.0 200 /)).text).not.toContain('m=audio')
    expect(commands()).toHaveLength(2)
  })

  it('passes on that a re-INVITE was refused, goes by what was agreed before, and takes the next one', async () => {
    await setUp()
    for (const status of ['488 Not Acceptable Here', '491 Request Pending']) {
      scene.fromAlice('INVITE', sdpOf(4002))
      scene.bobAnswers(await scene.next(/^INVITE /), status)
      await scene.next(new RegExp(`^SIP/2\\.0 ${status}`))
      await expect
        .poll(() =>
          commands()
            .slice(-3)
            .map(([command]) => command),
        )
        .toEqual(['offer', 'offer', 'answer'])
    }
    expect(String(scene.engine.commands.at(-2)!.parameters.sdp)).toContain('m=audio 4000')
    scene.fromAlice('INVITE', sdpOf(4004))
    scene.bobAnswers(await scene.next(/^INVITE /), '200 OK', sdpOf(5004))
    await scene.next(/^SIP\/2\.0 200 /)
    expect(errors).toEqual([])
  })

  it('has one offer under way at a time', async () => {
    await setUp()
    scene.fromAlice('INVITE', sdpOf(4002))
    const toBob = await scene.next(/^INVITE /)
    scene.fromBob('INVITE', sdpOf(5002))
    await scene.next(/^SIP\/2\.0 491 /)
    scene.bobAnswers(toBob, '200 OK', sdpOf(5000))
    await scene.next(/^SIP\/2\.0 200 /)
  })

  it('answers 488 to what the media proxy refuses', async () => {
    await setUp()
    scene.engine.script('offer', { error: 'no' }, { times: 1 })
    scene.fromAlice('INVITE', sdpOf(4002))
    await scene.next(/^SIP\/2\.0 488 /)
    expect(errors).toMatchObject([{ code: 'ERR_RTPPROXY_NG' }])
  })

  it.each([
    ['Alice', 'd2'],
    ['Bob', 'd1'],
  ] as const)('ends the other side and the media when %s hangs up', async (who, dialogId) => {
    await setUp()
    if (who === 'Alice') scene.fromAlice('BYE')
    else scene.fromBob('BYE')
    expect(await scene.next(/^BYE /)).toMatchObject({ dialogId })
    await expect.poll(() => scene.engine.calls).toEqual([])
    expect(commands().filter(([command]) => command === 'delete')).toHaveLength(1)
    expect(scene.server.sent.filter(({ text }) => text.startsWith('BYE'))).toEqual([])
  })

  it('hangs up on both sides when told to', async () => {
    await setUp()
    void call!.hangUp()
    await scene.next(/^BYE /)
    await scene.next(/^BYE /)
    await expect.poll(() => scene.engine.calls).toEqual([])
  })

  it('tells of a BYE that could not be sent', async () => {
    await setUp()
    scene.server.refuses = 'BYE'
    scene.fromAlice('BYE')
    await expect.poll(() => errors).toHaveLength(1)
    await expect.poll(() => scene.engine.calls).toEqual([])
  })
})
