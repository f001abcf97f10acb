import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { RtpProxyNg } from '../../src/index.ts'
import { type ManagementServer, managementServer } from '../../src/management/index.ts'
import { prometheusMetrics } from '../../src/prometheus/index.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { invite } from '../diagnostics/scene.ts'
import { freePort } from '../free-port.ts'
import { findProgram } from './program.ts'

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}
const dashboard = JSON.parse(
  readFileSync(new URL('../../docs/grafana/rtpproxy-ng.json', import.meta.url), 'utf8'),
) as { panels: Panel[] }
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
)

const prometheus = findProgram('prometheus', 'prometheus')

describe.skipIf(!prometheus)('Prometheus', () => {
  const engine = new FakeRtpEngine()
  const full = new FakeRtpEngine()
  const media = new RtpProxyNg({ timeoutMs: 20, attempts: 50, spareMs: 0 })
  let management: ManagementServer
  let child: ChildProcess
  let directory: string
  let api: string

  beforeAll(async () => {
    await engine.start()
    const { registry } = await prometheusMetrics(media)
    await media.start()
    await full.start()
    full.script('offer', { error: 'Ran out of ports' })
    await media.setNodes(`${engine.urls[0]} ${full.urls[0]}`)
    management = await managementServer(media, { metrics: registry })
    directory = mkdtempSync(join(tmpdir(), 'prometheus-'))
    const config = {
      global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
      scrape_configs: [
        { job_name: 'sip', static_configs: [{ targets: [management.url.slice('http://'.length)] }] },
      ],
    }
    // YAML takes JSON.
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config))
    const port = await freePort()
    api = `http://127.0.0.1:${port}/api/v1`
    child = spawn(
      prometheus!,
      [
        ...['--config.file', join(directory, 'prometheus.yml'), '--storage.tsdb.path', directory],
        ...['--web.listen-address', `127.0.0.1:${port}`],
      ],
      { stdio: 'ignore' },
    )
    await vi.waitFor(
      async () => expect((await fetch(`http://127.0.0.1:${port}/-/ready`)).status).toBe(200),
      20_000,
    )
  }, 30_000)
  afterAll(async () => {
    const exit = once(child, 'exit')
    child.kill()
    await exit
    await management.close()
    await media.close()
    await engine.close()
    await full.close()
    rmSync(directory, { recursive: true })
  })

  /** How many series an expression of the dashboard has now, as Grafana asks it. */
  async function series(expression: string): Promise<number> {
    const query = expression.replaceAll('$instance', '.+').replaceAll('$__rate_interval', '5s')
    const response = await fetch(`${api}/query?${new URLSearchParams({ query })}`)
    const { status, error, data } = (await response.json()) as {
      status: string
      error?: string
      data?: { result: unknown[] }
    }
    if (status !== 'success') throw new Error(error)
    return data!.result.length
  }

  it('finds nothing to complain of in the metrics', async () => {
    await media.offer(invite())
    const metrics = await (await fetch(`${management.url}/metrics`)).text()
    expect(metrics).toContain('rtpproxy_ng_commands_total{command="offer"')
    const told = execFileSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' })
    expect(told).toBe('')
  })

  it('has something to draw in every panel of the dashboard', async () => {
    // Some of it gets lost, some is refused, and some goes on to the other media proxy.
    engine.weather({ loss: 0.2 })
    let calls = 0
    const traffic = setInterval(() => {
      media.offer(invite(`call ${calls++}`)).catch(() => undefined)
      media.query({ 'call-id': 'none' }).catch(() => undefined)
    }, 50)
    expect(queries.length).toBeGreaterThan(15)
    for (const [title, expression] of queries)
      await expect.poll(() => series(expression), { message: title, timeout: 10_000 }).toBeGreaterThan(0)
    clearInterval(traffic)
  }, 60_000)
})
