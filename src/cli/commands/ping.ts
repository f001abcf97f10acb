import { RtpProxyNgError } from '../../errors.ts'
import { NgClient } from '../../ng/client.ts'
import { milliseconds } from '../figures.ts'
import type { ExitCode } from '../outcome.ts'
import type { Report } from '../report.ts'

interface Answer {
  readonly url: string
  readonly sent: number
  readonly answered: number
  /** The shortest and the longest round trip; null: none. */
  readonly leastMs: number | null
  readonly mostMs: number | null
  readonly error: string | null
}

/** Pings each URL, side by side. */
export async function ping(
  report: Report,
  { timeout, count }: { timeout: number; count: number },
  urls: readonly string[],
): Promise<ExitCode> {
  const clients = urls.map((url) => new NgClient(url, { timeoutMs: timeout, attempts: 1 }))
  const answers = await Promise.all(clients.map((client) => pingOne(client, count)))
  report.result(answers, (answers) => {
    const rows = answers.map(({ url, sent, answered, leastMs, mostMs, error }) => [
      ...[url, `${answered} of ${sent}`, milliseconds(leastMs), milliseconds(mostMs)],
      error ?? '',
    ])
    report.table(['media proxy', 'answered', 'least', 'most', ''], rows)
  })
  return answers.every(({ sent, answered }) => sent === answered) ? 0 : 1
}

async function pingOne(client: NgClient, count: number): Promise<Answer> {
  const times: number[] = []
  let error: string | null = null
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    try {
      await client.ping()
      times.push(performance.now() - started)
    } catch (thrown) {
      if (!(thrown instanceof RtpProxyNgError)) throw thrown
      error = thrown.message
    }
  }
  await client.close()
  const [leastMs, mostMs] = times.length === 0 ? [null, null] : [Math.min(...times), Math.max(...times)]
  return { url: client.url, sent: count, answered: times.length, leastMs, mostMs, error }
}
