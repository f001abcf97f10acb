import { RtpProxyNgError } from '../errors.ts'
import type { CommandTrace } from '../nodes/dispatch/trace.ts'
import type { NodeChange } from '../nodes/health/change.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import { readBody, withoutKeys } from './bodies.ts'
import { LOG_LEVELS, type LogLevel, type LogOptions } from './levels.ts'
import { listenTo } from './subscriptions.ts'

/** Writes what a client does and what befalls it. */
export class ClientLog {
  readonly #options: LogOptions
  readonly #detailsFirst: boolean

  constructor(options: LogOptions) {
    this.#options = options
    this.#detailsFirst = typeof (options.logger as { bindings?: unknown }).bindings === 'function'
  }

  /** Begins with what the channels tell of `client`; returns what ends it. */
  listen(client: object): () => void {
    const isVerbose = this.#options.level === 'debug'
    return listenTo(client, {
      ended: (trace) => this.#ended(trace),
      changed: (change) => this.#changed(change),
      sent: isVerbose ? (trace) => this.#sent(trace) : undefined,
      dropped: isVerbose
        ? ({ reason, length }) => this.write('debug', 'reply dropped', { reason, length })
        : undefined,
    })
  }

  write(level: LogLevel, text: string, details: Readonly<Record<string, unknown>>): void {
    const { logger, level: least } = this.#options
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return
    const write = logger[level].bind(logger) as (...details: unknown[]) => void
    if (this.#detailsFirst) write(details, text)
    else write(`rtpproxy-ng: ${text}`, details)
  }

  failure(text: string, error: unknown): void {
    this.write('warn', text, problem(error))
  }

  #ended(trace: CommandTrace): void {
    const { error, outcome } = trace
    const details = { ...about(trace), ms: round(trace.durationMs), reply: this.#body(trace.reply, 0) }
    if (error === undefined)
      this.write('debug', outcome === 'remembered' ? 'command kept for later' : 'command done', details)
    // Pings report by the state of their media proxy.
    else if (trace.command === 'ping') this.write('debug', 'ping failed', { ...details, ...problem(error) })
    else {
      const isOurs = error instanceof RtpProxyNgError && error.code === 'ERR_RTPPROXY_ABORTED'
      this.write(isOurs ? 'info' : 'warn', 'command failed', { ...details, ...problem(error) })
    }
  }

  #sent(trace: CommandTrace): void {
    const { isResend, sends } = trace
    const body = sends === 1 ? this.#body(trace.datagram, COOKIE_LENGTH + 1) : undefined
    this.write('debug', isResend ? 'command sent again' : 'command sent', { ...about(trace), request: body })
  }

  #changed({ node, before, reason }: NodeChange): void {
    const { url, set, state } = node
    const details = { node: url, set, state, before, ...(reason && problem(reason)) }
    this.write(state === 'down' ? 'warn' : 'info', `media proxy ${state}`, details)
  }

  #body(bytes: Buffer | undefined, offset: number): unknown {
    if (bytes === undefined || this.#options.level !== 'debug') return undefined
    return readBody(bytes, offset, this.#options.bodies)
  }
}

function about({ command, node, set, callId, sends }: CommandTrace): Record<string, unknown> {
  return { command, node, set, callId, sends }
}

function problem(error: unknown): Record<string, unknown> {
  if (!(error instanceof RtpProxyNgError)) return { error: String(error) }
  // A media proxy may say anything in its reason.
  return { code: error.code, error: withoutKeys(error.message) }
}

function round(ms = 0): number {
  return Math.round(ms * 1000) / 1000
}
