import type { Counter, Histogram, Registry } from 'prom-client'
import { listenTo } from '../diagnostics/subscriptions.ts'
import { RtpProxyNgError } from '../errors.ts'
import type { RtpProxyNg } from '../module/client.ts'
import type { CommandTrace } from '../nodes/dispatch/trace.ts'
import { type Sample, STATES, type State } from './states.ts'

/** The names of labels that the metrics have themselves, `le` by prom-client. */
export const LABELS: ReadonlySet<string> = new Set([
  ...['command', 'node', 'result', 'le'],
  ...STATES.flatMap(({ labels = [] }) => labels),
])

/** Values by the names of labels. */
export type Labels = Readonly<Record<string, string>>

export interface MetricsOptions {
  readonly client: typeof import('prom-client')
  readonly registry: Registry
  readonly prefix: string
  readonly labelNames: readonly string[]
  readonly buckets: number[]
}

/** The metrics of every client that shares a registry and a prefix. */
export class Metrics {
  readonly labelNames: readonly string[]
  readonly #registry: Registry
  readonly #names: string[] = []
  readonly #clients = new Map<RtpProxyNg, Labels>()
  readonly #commands: Counter
  readonly #durations: Histogram
  readonly #resends: Counter
  readonly #sentBytes: Counter
  readonly #receivedBytes: Counter
  readonly #failovers: Counter

  constructor({ client, registry, prefix, labelNames, buckets }: MetricsOptions) {
    this.labelNames = labelNames
    this.#registry = registry
    const define = (name: string, help: string, names: readonly string[]) => {
      this.#names.push(prefix + name)
      return { name: prefix + name, help, labelNames: [...labelNames, ...names], registers: [registry] }
    }
    const command = ['command', 'node', 'result']
    this.#commands = new client.Counter(define('commands_total', 'Commands that are over.', command))
    this.#durations = new client.Histogram({
      ...define('command_duration_seconds', 'From the call of a method to its result.', ['command', 'node']),
      buckets,
    })
    const resends = 'Sends of a command that was sent to this media proxy before.'
    this.#resends = new client.Counter(define('resends_total', resends, ['command', 'node']))
    const sent = 'Bytes of commands, each time they are sent.'
    this.#sentBytes = new client.Counter(define('sent_bytes_total', sent, ['command', 'node']))
    const received = 'Bytes of the replies that ended commands.'
    this.#receivedBytes = new client.Counter(define('received_bytes_total', received, ['command', 'node']))
    const failovers = 'Commands that went on to another media proxy.'
    this.#failovers = new client.Counter(define('failovers_total', failovers, ['command']))
    for (const state of STATES) {
      const Kind = state.counts ? client.Counter : client.Gauge
      const metric = new Kind({
        ...define(state.name, state.help, state.labels ?? []),
        collect: () => {
          metric.reset()
          for (const [media, labels] of this.#clients)
            for (const sample of samplesOf(state, media))
              metric.inc({ ...labels, ...sample.labels }, sample.value)
        },
      })
    }
  }

  /** Whether a client has these labels already. */
  has(labels: Labels): boolean {
    const text = JSON.stringify(Object.entries(labels).sort())
    return [...this.#clients.values()].some((other) => JSON.stringify(Object.entries(other).sort()) === text)
  }

  /** Counts for `media` as well; returns what ends it, which tells whether that was the last one. */
  add(media: RtpProxyNg, labels: Labels): () => boolean {
    this.#clients.set(media, labels)
    const end = listenTo(media, {
      sent: (trace) => this.#sent(trace, labels),
      ended: (trace) => this.#ended(trace, labels),
    })
    return () => {
      if (!this.#clients.delete(media)) return false
      end()
      if (this.#clients.size > 0) return false
      for (const name of this.#names) this.#registry.removeSingleMetric(name)
      return true
    }
  }

  #sent({ command, node = '', isResend, datagram }: CommandTrace, labels: Labels): void {
    if (isResend) this.#resends.inc({ ...labels, command, node })
    this.#sentBytes.inc({ ...labels, command, node }, datagram.length)
  }

  #ended(trace: CommandTrace, labels: Labels): void {
    const { command, node = '', nodes, durationMs = 0, reply } = trace
    this.#commands.inc({ ...labels, command, node, result: resultOf(trace) })
    this.#durations.observe({ ...labels, command, node }, durationMs / 1000)
    if (reply !== undefined) this.#receivedBytes.inc({ ...labels, command, node }, reply.length)
    if (nodes > 1) this.#failovers.inc({ ...labels, command })
  }
}

/** `ok`, `remembered`, or the code of the error: `timeout`, `load_limit`, ... */
function resultOf({ outcome = 'failed', error }: CommandTrace): string {
  return error instanceof RtpProxyNgError ? error.code.replace(/^ERR_RTPPROXY_/, '').toLowerCase() : outcome
}

function samplesOf({ read }: State, media: RtpProxyNg): readonly Sample[] {
  const value = read(media)
  return typeof value === 'number' ? [{ value, labels: {} }] : (value ?? [])
}
