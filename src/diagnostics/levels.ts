import type { LogBodies } from './bodies.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** pino, or a child of it, or `console`, or whatever has these methods. What has `bindings`, as pino, takes the details first and the text last. */
export type Logger = { readonly [level in LogLevel]: (...details: never[]) => void }

/** How a client logs. */
export interface LogOptions {
  readonly logger: Logger
  /** Below it nothing is logged, nor made. */
  readonly level: LogLevel
  readonly bodies: LogBodies
}
