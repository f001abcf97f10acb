import client from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigurationError, RtpProxyNg } from '../../src/index.ts'
import { type PrometheusOptions, prometheusMetrics } from '../../src/prometheus/index.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { invite } from '../diagnostics/scene.ts'

let engine: FakeRtpEngine
let media: RtpProxyNg
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  media = new RtpProxyNg({ sockets: engine.urls[0]!, timeoutMs: 500, attempts: 2 })
})
afterEach(async () => {
  await media.close()
  await engine.close()
})

/** Name and labels to value, of one registry. */
async function values(registry: client.Registry): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const metric of await registry.getMetricsAsJSON())
    for (const { labels, value, ...more } of metric.values) {
      const name = 'metricName' in more ? String(more.metricName) : metric.name
      const text = Object.entries(labels)
        .map(([label, is]) => `${label}=${String(is).replace(engine.urls[0]!, 'NODE')}`)
        .join(' ')
      found[`${name.replace('rtpproxy_ng_', '')} ${text}`.trim()] = value
    }
  return found
}

describe('the metrics for Prometheus', () => {
  it('count commands by what became of them, and time them', async () => {
    const { registry } = await prometheusMetrics(media)
    await media.start()
    await media.offer(invite('one'))
    await media.offer(invite('two'))
    engine.script('offer', { error: 'no' }, { times: 1 })
    await media.offer(invite('three')).catch(() => undefined)
    engine.script('query', { silent: true }, { times: 1 })
    await media.query(invite('one')).catch(() => undefined)
    const found = await values(registry)
    expect(found).toMatchObject({
      'commands_total command=ping node=NODE result=ok': 1,
      'commands_total command=offer node=NODE result=ok': 2,
      'commands_total command=offer node=NODE result=ng': 1,
      'commands_total command=query node=NODE result=no_node': 1,
      'command_duration_seconds_count command=offer node=NODE': 3,
      'command_duration_seconds_bucket le=+Inf command=offer node=NODE': 3,
      'command_duration_seconds_bucket le=0.0005 command=query node=NODE': 0,
      'resends_total command=query node=NODE': 1,
      'node_state node=NODE set=0 state=down': 1,
      'node_state node=NODE set=0 state=up': 0,
      'node_weight node=NODE set=0': 1,
      'node_calls node=NODE set=0': 2,
      ...{ open_commands: 0, open_requests: 0, calls: 2, overloads_total: 0 },
      'dropped_replies_total reason=late': 0,
    })
    expect(found['command_duration_seconds_sum command=query node=NODE']).toBeGreaterThan(0.99)
    // A ping is a cookie, a space and `d7:command4:pinge`, and its reply `d6:result4:ponge`.
    expect(found['received_bytes_total command=ping node=NODE']).toBe(16)
    expect(found['sent_bytes_total command=ping node=NODE']).toBeGreaterThan(18)
    const queries = found['sent_bytes_total command=query node=NODE']! / 2
    expect([queries > 18, Number.isInteger(queries)]).toEqual([true, true])
    expect(found['received_bytes_total command=query node=NODE']).toBeUndefined()
    expect(found['received_bytes_total command=offer node=NODE']).toBeGreaterThan(3 * 16)
    expect(Object.keys(found).filter((name) => /token|store/.test(name))).toEqual([])
  })

  it('count what goes on to another media proxy', async () => {
    const other = new FakeRtpEngine()
    await other.start()
    engine.script('offer', { error: 'Ran out of ports' })
    await media.setNodes([]).catch(() => undefined)
    await using both = new RtpProxyNg({ sockets: `${engine.urls[0]} ${other.urls[0]}=0`, lastResort: true })
    const { registry } = await prometheusMetrics(both)
    await both.start()
    await both.offer(invite())
    expect(await values(registry)).toMatchObject({ 'failovers_total command=offer': 1 })
    await other.close()
  })

  it('have store and tokens, if there are any', async () => {
    await using signed = new RtpProxyNg({ sockets: engine.urls[0]!, tokenKey: 'a key of sixteen bytes' })
    const { registry } = await prometheusMetrics(signed)
    expect(await values(registry)).toMatchObject({ 'refused_tokens_total reason=forged': 0 })
  })

  it('of several clients stand in one registry, told apart by labels', async () => {
    const registry = new client.Registry()
    await using second = new RtpProxyNg({ sockets: engine.urls[0]! })
    const metrics = await prometheusMetrics(media, { registry, labels: { client: 'a' } })
    const more = await prometheusMetrics(second, { registry, labels: { client: 'b' } })
    await media.start()
    await second.start()
    await second.offer(invite())
    expect(await values(registry)).toMatchObject({ 'calls client=a': 0, 'calls client=b': 1 })
    expect(await values(registry)).toMatchObject({ 'calls client=a': 0, 'calls client=b': 1 })
    more.close()
    more.close()
    expect(await values(registry)).not.toHaveProperty('calls client=b')
    metrics.close()
    expect(await registry.metrics()).toBe('\n')
    await prometheusMetrics(media, { registry })
  })

  it('are told to nobody after close', async () => {
    const metrics = await prometheusMetrics(media, { prefix: 'media_' })
    await media.start()
    expect(await metrics.registry.metrics()).toContain('media_commands_total{command="ping"')
    metrics.close()
    await media.offer(invite())
    expect(await metrics.registry.metrics()).toBe('\n')
  })

  it.each([
    [{ prefix: '1' }, /prefix/],
    [{ labels: { 'a-b': 'x' } }, /labels/],
    [{ labels: { a: 1 } }, /labels/],
    [{ labels: { node: 'edge' } }, /labels/],
    [{ labels: { le: 'edge' } }, /labels/],
    [{ buckets: ['x'] }, /buckets/],
    [{ buckets: [] }, /buckets/],
    [{ buckets: [1, 0.5] }, /buckets/],
    [{ buckets: [1, Number.POSITIVE_INFINITY] }, /buckets/],
    [{ registry: {} }, /registry/],
    [null, /options/],
  ])('refuse options that are wrong: %o', async (options, message) => {
    await expect(prometheusMetrics(media, options as PrometheusOptions)).rejects.toThrow(message)
    await expect(prometheusMetrics(media, options as PrometheusOptions)).rejects.toThrow(ConfigurationError)
  })

  it('leave a registry as it was that has one of their names', async () => {
    const registry = new client.Registry()
    const taken = new client.Gauge({ name: 'rtpproxy_ng_calls', help: 'of another', registers: [registry] })
    await expect(prometheusMetrics(media, { registry })).rejects.toMatchObject({
      ...{ code: 'ERR_RTPPROXY_OPTION', option: 'prefix' },
      message: expect.stringContaining('rtpproxy_ng_calls'),
    })
    expect(registry.getMetricsAsArray()).toEqual([taken])
    await prometheusMetrics(media, { registry, prefix: 'media_' })
  })

  it('refuse labels that tell no clients apart, and what is no client', async () => {
    const registry = new client.Registry()
    await prometheusMetrics(media, { registry, labels: { client: 'a' } })
    await using other = new RtpProxyNg()
    for (const labels of [{ client: 'a' }, { server: 'b' }, {}])
      await expect(prometheusMetrics(other, { registry, labels })).rejects.toThrow(/labels/)
    await expect(prometheusMetrics({} as RtpProxyNg)).rejects.toThrow(/RtpProxyNg/)
  })
})
