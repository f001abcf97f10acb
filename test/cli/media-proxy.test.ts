import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { freePort } from '../free-port.ts'
import { command } from './command.ts'

const SIP = [
  ...['INVITE sip:b@c SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1', 'From: <sip:a@b>;tag=a'],
  ...['To: <sip:b@c>', 'Call-ID: 1@192.0.2.7', 'CSeq: 1 INVITE', 'Content-Type: application/sdp', ''],
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0', 'm=audio 4000 RTP/AVP 0', ''],
]

let engine: FakeRtpEngine
let url: string
let directory: string
let file: string
beforeEach(async () => {
  engine = new FakeRtpEngine({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] })
  await engine.start()
  url = engine.urls[0]!
  directory = mkdtempSync(join(tmpdir(), 'cli-'))
  file = join(directory, 'invite.sip')
  writeFileSync(file, SIP.join('\n'))
})
afterEach(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

describe('ping', () => {
  it('says who answers, and fails when one does not', async () => {
    const dead = `udp:127.0.0.1:${await freePort()}`
    const { code, out, err } = await command('ping', url, engine.urls[1]!, dead)
    expect([code, err]).toEqual([1, ''])
    const lines = out.split('\n')
    expect(lines[0]).toMatch(/^media proxy +answered +least +most$/)
    expect(lines[1]).toMatch(new RegExp(`^${url} +1 of 1 +[\\d.]+ ms`))
    expect(lines[2]).toContain('1 of 1')
    expect(lines[3]).toMatch(/0 of 1 +– +– .*refuses the connection: .*ECONNREFUSED.*$/)
  })

  it('pings several times, for programs', async () => {
    const { code, out } = await command('ping', '--count', '3', '--json', url)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual([
      {
        ...{ url, sent: 3, answered: 3, error: null },
        ...{ leastMs: expect.any(Number), mostMs: expect.any(Number) },
      },
    ])
    expect(engine.commands.map(({ command }) => command)).toEqual(['ping', 'ping', 'ping'])
  })
})

describe('offer', () => {
  it('shows what is sent, what comes back and the message after, and leaves no call behind', async () => {
    const { code, out } = await command('offer', file, '--rtpengine', url, '--flags', 'co')
    expect(code).toBe(0)
    expect(out).toContain(`sent to ${url}\n  sdp:\n    v=0\n`)
    expect(out).toContain('  replace: ["session-connection","origin"]\n')
    const port = /came back in [\d.]+ ms\n[\s\S]*m=audio (\d+) /.exec(out)?.[1]
    expect(port).not.toBe('4000')
    expect(out).toMatch(new RegExp(`the message after\nINVITE sip:b@c SIP/2.0\n[\\s\\S]*m=audio ${port} `))
    expect(engine.commands.map(({ command }) => command)).toEqual(['ping', 'offer', 'delete'])
    expect(engine.calls).toEqual([])
  })

  it('leaves the call when it is told to, and answers and asks for it', async () => {
    await command('offer', file, '--rtpengine', url, '--keep')
    expect(engine.calls).toHaveLength(1)
    const queried = await command('offer', file, '--rtpengine', url, '--as', 'query', '--json')
    expect(JSON.parse(queried.out)).toMatchObject({
      ...{ node: url, message: null, warning: null, error: null },
      sent: { command: 'query', 'call-id': '1@192.0.2.7', 'received-from': ['IP4', '127.0.0.1'] },
      reply: { tags: { a: {} } },
    })
    const deleted = await command('offer', file, '--rtpengine', url, '--as', 'delete')
    expect(deleted.code).toBe(0)
    expect(engine.calls).toEqual([])
  })

  it('takes the words of the rtpengine module, and where the message came from', async () => {
    const words = 'replace-origin ICE=remove'
    const given = ['--rtpengine-flags', words, '--source', '[2001:db8::7]:5070']
    await command('offer', file, '--rtpengine', url, ...given)
    const { parameters } = await engine.received('offer')
    expect(parameters).toMatchObject({ ice: 'remove', 'received-from': ['IP6', '2001:db8:0:0:0:0:0:7'] })
  })

  it('needs no media proxy: the embedded relay answers', async () => {
    const { code, out } = await command('offer', file, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out).message).toContain('m=audio')
  })

  it('shows a refusal, and fails', async () => {
    engine.script('offer', { error: 'not today' })
    const { code, out } = await command('offer', file, '--rtpengine', url)
    expect(code).toBe(1)
    expect(out).toContain('  error-reason: not today\n')
    expect(out).toMatch(/error: offer: udp:\S+ answered: not today\n$/)
  })

  it('fails when nobody answers, and when the file is no SIP', async () => {
    await engine.stop()
    const silent = await command('offer', file, '--rtpengine', url)
    expect([silent.code, silent.out]).toEqual([1, ''])
    expect(silent.err).toContain('refuses the connection')
    writeFileSync(file, 'hello')
    const broken = await command('offer', file)
    expect(broken.code).toBe(1)
    expect(broken.err).toContain('ERR_RTPPROXY_SIP')
  })
})

describe('bench', () => {
  it('sets up and ends calls, and tells how long it took', async () => {
    const { code, out } = await command('bench', url, '--calls', '100', '--concurrency', '10')
    expect(code).toBe(0)
    expect(out).toMatch(/^100 calls at udp:\S+, 10 at a time: [\d.]+ s, \d+ calls\/s\n/)
    for (const name of ['offer', 'answer', 'delete'])
      expect(out).toMatch(new RegExp(`^${name} +100 +0 `, 'm'))
    const bars = [...out.matchAll(/^ +[\d.]+ ms █* (\d+)$/gm)].map(([, count]) => Number(count))
    expect(bars.reduce((sum, count) => sum + count, 0)).toBe(100)
    expect(engine.calls).toEqual([])
  })

  it('counts failures and why, for programs too', async () => {
    engine.script('answer', { error: 'no' }, { times: 3 })
    const { code, out } = await command('bench', url, '--calls', '10', '--json')
    expect(code).toBe(1)
    const { calls, commands, reasons } = JSON.parse(out)
    expect(calls).toBe(10)
    expect(commands).toMatchObject([
      { command: 'offer', answered: 10, failed: 0, quantiles: { p50: expect.any(Number) } },
      { command: 'answer', answered: 7, failed: 3 },
      { command: 'delete', answered: 10, failed: 0 },
    ])
    expect(Object.values(reasons)).toEqual([3])
  })

  it('fails at once when nobody is there', async () => {
    await engine.stop()
    const { code, err } = await command('bench', url, '--calls', '1000')
    expect(code).toBe(1)
    expect(err).toContain('refuses the connection')
  })
})
