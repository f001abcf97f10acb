import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CallStore, RtpProxyNg } from '../../src/index.ts'
import { prometheusMetrics } from '../../src/prometheus/index.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/observability.md')
/** Never asked. */
const store: CallStore = {
  find: () => Promise.resolve(new Map()),
  keep: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  report: () => Promise.resolve(),
  watch: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

describe('the page on watching', () => {
  it('has every metric with its labels', async () => {
    const media = new RtpProxyNg({ tokenKey: 'a key of sixteen bytes', store })
    const { registry } = await prometheusMetrics(media)
    const shown = tableOf(page, 'Metric').map(([name, labels]) =>
      [name, labels].join(' ').replaceAll('`', ''),
    )
    const real = registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] }
      return `${name.replace('rtpproxy_ng_', '')} ${labelNames.join(', ')}`
    })
    expect(shown).toEqual(real)
  })

  it('has every line of the log', () => {
    const source = ['logger', '../module/proxies']
      .map((name) => readFileSync(new URL(`../../src/diagnostics/${name}.ts`, import.meta.url), 'utf8'))
      .join('')
    const shown = tableOf(page, 'Level').flatMap(([, texts = '']) =>
      [...texts.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
    )
    for (const text of shown.filter((text) => text.includes(' ') && !text.startsWith('media proxy')))
      expect(source).toContain(`'${text}'`)
    expect(shown.length).toBeGreaterThan(10)
  })

  it('has code that runs', () => {
    const [listen = '', bind = '', metrics = '', log = ''] = snippetsOf(page)
    // Imports stand first wherever they are written, but no name may come twice.
    const code = [listen, bind, metrics, log]
      .join('\n')
      .replace("import { RtpProxyNg } from 'rtpproxy-ng'\n", '')
    const output = run(`
      import { RtpProxyNg } from 'rtpproxy-ng'
      import { FakeRtpEngine } from 'rtpproxy-ng/testing'
      const engine = new FakeRtpEngine()
      await engine.start()
      const sockets = engine.urls[0]
      const media = new RtpProxyNg({ sockets, timeoutMs: 500, attempts: 1 })
      ${code.replaceAll(/^import \{ (subscribe|tracingChannel) .*\n/gm, '')}
      import { subscribe, tracingChannel } from 'node:diagnostics_channel'
      await media.start()
      await engine.stop()
      await logged.request('ping').catch(() => undefined)
      await management.close()
      await media.close()
      await logged.close()`)
    expect(output).toMatch(/^ping to udp:127\.0\.0\.1:\d+: ok after 1 sends, [\d.]+ ms/m)
    expect(output).toContain('text/plain; version=0.0.4; charset=utf-8')
    expect(output).toMatch(/"level":40.*"msg":"media proxy down"/)
  })
})
