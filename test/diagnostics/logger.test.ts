import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigurationError, RtpProxyNg, type RtpProxyNgOptions } from '../../src/index.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { invite, SECRETS } from './scene.ts'

let engine: FakeRtpEngine
let lines: Record<string, unknown>[]
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  lines = []
})
afterEach(() => engine.close())

const sink = () =>
  new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })

async function client(options: RtpProxyNgOptions = {}): Promise<RtpProxyNg> {
  const media = new RtpProxyNg({
    ...{ sockets: engine.urls, timeoutMs: 2000, attempts: 1 },
    ...{ logger: pino({ level: 'debug' }, sink()), ...options },
  })
  await media.start()
  return media
}

describe('a logger', () => {
  it('is told when media proxies go and come, and of commands that fail', async () => {
    const media = await client()
    await media.offer(invite())
    engine.script('query', { error: 'No such call' })
    await media.query(invite()).catch(() => undefined)
    await engine.stop()
    await media.startRecording(invite()).catch(() => undefined)
    media.enable(engine.urls[0]!, false)
    expect(lines).toMatchObject([
      { level: 40, msg: 'command failed', command: 'query', code: 'ERR_RTPPROXY_NG', callId: 'one' },
      { level: 40, msg: 'media proxy down', node: engine.urls[0], set: 0, before: 'up' },
      { level: 40, msg: 'command failed', command: 'start recording', code: 'ERR_RTPPROXY_NO_NODE' },
      { level: 30, msg: 'media proxy disabled', before: 'down' },
    ])
    await media.close()
  })

  it('is told of every command at debug, and of what was dropped', async () => {
    const media = await client({ logLevel: 'debug', attempts: 5 })
    engine.weather({ repeat: 1 })
    await media.offer(invite())
    await expect.poll(() => lines.map(({ msg }) => msg)).toContain('reply dropped')
    expect(lines.slice(0, 5).map(({ msg, command }) => [msg, command])).toEqual([
      ['command sent', 'ping'],
      ['command done', 'ping'],
      ['command sent', 'offer'],
      ['command done', 'offer'],
      ['reply dropped', undefined],
    ])
    expect(lines[3]).toMatchObject({ node: engine.urls[0], sends: 1, ms: expect.any(Number) })
    await media.close()
  })

  it('is told nothing after close, and nothing of other clients', async () => {
    const media = await client({ logLevel: 'debug' })
    const other = new RtpProxyNg({ sockets: engine.urls })
    await other.start()
    lines.length = 0
    await other.offer(invite())
    expect(lines).toEqual([])
    await media.close()
    lines.length = 0
    await media.offer(invite()).catch(() => undefined)
    expect(lines).toEqual([])
    await other.close()
  })

  it.each([
    ['none', false, false],
    ['redacted', true, false],
    ['all', true, true],
  ] as const)('sees of SDP and keys what logBodies says: %s', async (logBodies, hasSdp, hasKeys) => {
    for (const coding of ['bencode', 'json'] as const) {
      lines.length = 0
      const media = await client({ logLevel: 'debug', logBodies, coding })
      await media.offer(invite())
      engine.script(() => ({ error: `a=crypto:1 X inline:${SECRETS[0]}` }), { times: 1 })
      await media.query(invite()).catch(() => undefined)
      const text = JSON.stringify(lines.filter(({ msg }) => msg !== 'command failed'))
      expect(text.includes('m=audio')).toBe(hasSdp)
      for (const secret of SECRETS) expect(text.includes(secret)).toBe(hasKeys)
      expect(lines.find(({ msg }) => msg === 'command failed')!.error).toContain('inline:[redacted]')
      await media.close()
    }
  })

  it('may be the console, whose texts come first', async () => {
    const write = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const media = await client({ logger: console })
    await engine.stop()
    await media.offer(invite()).catch(() => undefined)
    expect(write.mock.calls[0]).toMatchObject(['rtpproxy-ng: media proxy down', { node: engine.urls[0] }])
    write.mockRestore()
    await media.close()
  })

  it('hears of a name that does not resolve', async () => {
    const fails = () => Promise.reject(new Error('no such name'))
    const resolver = { addresses: fails, services: fails }
    const media = await client({ sockets: 'udp:nowhere.invalid:2223', names: 'all', resolver })
    expect(lines[0]).toMatchObject({ level: 40, msg: 'a host name did not resolve' })
    await media.close()
  })

  it.each([
    [{ logger: {} as never }, /logger must have the methods debug, info, warn, error/],
    [{ logLevel: 'loud' as never }, /logLevel must be one of/],
    [{ logBodies: true as never }, /logBodies must be one of/],
  ])('that is none is refused: %o', (options, message) => {
    expect(() => new RtpProxyNg(options)).toThrow(ConfigurationError)
    expect(() => new RtpProxyNg(options)).toThrow(message)
  })
})
