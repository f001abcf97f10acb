import { describe, expect, it } from 'vitest'
import { readPage, run, snippetsOf } from './pages.ts'

const [start = '', ...snippets] = snippetsOf(readPage('docs/testing.md'))

/** What the page takes for granted: the messages of a call, and the first of another. */
const given = `
import assert from 'node:assert/strict'
import { SipMessage } from 'rtpproxy-ng'
const callId = 'one'
const sdp = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
const message = (line, id, to, body) => SipMessage.parse(Buffer.from(\`\${line}\\r\\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\\r
From: <sip:a@b>;tag=a\\r\\nTo: <sip:b@c>\${to}\\r\\nCall-ID: \${id}\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r
Content-Length: \${body.length}\\r\\n\\r\\n\${body}\`), { address: '127.0.0.1' })
const invite = message('INVITE sip:b@c SIP/2.0', callId, '', sdp)
const another = message('INVITE sip:b@c SIP/2.0', 'two', '', sdp)
const bye = message('BYE sip:b@c SIP/2.0', callId, '', '')
`
const end = `
await media.close()
await engine.close()
console.log('done')
`

describe('the page on testing', () => {
  it('has code', () => {
    expect(snippets).toHaveLength(6)
  })

  it.each(snippets.map((code = '') => [code.split('\n')[0], code]))('runs: %s', (_, code) => {
    // In a scope of its own, since snippets name things as the code around them does.
    const program = `${given}${start}\n{\n${code}\n}\n${end}`
    expect(run(program)).toBe('done\n')
  })
})
