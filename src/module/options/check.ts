import { LOG_LEVELS, type LogOptions } from '../../diagnostics/levels.ts'
import { optionError } from '../../errors.ts'
import { checkLocalAddress } from '../../network/local-address.ts'
import { checkResolver } from '../../network/names.ts'
import { checkWebOptions } from '../../network/web/address.ts'
import type { Balancing } from '../../nodes/balancing.ts'
import { failsOverOn } from '../../nodes/dispatch/failover.ts'
import type { PoolOptions } from '../../nodes/options.ts'
import type { DtmfReceiver } from '../../protocol/commands/notification.ts'
import { checkStrict, type Strictness } from '../../protocol/vocabulary/strict.ts'
import type { SipMessage } from '../message.ts'
import type { FlagGrammar } from '../request/rtpengine-flags.ts'
import type { DeathCause, RtpProxyNgOptions } from './options.ts'

/** The options with everything filled in. */
export interface CheckedOptions extends PoolOptions {
  readonly sockets: readonly string[]
  readonly strict: Strictness
  readonly flagGrammar: FlagGrammar
  readonly keepDialogs: number
  readonly extraId: ((message: SipMessage) => string | null | undefined) | undefined
  readonly toTagFlag: 'includes' | 'omits'
  readonly log: LogOptions | undefined
  readonly transactionLimit: number
  readonly transactionMs: number
}

/** Longest time an option takes: what a Node timer can wait. */
const MAX_MS = 0x7fff_ffff
const MAX_COUNT = 10_000_000

/** Default, least and most of the options that are whole numbers. */
const NUMBERS = {
  timeoutMs: [1000, 1, MAX_MS],
  attempts: [5, 1, 1000],
  deadlineMs: [0, 0, MAX_MS],
  disableMs: [60_000, 0, MAX_MS],
  deadAfter: [1, 1, MAX_COUNT],
  pingMs: [0, 0, MAX_MS],
  nodesPerCommand: [MAX_COUNT, 1, MAX_COUNT],
  spareMs: [10_000, 0, MAX_MS],
  storeWaitMs: [50, 1, MAX_MS],
  tokenMs: [86_400_000, 60_000, 10 * 365 * 86_400_000],
  openLimit: [100_000, 1, MAX_COUNT],
  nodeOpenLimit: [20_000, 1, MAX_COUNT],
  rememberedDeletes: [10_000, 0, MAX_COUNT],
  resolveMs: [0, 0, MAX_MS],
  keepDialogs: [0, 0, MAX_COUNT],
  transactionLimit: [100_000, 1, MAX_COUNT],
  transactionMs: [300_000, 1, MAX_MS],
} as const satisfies Record<string, readonly [preset: number, least: number, most: number]>

/** The options that are true or false, with their defaults. */
const SWITCHES = {
  adaptive: false,
  confirmDead: false,
  halfOpen: false,
  lastResort: false,
  pingAtStart: true,
  redetect: true,
} as const satisfies Record<string, boolean>

const DEATH_CAUSES: readonly DeathCause[] = ['timeout', 'refused', 'unreachable']
const BALANCINGS = ['checksum', 'rendezvous', 'least-open'] as const
const CODINGS = ['bencode', 'json'] as const
const FLAG_GRAMMARS = ['kamailio', 'opensips', 'rtpengine'] as const
const NAME_MODES = ['first', 'all', 'srv'] as const
const TO_TAG_FLAGS = ['includes', 'omits'] as const
const LOG_BODIES = ['none', 'redacted', 'all'] as const
const STORE_METHODS = ['find', 'keep', 'forget', 'report', 'watch', 'close'] as const

const NAMES: ReadonlySet<string> = new Set<keyof RtpProxyNgOptions>([
  'sockets',
  ...(Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]),
  ...(Object.keys(SWITCHES) as (keyof typeof SWITCHES)[]),
  'strict',
  'deadOn',
  'failoverOn',
  'suspectAttempts',
  'balancing',
  'affinity',
  'store',
  'tokenKey',
  'coding',
  'dtmf',
  'web',
  'flagGrammar',
  'names',
  'resolver',
  'localAddress',
  'extraId',
  'toTagFlag',
  'logger',
  'logLevel',
  'logBodies',
])

function integer(
  name: string,
  given: unknown,
  [preset, least, most]: readonly [number, number, number],
): number {
  const value = given ?? preset
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw optionError(name, `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
  }
  return value
}

function oneOf<T extends string>(name: string, given: unknown, values: readonly T[]): T {
  const value = given ?? values[0]
  if (!values.includes(value as T)) {
    const all = values.map((one) => `'${one}'`).join(', ')
    throw optionError(name, `${name} must be one of ${all}, not ${String(value)}`)
  }
  return value as T
}

function affinityOf(given: RtpProxyNgOptions['affinity']): CheckedOptions['affinity'] {
  if (given === false) return undefined
  if (given !== undefined && given !== true && (typeof given !== 'object' || given === null)) {
    throw optionError('affinity', 'affinity must be true, false or an object')
  }
  const { limit, lifetimeMs } = typeof given === 'object' ? given : {}
  return {
    limit: integer('affinity.limit', limit, [100_000, 1, MAX_COUNT]),
    lifetimeMs: integer('affinity.lifetimeMs', lifetimeMs, [4 * 3_600_000, 1, MAX_MS]),
  }
}

function balancingOf(given: RtpProxyNgOptions['balancing']): Balancing {
  return typeof given === 'function' ? given : oneOf('balancing', given, BALANCINGS)
}

function deadOnOf(given: RtpProxyNgOptions['deadOn']): ReadonlySet<DeathCause> {
  if (given === undefined) return new Set(DEATH_CAUSES)
  if (!Array.isArray(given)) throw optionError('deadOn', 'deadOn must be a list')
  return new Set(given.map((cause) => oneOf('deadOn', cause, DEATH_CAUSES)))
}

function dtmfOf(given: RtpProxyNgOptions['dtmf']): DtmfReceiver | undefined {
  if (given !== undefined && typeof given?.feed !== 'function')
    throw optionError('dtmf', 'dtmf must be a DtmfEvents')
  return given
}

function logOf({ logger, logLevel, logBodies }: RtpProxyNgOptions): LogOptions | undefined {
  const level = oneOf('logLevel', logLevel ?? 'info', LOG_LEVELS)
  const bodies = oneOf('logBodies', logBodies, LOG_BODIES)
  if (logger === undefined) return undefined
  if (LOG_LEVELS.some((name) => typeof logger?.[name] !== 'function'))
    throw optionError('logger', `logger must have the methods ${LOG_LEVELS.join(', ')}`)
  return { logger, level, bodies }
}

function socketsOf(given: RtpProxyNgOptions['sockets']): string[] {
  const list = typeof given === 'string' ? [given] : (given ?? [])
  if (!Array.isArray(list) || list.some((text) => typeof text !== 'string')) {
    throw optionError('sockets', 'sockets must be a string or a list of strings')
  }
  return [...list]
}

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
  const { extraId, store } = options
  if (extraId !== undefined && typeof extraId !== 'function')
    throw optionError('extraId', 'extraId must be a function')
  if (store !== undefined && STORE_METHODS.some((method) => typeof store?.[method] !== 'function')) {
    throw optionError('store', `store must have the methods ${STORE_METHODS.join(', ')}`)
  }
  const affinity = affinityOf(options.affinity)
  if (store !== undefined && affinity === undefined) throw optionError('store', 'store needs affinity')
  if (options.keepDialogs && affinity === undefined)
    throw optionError('keepDialogs', 'keepDialogs needs affinity')
  const numbers = {} as Record<keyof typeof NUMBERS, number>
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[])
    numbers[name] = integer(name, options[name], NUMBERS[name])
  const switches = {} as Record<keyof typeof SWITCHES, boolean>
  for (const name of Object.keys(SWITCHES) as (keyof typeof SWITCHES)[]) {
    const value = options[name] ?? SWITCHES[name]
    if (typeof value !== 'boolean') throw optionError(name, `${name} must be true or false`)
    switches[name] = value
  }
  return {
    ...numbers,
    ...switches,
    strict: checkStrict(options.strict),
    sockets: socketsOf(options.sockets),
    deadOn: deadOnOf(options.deadOn),
    failsOver: failsOverOn(options.failoverOn),
    suspectAttempts: integer('suspectAttempts', options.suspectAttempts, [numbers.attempts, 1, 1000]),
    balancing: balancingOf(options.balancing),
    affinity,
    store,
    tokenKey: options.tokenKey,
    dtmf: dtmfOf(options.dtmf),
    coding: oneOf('coding', options.coding, CODINGS),
    web: checkWebOptions(options.web),
    flagGrammar: oneOf('flagGrammar', options.flagGrammar, FLAG_GRAMMARS),
    names: oneOf('names', options.names, NAME_MODES),
    resolver: checkResolver(options.resolver),
    localAddress: checkLocalAddress(options.localAddress),
    extraId,
    toTagFlag: oneOf('toTagFlag', options.toTagFlag, TO_TAG_FLAGS),
    log: logOf(options),
  }
}
