import { expect, it } from 'vitest'
import { readPage, run, snippetsOf } from './pages.ts'

it('the page on security has code that runs', () => {
  const code = snippetsOf(readPage('docs/security.md')).join('\n')
  const output = run(`
    import { RtpProxyNg } from 'rtpproxy-ng'
    const sockets = 'udp:127.0.0.1:9'
    const [newKey, oldKey] = ['k'.repeat(16), 'o'.repeat(16)]
    const [ca, cert, key] = []
    ${code}
    await Promise.all([media, signed, bounded].map((client) => client.close()))
    console.log('made')`)
  expect(output).toBe('made\n')
})
