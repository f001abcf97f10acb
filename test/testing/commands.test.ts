import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'
import { parseSdp } from '../../src/core/sdp.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { type NgRequest, sdpOf } from '../relay/client.ts'
import { Datagrams } from './clients.ts'

const SDP = sdpOf('127.0.0.1', 'm=audio 5004 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000')
const OTHER = sdpOf('127.0.0.9', 'm=audio 5008 RTP/AVP 0')
const call = { 'call-id': 'one' }
const ok = { result: 'ok' }
const failed = (reason: string) => ({ result: 'error', 'error-reason': reason })

let engine: FakeRtpEngine
let udp: Datagrams
let cookies = 0

async function ask(command: string, keys: NgRequest = {}): Promise<Record<string, unknown>> {
  const cookie = `${++cookies} `
  const reply = await udp.ask(Buffer.concat([Buffer.from(cookie), encode({ command, ...keys })]))
  return decode(Buffer.from(reply.slice(cookie.length), 'latin1'), 'latin1') as Record<string, unknown>
}

const party = (tag: string) => engine.calls[0]!.parties.find((one) => one.tag === tag)!

beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  udp = new Datagrams(engine.urls[0]!)
  await ask('offer', { ...call, 'from-tag': 'a', label: 'caller', sdp: SDP })
  await ask('answer', { ...call, 'from-tag': 'a', 'to-tag': 'b', sdp: OTHER })
})

afterEach(async () => {
  udp.close()
  await engine.close()
})

describe('switches', () => {
  it.each([
    ['block media', 'unblock media', 'mediaBlocked'],
    ['block DTMF', 'unblock DTMF', 'dtmfBlocked'],
    ['silence media', 'unsilence media', 'silenced'],
    ['start forwarding', 'stop forwarding', 'forwarding'],
  ] as const)('%s and %s are remembered', async (on, off, name) => {
    const states = () => [party('a')[name], party('b')[name]]
    expect(await ask(on, { ...call, label: 'caller' })).toEqual(ok)
    expect(states()).toEqual([true, false])
    expect(await ask(on, { ...call, address: '127.0.0.9' })).toEqual(ok)
    expect(states()).toEqual([true, true])
    expect(await ask(off, { ...call, 'from-tag': 'b', flags: ['directional'] })).toEqual(ok)
    expect(states()).toEqual([true, false])
    expect(await ask(off, { ...call, 'from-tag': 'b' })).toEqual(ok)
    expect(states()).toEqual([false, false])
    await ask(on, { ...call, label: 'caller', all: 'all' })
    expect(states()).toEqual([true, true])
  })
})

describe('recording', () => {
  it('is on, paused and off, and shows in a query', async () => {
    expect(engine.calls[0]!.recording).toBe('off')
    await ask('start recording', call)
    expect(engine.calls[0]!.recording).toBe('on')
    await ask('start forwarding', call)
    const { recording } = await ask('query', call)
    expect(recording).toEqual({ 'call recording': 1, forwarding: 1 })
    for (const [command, keys, state] of [
      ['pause recording', {}, 'paused'],
      ['start recording', {}, 'on'],
      ['stop recording', { flags: ['pause'] }, 'paused'],
      ['stop recording', {}, 'off'],
    ] as const) {
      expect(await ask(command, { ...call, ...keys })).toEqual(ok)
      expect(engine.calls[0]!.recording).toBe(state)
    }
    expect(await ask('start recording', { 'call-id': 'two' })).toEqual(failed('Unknown call-id'))
  })
})

describe('playing', () => {
  it('lasts until it is stopped', async () => {
    const idle = failed('Not currently playing media')
    expect(await ask('stop media', { ...call, 'from-tag': 'a' })).toEqual(idle)
    const played = await ask('play media', { ...call, 'from-tag': 'a', file: '/x.wav', 'repeat-times': 3600 })
    expect(played).toEqual({ ...ok, duration: 1000 })
    expect([party('a').playing, party('b').playing]).toEqual([true, false])
    expect(await ask('stop media', { ...call, all: 'all' })).toEqual(ok)
    expect(party('a').playing).toBe(false)
    expect(await ask('stop media', { ...call, 'from-tag': 'a' })).toEqual(idle)
  })

  it.each(['5', '#', 'D', 15, 0])('DTMF takes a code such as %s', async (code) => {
    expect(await ask('play DTMF', { ...call, 'from-tag': 'a', code })).toEqual(ok)
  })

  it.each(['', 'E', '16', -1, 16])('DTMF takes no code such as %j', async (code) => {
    const reply = await ask('play DTMF', { ...call, 'from-tag': 'a', code })
    expect(reply).toEqual(failed("Out of range 'code' specified"))
  })
})

describe('subscriptions', () => {
  it('get an SDP of what they hear, and ports of their own', async () => {
    const reply = await ask('subscribe request', { ...call, 'from-tags': ['a', 'b'], 'to-tag': 's' })
    expect(reply).toMatchObject({ ...ok, 'from-tags': ['a', 'b'], 'to-tag': 's' })
    const { mediaDescriptions } = parseSdp(Buffer.from(reply.sdp as string))
    expect(mediaDescriptions.map(({ direction }) => direction)).toEqual(['sendonly', 'sendonly'])
    const ports = new Set([...engine.calls[0]!.ports, ...mediaDescriptions.map(({ port }) => port)])
    expect(ports.size).toBe(engine.calls[0]!.ports.length)
    expect(await ask('subscribe answer', { ...call, 'to-tag': 's', sdp: SDP })).toEqual(ok)
    expect(engine.calls[0]!.tags).toEqual(['a', 'b', 's'])
    expect(await ask('unsubscribe', { ...call, 'to-tag': 's' })).toEqual(ok)
    expect(engine.calls[0]!.tags).toEqual(['a', 'b'])
    expect(await ask('subscribe answer', { ...call, 'to-tag': 's', sdp: SDP })).toEqual(
      failed('To-tag not found'),
    )
  })

  it('get a tag if they have none, and keep no call alive by themselves', async () => {
    const { 'to-tag': tag, 'from-tag': source } = await ask('subscribe request', { ...call, 'from-tag': 'a' })
    expect([tag, source]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), 'a'])
    await ask('delete', { ...call, 'from-tag': 'a' })
    expect(engine.calls).toEqual([])
  })
})

describe('calls without a dialogue', () => {
  it('are published to, and heard', async () => {
    const { 'call-id': id, 'from-tag': tag, sdp } = await ask('publish', { sdp: SDP })
    expect(parseSdp(Buffer.from(sdp as string)).mediaDescriptions[0]).toMatchObject({ direction: 'recvonly' })
    const request = { 'call-id': id as string, 'from-tag': tag as string }
    expect((await ask('subscribe request', request)).sdp).toContain('a=rtpmap:0 PCMU/8000\r\na=sendonly')
    expect((await ask('query', request)).tags).toHaveProperty([tag as string])
    await ask('delete', request)
    expect(engine.calls.map(({ callId }) => callId)).toEqual(['one'])
  })

  it('are refused when their SDP is broken, or when there are too many', async () => {
    expect(await ask('publish', { sdp: 'x' })).toEqual(failed('Failed to create SDP'))
    engine.loadLimit = 1
    expect(await ask('publish', { sdp: SDP })).toEqual(failed('Parallel session limit reached'))
    expect(engine.calls).toHaveLength(1)
  })

  it('are created, and answered', async () => {
    const created = await ask('create', { 'call-id': 'new', 'from-tag': 'n' })
    expect(created).toMatchObject({
      ...ok,
      'call-id': 'new',
      'from-tag': 'n',
      sdp: expect.stringMatching(/m=audio/),
    })
    const answer = { 'call-id': 'new', 'from-tag': 'n', sdp: SDP }
    expect(await ask('create answer', answer)).toEqual(ok)
    expect(await ask('create answer', { ...answer, 'call-id': 'x' })).toEqual(failed('unknown call-ID'))
    expect(await ask('create answer', { ...answer, 'from-tag': 'x' })).toEqual(failed('from-tag not found'))
    expect(await ask('create answer', { ...answer, sdp: 'x' })).toEqual(failed('failed to perform answer'))
    expect(await ask('connect', { 'call-id': 'new', 'from-tag': 'n', 'to-tag': 'z' })).toEqual(ok)
  })
})

it('counts its calls in statistics', async () => {
  const { statistics } = await ask('statistics')
  expect(statistics).toMatchObject({
    currentstatistics: { sessionstotal: 1 },
    totalstatistics: { uptime: '0' },
  })
})
