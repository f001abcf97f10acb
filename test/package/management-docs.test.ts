import { describe, expect, it } from 'vitest'
import { managementMethods } from '../../src/management/rpc/methods.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/management.md')

describe('the page on management', () => {
  it('has every method', () => {
    const shown = tableOf(page, 'Method').map(([name = '']) => name.replaceAll('`', ''))
    expect(shown).toEqual(Object.keys(managementMethods({} as never)))
  })

  it('has code that runs', () => {
    const [start = '', ask = ''] = snippetsOf(page)
    const given = `
      import { RtpProxyNg } from 'rtpproxy-ng'
      import { FakeRtpEngine } from 'rtpproxy-ng/testing'
      const engine = new FakeRtpEngine()
      await engine.start()
      const [url] = engine.urls
      const media = new RtpProxyNg({ sockets: url })
      await media.start()
    `
    const output = run(`${given}${start}${ask}
      await management.close()
      await media.close()
      await engine.close()`)
    expect(output).toMatch(/^the status page is at http:\/\/127\.0\.0\.1:\d+\n/)
    expect(output).toContain('enabled: false, nodes: 1')
  })
})
