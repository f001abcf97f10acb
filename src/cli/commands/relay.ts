import { once } from 'node:events'
import { EmbeddedRelay } from '../../relay/index.ts'
import { type ExitCode, UsageError } from '../outcome.ts'
import type { Report } from '../report.ts'

interface RelayOptions {
  readonly listen: readonly string[]
  readonly address: readonly string[]
  readonly ports?: string
  readonly sessions: number
}

/** Runs the embedded relay until it is told to stop. */
export async function relay(report: Report, options: RelayOptions): Promise<ExitCode> {
  const { listen, address, sessions } = options
  const ports = options.ports === undefined ? {} : portsOf(options.ports)
  const relay = new EmbeddedRelay({ listen, address, maxSessions: sessions, ...ports })
  /** One line for each thing that happens, as JSON for programs. */
  const tell = (event: string, details: object, text: string): void =>
    report.line(report.isJson ? JSON.stringify({ event, ...details }) : text)
  relay.on('call:created', ({ callId }) => tell('call:created', { callId }, `call ${callId}`))
  relay.on('call:timeout', ({ callId }) =>
    tell('call:timeout', { callId }, `call ${callId} was silent for too long`),
  )
  relay.on('call:deleted', ({ callId, packets }) =>
    tell('call:deleted', { callId, packets }, `call ${callId} is over: ${packets} packets`),
  )
  relay.on('command:failed', (error) => report.failure(error))
  await relay.start()
  tell('listening', { urls: relay.urls }, `listening at ${relay.urls.join(' ')}`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await relay.close()
  return 0
}

function portsOf(text: string): { portMin: number; portMax: number } {
  const [, least, most] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
  if (least === undefined) throw new UsageError(`--ports must be MIN-MAX, not '${text}'`)
  return { portMin: Number(least), portMax: Number(most) }
}
