import { afterEach, describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'
import { decodeLarge } from '../../src/core/large/bencode.ts'
import { DtmfEvents } from '../../src/dtmf/events.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { NgClient } from '../../src/ng/client.ts'
import type { NgClientOptions } from '../../src/ng/options.ts'
import { COMMANDS } from '../../src/protocol/vocabulary/commands.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { type Dictionary, type Script, ScriptedProxy, scripts } from '../media-proxy.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

const replyWith =
  (reply: Parameters<typeof encode>[0]): Script =>
  (_, cookie) => [Buffer.concat([Buffer.from(`${cookie} `), encode(reply)])]

async function scene(options: NgClientOptions = {}, script: Script = scripts.ok) {
  const proxy = new ScriptedProxy(script)
  opened.push(proxy)
  const client = new NgClient(`udp:127.0.0.1:${await proxy.listenUdp()}`, options)
  opened.push(client)
  const last = () => decode(proxy.payloads.at(-1)!, 'utf8') as Dictionary
  return { proxy, client, last }
}

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const CALL = { 'call-id': 'one', 'from-tag': 'a' }

/** `start recording` as `startRecording`, `block DTMF` as `blockDtmf`. */
const methodOf = (command: string): string =>
  command.toLowerCase().replaceAll(/ (.)/g, (_, letter: string) => letter.toUpperCase())

describe('NgClient', () => {
  it('has a method for every command of the protocol', async () => {
    const { client, proxy, last } = await scene()
    const names = COMMANDS.map(({ name }) => name)
    expect(names).toHaveLength(33)
    for (const name of names) {
      const method = Reflect.get(client, methodOf(name)) as ((call?: object) => Promise<unknown>) | undefined
      expect(method, name).toBeTypeOf('function')
      if (name === 'ping') {
        await client.ping()
        expect(proxy.pings).toBe(1)
        continue
      }
      await (name === 'statistics' ? client.statistics() : method!.call(client, { ...CALL, sdp: SDP }))
      expect(last().command, name).toBe(name)
    }
  })

  it('sends booleans, single values and dictionaries as rtpengine wants them', async () => {
    const { client, last } = await scene()
    await client.offer({
      ...CALL,
      sdp: SDP,
      'trickle-ICE': undefined,
      flags: ['trust-address'],
      codec: { strip: ['PCMA'], transcode: ['opus'] },
      'record call': true,
      'delete-delay': 5,
    })
    expect(last()).toEqual({
      supports: ['load limit'],
      ...CALL,
      sdp: SDP,
      flags: ['trust-address'],
      codec: { strip: ['PCMA'], transcode: ['opus'] },
      'record call': 'yes',
      'delete delay': 5,
      command: 'offer',
    })
  })

  it('asks for the result load limit in every offer, unless told not to', async () => {
    const { client, last } = await scene()
    await client.command('offer', { ...CALL, 'from-tag': 'a', sdp: SDP })
    expect(last()).toHaveProperty('supports', ['load limit'])
    await client.offer({ ...CALL, 'from-tag': 'a', sdp: SDP, supports: null })
    expect(last()).not.toHaveProperty('supports')
  })

  it('resolves with the whole reply, counters beyond 2^53 as bigint', async () => {
    const reply = { result: 'ok', totals: { RTP: { bytes: 2n ** 60n, packets: 7 } }, warning: 'so so' }
    const { client } = await scene({}, replyWith(reply))
    expect(await client.query(CALL)).toEqual(reply)
  })

  it.each([
    [
      { result: 'error', 'error-reason': 'Unknown call-id' },
      { code: 'ERR_RTPPROXY_NG', reason: 'Unknown call-id' },
    ],
    [
      { result: 'load limit', message: 'full' },
      { code: 'ERR_RTPPROXY_LOAD_LIMIT', reason: 'full' },
    ],
    [['result', 'ok'], { code: 'ERR_RTPPROXY_REPLY' }],
    [{ sdp: 'v=0' }, { code: 'ERR_RTPPROXY_REPLY', message: expect.stringContaining('without result') }],
  ])('rejects with what %j says', async (reply, error) => {
    const { client } = await scene({}, replyWith(reply))
    await expect(client.query(CALL)).rejects.toMatchObject({ ...error, command: 'query', node: client.url })
  })

  it.each<[unknown[], object]>([
    [[5], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'command' }],
    [[''], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'command' }],
    [['ping', null], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'parameters' }],
    [['ping', 'text'], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'parameters' }],
    [['ping', new Map([['call-id', 'c']])], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'parameters' }],
    [['offer', ['sdp']], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'parameters' }],
    [['ping', { codec: new Date(0) }], { code: 'ERR_RTPPROXY_BENCODE' }],
    [['ping', {}, { signal: 5 }], { code: 'ERR_RTPPROXY_OPTION', option: 'signal' }],
    [['ping', {}, { deadlineMs: Number.NaN }], { code: 'ERR_RTPPROXY_OPTION', option: 'deadlineMs' }],
    [['ping', {}, { deadlineMs: '5' }], { code: 'ERR_RTPPROXY_OPTION', option: 'deadlineMs' }],
  ])('sends nothing for %j', async (given, error) => {
    const { client, proxy } = await scene()
    for (const send of [client.request, client.command])
      await expect(Reflect.apply(send, client, given)).rejects.toMatchObject(error)
    expect(proxy.payloads).toHaveLength(0)
    expect(client.openRequests).toBe(0)
  })

  it('rejects after its attempts, or at its deadline, whichever is first', async () => {
    const { client, proxy } = await scene({ timeoutMs: 5, attempts: 2, adaptive: false }, scripts.silent)
    await expect(client.query(CALL)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_TIMEOUT' })
    expect(proxy.payloads).toHaveLength(2)
    const slow = await scene({ timeoutMs: 5000, deadlineMs: 10 }, scripts.silent)
    await expect(slow.client.query(CALL)).rejects.toThrow('has not answered within 10 ms')
    await expect(slow.client.query(CALL, { deadlineMs: 1 })).rejects.toThrow('within 1 ms')
    expect(slow.client.openRequests).toBe(0)
  })

  it('ends a command by its signal, before and after it was sent', async () => {
    const { client, proxy } = await scene({}, scripts.silent)
    await expect(client.query(CALL, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_ABORTED',
    })
    const abort = new AbortController()
    const query = client.query(CALL, { signal: abort.signal })
    await expect.poll(() => proxy.payloads.length).toBe(1)
    abort.abort(new Error('enough'))
    await expect(query).rejects.toMatchObject({ code: 'ERR_RTPPROXY_ABORTED' })
    expect(client.openRequests).toBe(0)
  })

  it('refuses more commands at once than its limit, and any after close', async () => {
    const { client } = await scene({ openLimit: 1 }, scripts.silent)
    const first = client.query(CALL)
    await expect(client.query(CALL)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_OVERLOAD' })
    await client.close()
    await expect(first).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    await expect(client.query(CALL)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
  })

  it('sends a message too large for a datagram over TCP, and refuses it before sending on UDP alone', async () => {
    const { client, proxy } = await scene()
    const sdp = `${SDP}${'a=x:'.padEnd(98, 'y')}\r\n`.padEnd(70_000, 'a=z\r\n')
    await expect(client.offer({ ...CALL, sdp })).rejects.toMatchObject({ code: 'ERR_RTPPROXY_TOO_LARGE' })
    expect(proxy.payloads).toEqual([])
    const port = await proxy.listenTcp()
    const both = new NgClient(`${client.url}|tcp:127.0.0.1:${port}`)
    opened.push(both)
    proxy.script = replyWith({ result: 'ok', sdp: SDP })
    expect(await both.offer({ ...CALL, sdp })).toMatchObject({ sdp: SDP })
    expect(proxy.overStream).toBe(1)
    expect(String(decodeLarge(proxy.payloads[0]!, 0).get('sdp'))).toBe(sdp)
  })

  it.each(['udp', 'http', 'ws'])('speaks JSON over %s where it is asked to', async (transport) => {
    const engine = new FakeRtpEngine({ listen: `${transport}:127.0.0.1:0` })
    opened.push(engine)
    await engine.start()
    const client = new NgClient(engine.urls[0]!, { coding: 'json' })
    opened.push(client)
    expect(await client.offer({ ...CALL, sdp: SDP })).toMatchObject({ result: 'ok' })
    expect(Object.keys((await client.query(CALL)).tags ?? {})).toContain('a')
    expect(engine.commands.map(({ command }) => command)).toEqual(['offer', 'query'])
  })

  it('hands the keys pressed in calls to its DtmfEvents, from a TCP connection only', async () => {
    await using dtmf = new DtmfEvents()
    const proxy = new ScriptedProxy()
    opened.push(proxy)
    const udp = new NgClient(`udp:127.0.0.1:${await proxy.listenUdp()}`, {
      dtmf,
      attempts: 1,
      timeoutMs: 500,
    })
    const tcp = new NgClient(`tcp:127.0.0.1:${await proxy.listenTcp()}`, { dtmf })
    opened.push(udp, tcp)
    const data = { callid: 'one', source_tag: 'a', timestamp: 1_700_000_000, event: 5 }
    const notice = Buffer.concat([Buffer.from('feedfacefeedface '), encode({ notify: 'onDTMF', data })])
    proxy.script = (_, cookie) => [notice, ...replyWith({ result: 'ok' })(Buffer.of(), cookie, {})!]
    const reader = dtmf.of('one')
    await udp.query(CALL)
    expect(udp.droppedReplies).toEqual({ late: 0, foreign: 1, malformed: 0 })
    await tcp.query(CALL)
    expect(tcp.droppedReplies).toEqual({ late: 0, foreign: 0, malformed: 0 })
    expect((await reader.next()).value).toMatchObject({ callId: 'one', digit: '5' })
    expect(dtmf.counters.received).toBe(1)
  })

  it.each([
    ['udp:', {}, 'ERR_RTPPROXY_URL'],
    [5 as never, {}, 'ERR_RTPPROXY_URL'],
    ['udp:127.0.0.1:1', { timeoutMs: 0 }, 'timeoutMs'],
    ['udp:127.0.0.1:1', { nothing: 1 } as never, 'nothing'],
    ['udp:127.0.0.1:1', { coding: 'xml' as never }, 'coding'],
    ['udp:127.0.0.1:1', { strict: 1 as never }, 'strict'],
    ['udp:127.0.0.1:1', { strict: '11' as never }, "strict must be true, false or '10.5', not 11"],
    ['udp:127.0.0.1:1', { dtmf: {} as never }, 'dtmf'],
    ['tcp:127.0.0.1:1', { coding: 'json' as const }, 'only be spoken to in bencode'],
  ])('refuses %s with %j', (url, options, why) => {
    let error: unknown
    try {
      new NgClient(url, options)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ConfigurationError)
    const { code, option, message } = error as ConfigurationError
    expect([code, option, message].join(' ')).toContain(why)
  })
})
