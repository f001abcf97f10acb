import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../..', import.meta.url)
const page = readFileSync(new URL('docs/failure-and-balancing.md', root), 'utf8')
const [start = '', ...snippets] = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)

/** What the page takes for granted: two media proxies, and the messages of a call. */
const given = `
import { SipMessage } from 'rtpproxy-ng'
import { EmbeddedRelay } from 'rtpproxy-ng/relay'
const relays = [new EmbeddedRelay(), new EmbeddedRelay()]
for (const relay of relays) await relay.start()
const [[first], [second]] = relays.map((relay) => relay.urls)
const secret = 'sixteen bytes or more'
const sdp = 'v=0\\r\\no=- 1 1 IN IP4 192.0.2.7\\r\\ns=-\\r\\nc=IN IP4 192.0.2.7\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
const message = (line, to, body) => SipMessage.parse(Buffer.from(\`\${line}\\r\\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\\r
From: <sip:a@b>;tag=a\\r\\nTo: <sip:b@c>\${to}\\r\\nCall-ID: @@\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r
Content-Length: \${body.length}\\r\\n\\r\\n\${body}\`), { address: '192.0.2.7' })
const invite = message('INVITE sip:b@c SIP/2.0', '', sdp)
const ok = message('SIP/2.0 200 OK', ';tag=b', sdp)
const bye = message('BYE sip:b@c SIP/2.0', ';tag=b', '')
const reInvites = []
const reInvite = (...words) => reInvites.push(words.map(String).join(' ').replaceAll('\\r\\n', ' '))
`
const end = `
await media.close()
for (const relay of relays) await relay.close()
`

/** Runs a snippet of the page between other code; returns what it prints. */
function run(word: string, { before = '', after = '' } = {}): string {
  const snippet = snippets.filter((code) => code?.includes(word))
  expect(snippet).toHaveLength(1)
  // In a scope of its own, since snippets name things as the code around them does.
  const code = `${given}${start}${before}\n{\n${snippet[0]}\n${after}\n}\n${end}`
  return execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    encoding: 'utf8',
  })
}

const oneCall = 'await media.offer(invite); await media.answer(ok)'

describe('the page on failure and balancing', () => {
  it('has no code that is not run here', () => {
    expect(snippets).toHaveLength(8)
  })

  it('balances by a function', () => {
    const after = `await night.start(); console.log(relays.length, (await night.offer(invite)).node.slice(0, 4)); await night.close()`
    expect(run('byHour', { after })).toBe('2 udp:\n')
  })

  it('carries a token', () => {
    expect(run('Record-Route', { after: 'console.log(token.length, media.counters.calls)' })).toBe('28 0\n')
  })

  it('gives up by a deadline or a signal', () => {
    expect(run('hangUp', { after: 'console.log(node === first)' })).toBe('true\n')
  })

  it('shows events and counters', () => {
    const after = 'media.enable(first, false); console.log(calls, state, rememberedDeletes)'
    expect(run('node:state', { before: oneCall, after })).toMatch(/: up > disabled, 1 calls\n1 up 0\n$/)
  })

  it('drains, with and without a limit', () => {
    const before = `${oneCall}; setTimeout(() => media.destroy(bye), 20)`
    const after = 'console.log(media.show().map(({ url }) => url === second))'
    expect(run('await media.drain(first)\n', { before, after })).toBe('[ true ]\n')
    expect(run('const hour', { before, after: 'console.log(media.show()[0].state)' })).toBe('draining\n')
  })

  it('changes weights', () => {
    expect(run('=3`', { after: 'console.log(media.show().map(({ weight }) => weight))' })).toBe('[ 1, 3 ]\n')
  })

  it('moves calls away from a node that died', () => {
    const after = `
      await relays[0].close()
      await media.query(bye).catch(() => undefined)
      while (reInvites.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      for (const one of reInvites) console.log(one.replace(/=audio \\d+/, '=audio'))`
    expect(run('reanchor', { before: oneCall, after })).toMatch(
      /^@@ b v=0 .* m=audio .*\n@@ a v=0 .* m=audio .*\n$/,
    )
  })
})
