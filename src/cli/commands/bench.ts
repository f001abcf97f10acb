import { randomUUID } from 'node:crypto'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { Presets, SingleBar } from 'cli-progress'
import pc from 'picocolors'
import { RtpProxyNgError } from '../../errors.ts'
import { NgClient } from '../../ng/client.ts'
import { milliseconds } from '../figures.ts'
import type { ExitCode } from '../outcome.ts'
import type { Report } from '../report.ts'

interface BenchOptions {
  readonly calls: number
  readonly concurrency: number
  readonly timeout: number
}

const COMMANDS = ['offer', 'answer', 'delete'] as const
type CommandName = (typeof COMMANDS)[number]
const QUANTILES = [50, 90, 99, 99.9] as const
/** Widest bar of the histogram, in characters, and how many there are at most. */
const WIDTH = 40
const BARS = 12
const NS = 1e6

/** What was measured of one command. */
interface Measured {
  readonly command: CommandName
  readonly answered: number
  readonly failed: number
  /** Quantiles in milliseconds; null: none was answered. */
  readonly quantiles: Readonly<Record<string, number>> | null
}

interface Outcome {
  readonly url: string
  /** How many were made: fewer than asked for if it was interrupted. */
  readonly calls: number
  readonly concurrency: number
  readonly seconds: number
  readonly callsPerSecond: number
  readonly commands: readonly Measured[]
  /** How many failed for which reason. */
  readonly reasons: Readonly<Record<string, number>>
  /** Offers by the time they took: how many took up to `ms`. */
  readonly histogram: readonly { readonly ms: number; readonly count: number }[]
}

const sdpOf = (port: number): string =>
  [
    ...['v=0', `o=- ${port} 1 IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
    ...[`m=audio ${port} RTP/AVP 0 8 101`, 'a=rtpmap:101 telephone-event/8000', 'a=sendrecv', ''],
  ].join('\r\n')

/** Sets up and ends calls, so many at a time, and tells how long each command took. */
export async function bench(report: Report, options: BenchOptions, url: string): Promise<ExitCode> {
  const load = new Load(url, options)
  const bar = new SingleBar(
    { format: '{bar} {percentage} %  {value} of {total} calls  {duration_formatted}', hideCursor: true },
    Presets.shades_classic,
  )
  // The bar is for those who watch; on standard error, so that results can be kept in a file.
  if (process.stderr.isTTY && !report.isJson) bar.start(options.calls, 0)
  // Who interrupts it leaves no calls behind, and sees what there was; who does so twice ends it where it stands.
  const stop = (): void => load.stop()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const outcome = await load
    .run((done) => bar.update(done))
    .finally(() => {
      bar.stop()
      process.off('SIGINT', stop).off('SIGTERM', stop)
    })
  report.result(outcome, (outcome) => show(report, outcome))
  const isWhole = outcome.calls === options.calls
  return isWhole && outcome.commands.every(({ failed }) => failed === 0) ? 0 : 1
}

class Load {
  readonly #client: NgClient
  readonly #options: BenchOptions
  readonly #times: Readonly<Record<CommandName, RecordableHistogram>>
  readonly #offers: number[] = []
  readonly #failed: Record<CommandName, number> = { offer: 0, answer: 0, delete: 0 }
  readonly #reasons: Record<string, number> = {}
  readonly #prefix = randomUUID()
  #isStopped = false

  constructor(url: string, options: BenchOptions) {
    this.#client = new NgClient(url, { timeoutMs: options.timeout, attempts: 1 })
    this.#options = options
    this.#times = { offer: createHistogram(), answer: createHistogram(), delete: createHistogram() }
  }

  /** Begins no more calls. */
  stop(): void {
    this.#isStopped = true
  }

  async run(tell: (done: number) => void): Promise<Outcome> {
    const { calls, concurrency } = this.#options
    try {
      // A media proxy that is not there is one error, not one for each call.
      await this.#client.ping()
      let begun = 0
      let done = 0
      const started = performance.now()
      const worker = async (): Promise<void> => {
        while (begun < calls && !this.#isStopped) {
          await this.#call(begun++)
          tell(++done)
        }
      }
      await Promise.all(Array.from({ length: Math.min(concurrency, calls) }, worker))
      return this.#outcome(done, (performance.now() - started) / 1000)
    } finally {
      await this.#client.close()
    }
  }

  async #call(index: number): Promise<void> {
    const call = { 'call-id': `${this.#prefix}-${index}`, 'from-tag': 'a' }
    const both = { ...call, 'to-tag': 'b' }
    const port = 10_000 + 2 * (index % 20_000)
    const offered = await this.#timed('offer', () => this.#client.offer({ ...call, sdp: sdpOf(port) }))
    if (offered) await this.#timed('answer', () => this.#client.answer({ ...both, sdp: sdpOf(port + 1) }))
    if (offered) await this.#timed('delete', () => this.#client.delete({ ...call, 'delete-delay': 0 }))
  }

  async #timed(command: CommandName, send: () => Promise<unknown>): Promise<boolean> {
    const started = performance.now()
    try {
      await send()
      const ms = performance.now() - started
      this.#times[command].record(Math.max(1, Math.round(ms * NS)))
      if (command === 'offer') this.#offers.push(ms)
      return true
    } catch (error) {
      if (!(error instanceof RtpProxyNgError)) throw error
      this.#failed[command]++
      this.#reasons[error.message] = (this.#reasons[error.message] ?? 0) + 1
      return false
    }
  }

  #outcome(calls: number, seconds: number): Outcome {
    const { concurrency } = this.#options
    const commands = COMMANDS.map((command): Measured => {
      const times = this.#times[command]
      const quantiles = Object.fromEntries([
        ...QUANTILES.map((q) => [`p${q}`, times.percentile(q) / NS]),
        ['max', times.max / NS],
      ])
      const answered = times.count
      return { command, answered, failed: this.#failed[command], quantiles: answered > 0 ? quantiles : null }
    })
    const { url } = this.#client
    const histogram = barsOf(this.#offers)
    return {
      ...{ url, calls, concurrency, seconds, callsPerSecond: calls / seconds },
      ...{ commands, reasons: this.#reasons, histogram },
    }
  }
}

/** Times in bars that double, from the first that has one to the last. */
function barsOf(times: readonly number[]): Outcome['histogram'] {
  if (times.length === 0) return []
  const exponents = times.map((ms) => Math.ceil(Math.log2(Math.max(ms, 0.001))))
  const last = exponents.reduce((most, one) => Math.max(most, one), -Infinity)
  const first = Math.max(
    exponents.reduce((least, one) => Math.min(least, one), Infinity),
    last - BARS + 1,
  )
  const counts = new Array<number>(last - first + 1).fill(0)
  for (const exponent of exponents) counts[Math.max(exponent - first, 0)]!++
  return counts.map((count, i) => ({ ms: 2 ** (first + i), count }))
}

function show(report: Report, outcome: Outcome): void {
  const { url, calls, concurrency, seconds, callsPerSecond, commands, reasons, histogram } = outcome
  const rate = callsPerSecond.toFixed(callsPerSecond < 10 ? 1 : 0)
  report.line(
    `${calls} calls at ${url}, ${concurrency} at a time: ${seconds.toFixed(2)} s, ${pc.bold(`${rate} calls/s`)}`,
  )
  report.line()
  const names = [...QUANTILES.map((q) => `p${q}`), 'max']
  const rows = commands.map(({ command, answered, failed, quantiles }) => [
    ...[command, answered, failed],
    ...names.map((name) => milliseconds(quantiles?.[name] ?? null)),
  ])
  report.table(['command', 'answered', 'failed', ...QUANTILES.map((q) => `${q} %`), 'most'], rows)
  for (const [reason, count] of Object.entries(reasons)) report.line(pc.red(`${count} x ${reason}`))
  if (histogram.length === 0) return
  report.line()
  report.line('offers that took up to')
  const most = Math.max(...histogram.map(({ count }) => count))
  for (const { ms, count } of histogram) {
    const bar = '█'.repeat(Math.ceil((count / most) * WIDTH))
    report.line(`${milliseconds(ms).padStart(10)} ${pc.cyan(bar)} ${count}`)
  }
}
