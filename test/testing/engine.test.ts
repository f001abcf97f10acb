import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { decode, encode } from '../../src/core/bencode.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { type NgRequest, sdpOf } from '../relay/client.ts'
import { Datagrams, http, Stream } from './clients.ts'

const SDP = sdpOf('127.0.0.1', 'm=audio 5004 RTP/AVP 0')
const PING = 'd7:command4:pinge'
const offer = (callId: string, more: NgRequest = {}): NgRequest => ({
  command: 'offer',
  'call-id': callId,
  'from-tag': 'a',
  sdp: SDP,
  ...more,
})

let engine: FakeRtpEngine
let udp: Datagrams
let cookies = 0

beforeEach(async () => {
  engine = new FakeRtpEngine({
    seed: 7,
    listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0', 'http:127.0.0.1:0', 'ws:127.0.0.1:0'],
  })
  await engine.start()
  udp = new Datagrams(engine.urls[0]!)
})

afterEach(async () => {
  udp.close()
  await engine.close()
})

/** The reply to a command, by UDP. */
async function ask(command: NgRequest): Promise<Record<string, unknown>> {
  const cookie = `ask${++cookies} `
  const reply = await udp.ask(Buffer.concat([Buffer.from(cookie), encode(command)]))
  expect(reply.startsWith(cookie)).toBe(true)
  return decode(Buffer.from(reply.slice(cookie.length), 'latin1'), 'latin1') as Record<string, unknown>
}

async function webSocket(protocol: string): Promise<WebSocket> {
  const socket = new WebSocket(engine.urls[3]!, protocol)
  await once(socket, 'open')
  return socket
}

describe('transports', () => {
  it('share the cookies that were answered', async () => {
    const [, , url] = engine.urls
    const first = await udp.ask('same d7:command4:pinge')
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write('same d7:command4:liste')
    expect(await tcp.until('e')).toBe(first)
    expect((await http(url!, 'same zzz'))?.body).toBe(first)
    const socket = await webSocket('ng.rtpengine.com')
    socket.send('same {"command":"list"}')
    const [reply, isBinary] = await once(socket, 'message')
    expect([String(reply), isBinary]).toEqual([first, true])
    expect(engine.commands.map(({ transport, repeated }) => [transport, repeated])).toEqual([
      ['udp', false],
      ['tcp', true],
      ['http', true],
      ['websocket', true],
    ])
    tcp.close()
    socket.terminate()
  })

  it('let a command that is sent again wait for the first, over whatever it comes', async () => {
    engine.script('ping', { delayMs: 20 }, { times: 1 })
    udp.send(`slow ${PING}`)
    await engine.received('ping')
    const again = http(engine.urls[2]!, `slow ${PING}`)
    const [first] = await udp.replies(1)
    expect((await again)?.body).toBe(first)
    expect(engine.commands.map(({ repeated }) => repeated)).toEqual([false, true])
  })

  it.each(['udp', 'tcp'])('serve the client of this package, by %s', async (transport) => {
    const sockets = engine.urls.find((url) => url.startsWith(transport))!
    await using media = new RtpProxyNg({ sockets })
    await media.start()
    expect(media.show()).toMatchObject([{ url: sockets, disabled: false }])
    expect(engine.commands).toMatchObject([{ command: 'ping', transport }])
  })

  it('answer JSON with JSON, but not over TCP', async () => {
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write('json {"command":"ping"}')
    expect(await udp.ask('j1 {"command":"ping"}')).toBe('j1 {"result":"pong"}')
    expect((await http(engine.urls[2]!, 'j2 {"command":"ping"}'))?.body).toBe('j2 {"result":"pong"}')
    expect(tcp.received).toBe('')
    tcp.close()
  })

  it('take several requests in one segment, and one in several', async () => {
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write(`a ${PING}b ${PING}c d7:comm`)
    await tcp.until('b d6:result4:ponge')
    await tcp.write('and4:pinge')
    expect(await tcp.until('c ')).toBe('a d6:result4:pongeb d6:result4:pongec d6:result4:ponge')
    tcp.close()
  })

  it.each([
    [1024, false],
    [1025, true],
  ])('close a TCP connection with %d bytes of an incomplete message: %s', async (length, isClosed) => {
    const tcp = new Stream(engine.urls[1]!)
    const message = `x d1:a2000:${'.'.repeat(2000)}7:command4:pinge`
    await tcp.write(message.slice(0, length))
    if (isClosed) await once(tcp.connection, 'close')
    else {
      await udp.ask(`later ${PING}`)
      await tcp.write(message.slice(length))
      expect(await tcp.until('e')).toBe('x d6:result4:ponge')
    }
    expect(tcp.closed).toBe(isClosed)
    tcp.close()
  })

  it('take a message of any size that comes whole', async () => {
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write(`x d1:a60000:${'.'.repeat(60_000)}7:command4:pinge`)
    expect(await tcp.until('e')).toBe('x d6:result4:ponge')
    tcp.close()
  })

  it.each([
    [
      'a charset',
      `c ${PING}`,
      { headers: { 'content-type': 'application/x-rtpengine-ng; charset=utf-8' } },
      404,
    ],
    ['GET', '', { method: 'GET' }, 404],
    ['no cookie', PING, {}, 600],
    ['nothing', '', {}, 600],
  ])('refuse an HTTP request with %s', async (_, body, options, status) => {
    const reply = await http(engine.urls[2]!, body, options)
    expect([reply?.status, reply?.body]).toEqual([status, status === 600 ? 'error\n' : 'not found\n'])
  })

  it('hang up on chunks, and answer GET /ping', async () => {
    const options = { headers: { 'transfer-encoding': 'chunked' } }
    expect(await http(engine.urls[2]!, `c ${PING}`, options)).toBe(undefined)
    const ping = engine.urls[2]!.replace('/ng', '/ping')
    expect(await http(ping, '', { method: 'GET' })).toMatchObject({ status: 200, body: 'pong\n' })
  })

  it('do without a cookie where the protocol has none', async () => {
    const socket = await webSocket('ng-plain.rtpengine.com')
    socket.send(PING)
    expect(String((await once(socket, 'message'))[0])).toBe('d6:result4:ponge')
    socket.terminate()
    const plain = await http(engine.urls[2]!.replace('/ng', '/ng-plain'), '{"command":"ping"}', {
      headers: { 'content-type': 'application/json' },
    })
    expect(plain?.body).toBe('{"result":"pong"}')
  })

  it('refuse a WebSocket of another subprotocol', async () => {
    await expect(webSocket('janus-protocol')).rejects.toThrow('401')
  })

  it('lose a reply that no datagram can carry', async () => {
    engine.script('ping', { reply: { result: 'pong', padding: Buffer.alloc(65_500) } }, { times: 1 })
    udp.send(`large ${PING}`)
    await engine.received('ping')
    expect(await udp.ask(`small ${PING}`)).toBe('small d6:result4:ponge')
    expect((await http(engine.urls[2]!, `large ${PING}`))?.body.length).toBeGreaterThan(65_507)
  })
})

describe('scripts', () => {
  it('answer the next commands of a name, one after the other', async () => {
    engine.script('offer', { error: 'Ran out of ports' }, { times: 2 })
    engine.script('offer', { reply: { result: 'ok', sdp: 'mine' } }, { times: 1 })
    const failed = { result: 'error', 'error-reason': 'Ran out of ports' }
    expect(await ask(offer('1'))).toEqual(failed)
    expect((await ask({ command: 'ping' })).result).toBe('pong')
    expect(await ask(offer('1'))).toEqual(failed)
    expect(await ask(offer('1'))).toEqual({ result: 'ok', sdp: 'mine' })
    expect(engine.calls).toEqual([])
    expect((await ask(offer('1'))).sdp).toContain('m=audio')
  })

  it('decide by what a command says, and can be taken away', async () => {
    const remove = engine.script(({ command, parameters }) =>
      command === 'delete' && parameters['call-id'] === 'x' ? { error: 'no' } : undefined,
    )
    expect((await ask({ command: 'delete', 'call-id': 'x' }))['error-reason']).toBe('no')
    expect((await ask({ command: 'delete', 'call-id': 'y' })).warning).toContain('not found')
    remove()
    expect((await ask({ command: 'delete', 'call-id': 'x' })).warning).toContain('not found')
  })

  it('do not count a command twice that is sent again', async () => {
    engine.script('ping', { error: 'once' }, { times: 1 })
    const [first, again, other] = [
      await udp.ask(`a ${PING}`),
      await udp.ask(`a ${PING}`),
      await udp.ask(`b ${PING}`),
    ]
    expect(again).toBe(first)
    expect(other).toBe('b d6:result4:ponge')
  })

  it('keep silent before a command, or after', async () => {
    engine.script('offer', { silent: true }, { times: 1 })
    engine.script('offer', { silent: 'after' }, { times: 1 })
    for (const id of ['never', 'lost']) udp.send(Buffer.concat([Buffer.from(`${id} `), encode(offer(id))]))
    const { calls } = await ask({ command: 'list' })
    expect(calls).toEqual(['lost'])
    expect(udp.received).toEqual([])
  })

  it('add to a reply, and take their time', async () => {
    engine.script('ping', { with: { warning: 'slow' }, delayMs: 5 })
    expect(await ask({ command: 'ping' })).toEqual({ result: 'pong', warning: 'slow' })
  })

  it.each([
    ['script.eror', () => engine.script('ping', { eror: 'x' } as never)],
    ['script.delayMs', () => engine.script('ping', { delayMs: -1 })],
    ['script.reply', () => engine.script('ping', { reply: 'ok' } as never)],
    ['script.times', () => engine.script('ping', { error: 'x' }, { times: Number.NaN })],
    ['script.time', () => engine.script(() => undefined, { time: 1 } as never)],
    ['script', () => engine.script('ping', 'error' as never)],
    ['script', () => engine.script(5 as never, {})],
    ['weather.lose', () => engine.weather({ lose: 1 } as never)],
    ['weather.loss', () => engine.weather({ loss: 2 })],
    ['weather.delayMs', () => engine.weather({ delayMs: [5, 1] })],
    ['weather', () => engine.weather(null as never)],
    ['nonsense', () => new FakeRtpEngine({ nonsense: 1 } as never)],
    ['listen', () => new FakeRtpEngine({ listen: 'http:127.0.0.1' })],
  ])('and weather are refused where a test would prove nothing with them: %s', (option, work) => {
    expect(work).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }))
  })

  it('make close reject when a function returns what none may', async () => {
    const broken = new FakeRtpEngine()
    await broken.start()
    broken.script(() => ({ eror: 'x' }) as never)
    const client = new Datagrams(broken.urls[0]!)
    expect(await client.ask(`a ${PING}`)).toContain('Internal error')
    client.close()
    await expect(broken.close()).rejects.toMatchObject({ option: 'script.eror' })
  })

  it('make close reject with what they throw', async () => {
    const broken = new FakeRtpEngine()
    await broken.start()
    broken.script(({ parameters }) => {
      expect(parameters).toEqual({ surprise: 1 })
      return undefined
    })
    const client = new Datagrams(broken.urls[0]!)
    expect(await client.ask(`a ${PING}`)).toContain('Internal error')
    client.close()
    await expect(broken.close()).rejects.toThrow('surprise')
  })
})

describe('what came in', () => {
  it('stands in commands, in order, as people read it', async () => {
    await ask({ command: 'query', 'call id': 'ä', flags: ['one'] })
    await udp.ask('bad zzz')
    expect(engine.commands).toEqual([
      {
        ...{ command: 'query', parameters: { 'call-id': 'ä', flags: ['one'] } },
        ...{ cookie: `ask${cookies}`, transport: 'udp', repeated: false },
      },
      { command: undefined, parameters: {}, cookie: 'bad', transport: 'udp', repeated: false },
    ])
    engine.forget()
    expect(engine.commands).toEqual([])
  })

  it('is handed out once each, before or after it came', async () => {
    const early = engine.received('delete')
    udp.send(`1 d7:call-id1:a7:command6:deletee`, `2 d7:call-id1:b7:command6:deletee`)
    expect((await early).parameters).toEqual({ 'call-id': 'a' })
    await udp.replies(2)
    expect((await engine.received('delete')).parameters).toEqual({ 'call-id': 'b' })
    await expect(engine.received('delete', { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_TIMEOUT',
    })
  })

  it('ends for those who wait when the engine is closed', async () => {
    const waiting = expect(engine.received('offer')).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    await engine.close()
    await waiting
  })

  it('is kept to the last 10,000', async () => {
    for (let i = 0; i < 101; i++) {
      udp.send(...Array.from({ length: 100 }, (_, j) => `${i}.${j} zzz`))
      await udp.replies(100)
    }
    expect(engine.commands).toHaveLength(10_000)
    expect(engine.commands[0]!.cookie).toBe('1.0')
  })
})

describe('trouble', () => {
  it('leaves what comes in to wait while it is frozen', async () => {
    engine.freeze()
    udp.send(`a ${PING}`)
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write(`b ${PING}`)
    // Another engine answers meanwhile, so there was time enough.
    await using other = new FakeRtpEngine()
    await other.start()
    const second = new Datagrams(other.urls[0]!)
    await second.ask(`c ${PING}`)
    second.close()
    expect([engine.commands, udp.received, tcp.received]).toEqual([[], [], ''])
    engine.thaw()
    expect(await udp.replies(1)).toEqual(['a d6:result4:ponge'])
    expect(await tcp.until('e')).toBe('b d6:result4:ponge')
    tcp.close()
  })

  it('loses calls and cookies when it is stopped, and comes back at the same ports', async () => {
    const { urls } = engine
    await ask(offer('one'))
    await udp.ask(`same ${PING}`)
    const tcp = new Stream(urls[1]!)
    await tcp.write(`t ${PING}`)
    await tcp.until('e')
    const closed = once(tcp.connection, 'close')
    await engine.stop()
    await closed
    expect(engine.calls).toEqual([])
    await engine.start()
    expect(engine.urls).toEqual(urls)
    expect(await udp.ask('same d7:command4:listz')).not.toContain('pong')
    expect((await ask({ command: 'list' })).calls).toEqual([])
  })

  it('is over the load limit, and says so to those who understand', async () => {
    engine.loadLimit = 1
    expect((await ask(offer('one'))).result).toBe('ok')
    expect((await ask(offer('two')))['error-reason']).toBe('Parallel session limit reached')
    expect(await ask(offer('two', { supports: ['load limit'] }))).toEqual({
      result: 'load limit',
      message: 'Parallel session limit reached',
    })
    engine.loadLimit = 2
    expect((await ask(offer('two'))).result).toBe('ok')
    engine.loadLimit = 0
    expect((await ask(offer('three')))['error-reason']).toBe('Parallel session limit reached')
    expect((await ask(offer('two'))).result).toBe('ok')
    expect(() => {
      engine.loadLimit = -1
    }).toThrow(expect.objectContaining({ option: 'maxSessions' }))
  })

  it('notifies TCP clients of DTMF, and the destination of the call', async () => {
    const sink = createSocket('udp4')
    sink.bind(0, '127.0.0.1')
    await once(sink, 'listening')
    await ask(offer('one', { 'dtmf-log-dest': `127.0.0.1:${sink.address().port}` }))
    await ask(offer('one', { command: 'answer', 'to-tag': 'b' }))
    const tcp = new Stream(engine.urls[1]!)
    await tcp.write(`t ${PING}`)
    await tcp.until('ponge')
    const json = once(sink, 'message') as Promise<[Buffer]>
    await engine.dtmf({ callId: 'one', fromTag: 'a', digit: '#' })
    const text = await tcp.until('onDTMF')
    const [, cookie, notification] = /ponge([0-9a-f]{16}) (d4:data.*)$/s.exec(text)!
    expect(cookie).toBeDefined()
    const { data } = decode(Buffer.from(notification!), 'latin1') as { data: object }
    expect(data).toMatchObject({ callid: 'one', source_tag: 'a', tags: ['b'], event: 11, type: 'DTMF' })
    expect(JSON.parse(String((await json)[0]))).toEqual(data)
    await expect(engine.dtmf({ callId: 'one', fromTag: 'a', digit: 'x' })).rejects.toThrow(RangeError)
    sink.close()
    tcp.close()
  })
})

it('leaves no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  try {
    const other = new FakeRtpEngine({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] })
    await other.start()
    const [client, tcp] = [new Datagrams(other.urls[0]!), new Stream(other.urls[1]!)]
    other.script('list', { delayMs: 3_600_000 })
    client.send('slow d7:command4:liste')
    await tcp.write('x'.repeat(2000))
    await other.received('list')
    other.weather({ delayMs: 10, repeat: 1, reorder: 0.5 })
    client.send(...Array.from({ length: 20 }, (_, i) => `${i} ${PING}`))
    while (vi.getTimerCount() < 10) await new Promise((resolve) => setImmediate(resolve))
    const waiting = expect(other.received('delete')).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    await other.close()
    await waiting
    expect(vi.getTimerCount()).toBe(0)
    client.close()
    tcp.close()
  } finally {
    vi.useRealTimers()
  }
})

it('says what it needs to listen on ws:', async () => {
  vi.resetModules()
  vi.doMock('ws', () => {
    throw new Error('not here')
  })
  const { FakeRtpEngine: Another } = await import('../../src/testing/engine.ts')
  await using other = new Another({ listen: ['udp:127.0.0.1:0', 'ws:127.0.0.1:0'] })
  await expect(other.start()).rejects.toMatchObject({
    code: 'ERR_RTPPROXY_OPTION',
    message: expect.stringContaining('npm install ws'),
  })
  vi.doUnmock('ws')
})

it('is closed for good, twice or not', async () => {
  await Promise.all([engine.close(), engine.close()])
  await expect(engine.start()).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
})

it.each([
  ['listen', { listen: 'ftp:127.0.0.1:0' }],
  ['listen', { listen: 'http:localhost:0' }],
  ['seed', { seed: 0.5 }],
  ['maxSessions', { maxSessions: 0 }],
])('refuses a wrong option and names it: %s %j', (option, options) => {
  expect(() => new FakeRtpEngine(options)).toThrow(expect.objectContaining({ option }))
})

it('says which address is taken', async () => {
  const second = new FakeRtpEngine({ listen: ['udp:127.0.0.1:0', engine.urls[2]!.replace('/ng', '')] })
  await expect(second.start()).rejects.toThrow(/EADDRINUSE/)
})
