import { expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { readPage, run, snippetsOf } from './pages.ts'

const page = readPage('docs/moving-from-opensips.md')

it('the page on moving from OpenSIPS has a program that runs', () => {
  const [program = '', ...others] = snippetsOf(page)
  expect(others).toEqual([])
  const given = `
import { SipMessage } from 'rtpproxy-ng'
import { FakeRtpEngine } from 'rtpproxy-ng/testing'
const engine = new FakeRtpEngine()
await engine.start()
const invite = SipMessage.parse(Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0 8\\r\\n'), { address: '127.0.0.1' })
`
  const end = `
console.log(node === engine.urls[0], message.includes(sdp), engine.commands.find(({ command }) => command === 'offer').parameters.codec)
await engine.close()
`
  const own = program.replaceAll(/'([^']*)udp:127\.0\.0\.1:2223'/g, "'$1' + engine.urls[0]")
  expect(run(`${given}${own}${end}`)).toMatch(/true true .*strip: \[ 'PCMA', 'GSM' \]/)
})

it('the page on moving from OpenSIPS names methods there are', () => {
  const methods = new Set<string>()
  for (let of = RtpProxyNg.prototype; of !== null; of = Object.getPrototypeOf(of))
    for (const name of Object.getOwnPropertyNames(of)) methods.add(name)
  const table = page.slice(page.indexOf('## Functions'), page.indexOf('## Variables'))
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `rtpengine_') && !line.includes('use_set'))
  expect(rows.length).toBeGreaterThan(8)
  for (const row of rows) {
    const [name] = row.split('|')[2]!.match(/`[a-zA-Z]+`(?:, `[a-zA-Z]+`)*/)!
    for (const method of name.matchAll(/[a-zA-Z]+/g)) expect(methods, row).toContain(method[0])
  }
})
