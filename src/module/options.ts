import { ConfigurationError } from '../errors.ts'
import type { SipMessage } from './message.ts'

/** What `new RtpProxyNg` takes. Every default is the module's. */
export interface RtpProxyNgOptions {
  /**
   * The media proxies: strings of `[ID ==] URL[=WEIGHT] ...`, each one set (default id 0); a URL is `udp:HOST[:PORT]`,
   * `udp6:HOST[:PORT]`, `unix:PATH` or a bare UNIX path. Default: none, and then every command fails.
   */
  readonly sockets?: string | readonly string[] | undefined
  /** How long to wait for a reply to one sending, in milliseconds. Default 1000. */
  readonly timeoutMs?: number | undefined
  /** How many times one command is sent to one media proxy in all. Default 5. */
  readonly attempts?: number | undefined
  /** How long a media proxy that did not answer is left alone, in milliseconds. Default 60000. */
  readonly disableMs?: number | undefined
  /** Where flag `b` takes its `via-branch` from, unless the call names one. Default: nowhere, and flag `b` fails. */
  readonly extraId?: ((message: SipMessage) => string | null | undefined) | undefined
  /**
   * What flag `t` does to a delete. `'includes'` (default) is what the module does: without `t` a delete leaves the To tag
   * out, with `t` it is there. `'omits'` is what the module's manual says: the reverse.
   */
  readonly toTagFlag?: 'includes' | 'omits' | undefined
  /** How many INVITE transactions `manage` remembers at most. Default 100000. */
  readonly transactionLimit?: number | undefined
  /** How long `manage` remembers a transaction after its last message, in milliseconds. Default 300000. */
  readonly transactionMs?: number | undefined
}

export interface CheckedOptions {
  readonly sockets: readonly string[]
  readonly timeoutMs: number
  readonly attempts: number
  readonly disableMs: number
  readonly extraId: ((message: SipMessage) => string | null | undefined) | undefined
  readonly toTagFlag: 'includes' | 'omits'
  readonly transactionLimit: number
  readonly transactionMs: number
}

const NAMES: ReadonlySet<string> = new Set<keyof CheckedOptions>([
  'sockets',
  'timeoutMs',
  'attempts',
  'disableMs',
  'extraId',
  'toTagFlag',
  'transactionLimit',
  'transactionMs',
])

function optionError(option: string, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_OPTION', option, message)
}

function integer(
  options: RtpProxyNgOptions,
  name: keyof RtpProxyNgOptions,
  preset: number,
  least: number,
  most: number,
): number {
  const value = options[name] ?? preset
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw optionError(name, `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
  }
  return value
}

/** Longest time an option takes: what a Node timer can wait. */
const MAX_MS = 0x7fff_ffff

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names the option.
 */
export function checkOptions(options: RtpProxyNgOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null)
    throw optionError('options', 'options must be an object')
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name))
      throw optionError(name, `unknown option '${name}'; there are ${[...NAMES].join(', ')}`)
  }
  const { sockets = [], extraId, toTagFlag = 'includes' } = options
  const list = typeof sockets === 'string' ? [sockets] : sockets
  if (!Array.isArray(list) || list.some((text) => typeof text !== 'string')) {
    throw optionError('sockets', 'sockets must be a string or a list of strings')
  }
  if (extraId !== undefined && typeof extraId !== 'function')
    throw optionError('extraId', 'extraId must be a function')
  if (toTagFlag !== 'includes' && toTagFlag !== 'omits') {
    throw optionError('toTagFlag', `toTagFlag must be 'includes' or 'omits', not ${String(toTagFlag)}`)
  }
  return {
    sockets: [...list],
    timeoutMs: integer(options, 'timeoutMs', 1000, 1, MAX_MS),
    attempts: integer(options, 'attempts', 5, 1, 1000),
    disableMs: integer(options, 'disableMs', 60_000, 0, MAX_MS),
    extraId,
    toTagFlag,
    transactionLimit: integer(options, 'transactionLimit', 100_000, 1, 10_000_000),
    transactionMs: integer(options, 'transactionMs', 300_000, 1, MAX_MS),
  }
}
