import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/protocol/vocabulary/commands.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/ng.md')
const [
  first = '',
  onMessages = '',
  strict = '',
  branches = '',
  report = '',
  keys = '',
  stopped = '',
  orphans = '',
] = snippetsOf(page)

/** What the page takes for granted: an rtpengine at its port, and a client with a call. */
const given = `
import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
import { FakeRtpEngine } from 'rtpproxy-ng/testing'
const engine = new FakeRtpEngine({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] })
await engine.start()
const media = new RtpProxyNg({ sockets: engine.urls[0] })
await media.start()
const sdp = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
const answerSdp = sdp.replace('4000', '4100')
const invite = SipMessage.parse(Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\n' + sdp), { address: '127.0.0.1' })
`
const withCall = `
import { NgClient } from 'rtpproxy-ng/ng'
const client = new NgClient('udp:127.0.0.1:2223')
const call = { 'call-id': 'one@example.com', 'from-tag': 'alice' }
await client.offer({ ...call, sdp })
`
const end = `
await client.close()
`
const last = `
await media.close()
await engine.close()
`

function output(...parts: string[]): string {
  const program = [given, ...parts, last]
    .join('\n')
    .replaceAll("'udp:127.0.0.1:2223'", 'engine.urls[0]')
    .replaceAll("'tcp:127.0.0.1:2223'", 'engine.urls[1]')
  return run(program)
}

describe('the page on NG', () => {
  it('has a first example that offers, answers and deletes', () => {
    expect(output(first).match(/m=audio \d+ RTP\/AVP 0/g)).toHaveLength(2)
  })

  it('has commands for messages and parameters', () => {
    expect(output('await media.offer(invite)', onMessages)).toBe('')
  })

  it('shows what strict says', () => {
    expect(output("import { NgClient } from 'rtpproxy-ng/ng'", strict)).toMatch(
      /^ERR_RTPPROXY_PARAMETER .*did you mean 'transport-protocol'\?\n$/,
    )
  })

  it('carries a forked call through', () => {
    const after = 'console.log(engine.calls.length, desk.state)'
    const printed = output("import { NgClient } from 'rtpproxy-ng/ng'", branches, after)
    expect(printed.match(/^m=audio \d+ RTP\/AVP 0\r?$/gm)).toHaveLength(3)
    expect(printed).toMatch(/\n0 over\n$/)
  })

  it('has reports that run', () => {
    expect(output(withCall, report, end).split('\n').slice(0, 2)).toEqual([
      'alice 0 undefined',
      expect.any(String),
    ])
  })

  it('has a reader of keys', () => {
    const press =
      "setTimeout(() => engine.dtmf({ callId: 'one@example.com', fromTag: 'alice', digit: '5' }), 100)"
    const program = keys.replace('for await', `${press}\nfor await`)
    expect(output(withCall, program, end)).toBe('alice pressed 5 for 160 ms\n')
  })

  it('is told of calls whose media has stopped', () => {
    const told = `await fetch(timeouts.url, { method: 'POST', headers: { 'content-type': 'text/xml' }, body:
      '<methodCall><methodName>teardown</methodName><params><param><value>one@x</value></param></params></methodCall>' })
      await timeouts.close()`
    expect(output(stopped, told)).toMatch(
      /^rtpengine --b2b-url=http:\/\/127\.0\.0\.1:\d+\/ --xmlrpc-format=1\nBYE to both sides of one@x\n$/,
    )
  })

  it('finds an orphan', () => {
    const program = orphans.replace('60_000', '0')
    expect(output(withCall, program, end)).toMatch(/^one@example\.com on udp:.* for \d+ ms: ended\n$/)
  })

  it('says of every command what was run, as the tests against the real rtpengine are named', () => {
    const real = readFileSync(new URL('../real/ng/commands.test.ts', import.meta.url), 'utf8')
    const titles = [...real.matchAll(/it\('([^:']+): (.*?)',/g)]
    const seen = (command: string) =>
      titles.find(([, names = '']) => names.split(', ').includes(command))?.[2]
    const rows = COMMANDS.map(({ name, since }) => {
      const known = since === '10.5'
      const method = name.toLowerCase().replaceAll(/ (.)/g, (_, letter: string) => letter.toUpperCase())
      const what = known ? seen(name) : '`Unrecognized command`: a later release'
      expect(what, name).toBeDefined()
      return [`\`${name}\``, `\`${method}\``, what, ...Array(5).fill(known ? 'done' : 'refused')]
    })
    expect(tableOf(page, 'Command')).toEqual(rows)
  })
})
