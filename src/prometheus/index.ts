/**
 * Counts and durations for Prometheus.
 *
 * @module rtpproxy-ng/prometheus
 */

import type { Registry } from 'prom-client'
import { optionError } from '../errors.ts'
import { RtpProxyNg } from '../module/client.ts'
import { LABELS, type Labels, Metrics, type MetricsOptions } from './metrics.ts'

/** What `prometheusMetrics` takes. */
export interface PrometheusOptions {
  /** The registry to put the metrics into. Default: a new one. */
  readonly registry?: Registry | undefined
  /** Begins every name. Default `rtpproxy_ng_`. */
  readonly prefix?: string | undefined
  /** Labels on every metric, such as `{ client: 'edge' }`. Clients that share a registry are told apart by them, and must have the same ones. */
  readonly labels?: Labels | undefined
  /** Upper bounds of the durations, in seconds. Default 0.5 ms to 5 s. */
  readonly buckets?: readonly number[] | undefined
}

/** The metrics of one client. */
export interface PrometheusMetrics extends Disposable {
  /** For `managementServer({ metrics })`, or for a server of your own: `registry.metrics()` is the text to send. */
  readonly registry: Registry
  /** Takes the client out of the registry. */
  close(): void
}

/** From half a millisecond, a media proxy on the same host, to all attempts in vain. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** What is in a registry already, by the prefix. */
const shared = new WeakMap<Registry, Map<string, Metrics>>()

/**
 * Counts and times what `media` does, for Prometheus: docs/observability.md lists the metrics. Needs the package `prom-client`.
 *
 * @throws ConfigurationError that names the option that is wrong, or says that the package is missing.
 */
export async function prometheusMetrics(
  media: RtpProxyNg,
  options: PrometheusOptions = {},
): Promise<PrometheusMetrics> {
  const { prefix, labels, buckets } = checked(media, options)
  const client = await promClient()
  const { registry = new client.Registry() } = options
  const byPrefix = shared.get(registry) ?? new Map<string, Metrics>()
  shared.set(registry, byPrefix)
  const labelNames = Object.keys(labels).sort()
  const metrics = byPrefix.get(prefix) ?? defined({ client, registry, prefix, labelNames, buckets })
  byPrefix.set(prefix, metrics)
  if (String(metrics.labelNames) !== String(labelNames) || metrics.has(labels))
    throw optionError(
      'labels',
      'clients that share a registry need labels of the same names with other values',
    )
  const end = metrics.add(media, labels)
  const close = (): void => {
    if (end()) byPrefix.delete(prefix)
  }
  return { registry, close, [Symbol.dispose]: close }
}

/** Metrics are all in the registry, or none. */
function defined(options: MetricsOptions): Metrics {
  const { registry, prefix } = options
  const before = new Set(registry.getMetricsAsArray().map(({ name }) => name))
  try {
    return new Metrics(options)
  } catch (cause) {
    for (const { name } of registry.getMetricsAsArray())
      if (!before.has(name)) registry.removeSingleMetric(name)
    throw optionError(
      'prefix',
      `the registry has metrics that begin with ${prefix}: ${(cause as Error).message}`,
    )
  }
}

function checked(media: RtpProxyNg, options: PrometheusOptions) {
  if (!(media instanceof RtpProxyNg)) throw optionError('media', 'metrics are of an RtpProxyNg')
  if (typeof options !== 'object' || options === null)
    throw optionError('options', 'options must be an object')
  const { registry } = options
  if (registry !== undefined && typeof registry?.registerMetric !== 'function')
    throw optionError('registry', 'registry must be a Registry of prom-client')
  const { prefix = 'rtpproxy_ng_', labels = {}, buckets = BUCKETS } = options
  if (typeof prefix !== 'string' || !/^[a-zA-Z_:][\w:]*$/.test(prefix))
    throw optionError('prefix', 'prefix must be a name of letters, digits and underscores')
  const isLabel = ([name, value]: [string, unknown]): boolean =>
    /^[a-zA-Z_]\w*$/.test(name) && !LABELS.has(name) && typeof value === 'string'
  if (typeof labels !== 'object' || labels === null || !Object.entries(labels).every(isLabel))
    throw optionError(
      'labels',
      `labels must be an object of strings, by other names than ${[...LABELS].join(', ')}`,
    )
  // Each above the one before it, and the first above 0.
  const rises = (bound: unknown, at: number): boolean =>
    Number.isFinite(bound) && (bound as number) > (at === 0 ? 0 : buckets[at - 1]!)
  if (!Array.isArray(buckets) || buckets.length === 0 || !buckets.every(rises))
    throw optionError('buckets', 'buckets must be a list of seconds that rise')
  return { prefix, labels, buckets: [...buckets] }
}

async function promClient(): Promise<typeof import('prom-client')> {
  try {
    // Bundlers forgive a package that is not there only where its import alone is awaited.
    const { default: client } = await import('prom-client')
    return client
  } catch (cause) {
    const why = 'rtpproxy-ng/prometheus needs a package: npm install prom-client'
    throw optionError('prometheus', `${why} (${(cause as Error).message})`)
  }
}
