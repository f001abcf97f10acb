import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

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

it('the README shows the two commands at its top', () => {
  const top = readme.slice(0, 1000)
  expect(top).toContain('npm ci && npm run demo')
  expect(top).toContain('npm ci && npm test')
})
