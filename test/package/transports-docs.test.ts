import { describe, expect, it } from 'vitest'
import { parseUrls } from '../../src/nodes/grammar.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/transports.md')

describe('the page on transports', () => {
  it('names URLs that can be used', () => {
    const cells = tableOf(page, 'URL').map(([url = '']) => url)
    const urls = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, url = '']) => url))
    expect(urls).toHaveLength(11)
    for (const url of urls) {
      const written = url
        .replace('wss://', 'wss://h')
        .replace('https://', 'https://h')
        .replace('udp:... | tcp:...', 'udp:h:1 | tcp:h:1')
        .replace('HOST', 'h')
        .replace('[:PORT]', ':2223')
        .replaceAll(/\[([^\]]*)\]/g, '$1')
      expect(() => parseUrls(written), written).not.toThrow()
    }
  })

  it('has code that runs', () => {
    const [sets = '', names = '', web = ''] = snippetsOf(page)
    const shown = run(sets)
    expect(shown).toContain('0 udp:127.0.0.1:2223|tcp:127.0.0.1:2223 2')
    expect(shown).toContain('0 udp:127.0.0.1:2224 1')
    expect(shown).toContain('1 ws://127.0.0.1:9900 1')
    for (const quiet of [names, web]) {
      expect(quiet).toContain('new NgClient(')
      expect(run(quiet)).toBe('')
    }
  })
})
