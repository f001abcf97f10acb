import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run, snippetsOf } from './pages.ts'

const root = new URL('../..', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')

it("the README's first example runs as it stands and puts the media proxy into the message", () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? []
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output).toMatch(/^udp:127\.0\.0\.1:\d+ took the call:\nINVITE sip:bob@example\.com SIP\/2\.0\r\n/)
  expect(output).toMatch(/\r\nc=IN IP4 127\.0\.0\.1\r\n/)
  expect(output).not.toContain('m=audio 4000 ')
})

it("the README's other examples run as well", () => {
  const [, proxy = '', redis = '', kamailio = ''] = snippetsOf(readme)
  const directory = mkdtempSync(join(tmpdir(), 'readme-'))
  const file = join(directory, 'kamailio.cfg')
  writeFileSync(file, 'modparam("rtpproxy-ng", "extra_id_pv", "$avp(extra_id)")\n')
  const output = run(`
    import { EventEmitter, once } from 'node:events'
    import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    ${redis
      .replace('redis://127.0.0.1:6379', 'redis://127.0.0.1:9')
      .replace('const media =', 'const sockets = []\nconst shared =')}
    const engine = new FakeRtpEngine()
    await engine.start()
    const media = new RtpProxyNg({ sockets: engine.urls })
    await media.start()
    const socket = new EventEmitter()
    const forwarded = new EventEmitter()
    const forward = (message) => forwarded.emit('message', message)
    const datagram = Buffer.from('OPTIONS sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 OPTIONS\\r\\n\\r\\n')
    ${proxy}
    socket.emit('message', datagram, { address: '127.0.0.1', port: 5060 })
    const [message] = await once(forwarded, 'message')
    console.log(message.equals(datagram))
    ${kamailio.replace("'kamailio.cfg'", JSON.stringify(file)).replace('console.error(', 'console.log(')}
    await Promise.all([shared.close(), media.close(), module.close()])
    await engine.close()`)
  expect(output).toMatch(/^true\nSipError: rtpproxy_manage has nothing to do for this OPTIONS/)
  rmSync(directory, { recursive: true })
})

it('the README shows the two commands at its top', () => {
  const top = readme.slice(0, 1000)
  expect(top).toContain('npm ci && npm run demo')
  expect(top).toContain('npm ci && npm test')
})
