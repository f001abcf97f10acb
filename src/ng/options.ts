import { optionError } from '../errors.ts'
import { checkLocalAddress } from '../network/local-address.ts'
import { checkResolver, type NameResolver } from '../network/names.ts'
import { checkWebOptions, type WebOptions } from '../network/web/address.ts'
import type { Coding } from '../nodes/transports.ts'
import type { DtmfReceiver } from '../protocol/commands/notification.ts'
import { checkStrict, type Strictness } from '../protocol/vocabulary/strict.ts'

/** What `new NgClient` takes beside the URL. */
export interface NgClientOptions {
  /** How long to wait for a reply to one sending, in milliseconds. Default 1000. */
  readonly timeoutMs?: number | undefined
  /** How many times a command is sent in all. Default 5. */
  readonly attempts?: number | undefined
  /** Resends follow the measured round-trip time (RFC 6298), doubling, within `timeoutMs` x `attempts` and 30 seconds. Default true. */
  readonly adaptive?: boolean | undefined
  /** How long a command may take in all, in milliseconds; 0 (default): as long as its attempts take. */
  readonly deadlineMs?: number | undefined
  /** How many commands may be under way at once. Default 20000. */
  readonly openLimit?: number | undefined
  /** Refuse commands, parameters and flags the NG protocol does not know; `'10.5'`: or rtpengine 10.5 does not. Default false. */
  readonly strict?: Strictness | undefined
  /** `bencode` (default) or `json`. */
  readonly coding?: Coding | undefined
  /** Takes the keys pressed in calls that rtpengine reports over a `tcp:` connection (`--dtmf-log-ng-tcp`): a `DtmfEvents`. */
  readonly dtmf?: DtmfReceiver | undefined
  /** Headers and TLS settings of WebSocket and HTTP connections. */
  readonly web?: WebOptions | undefined
  /** Who looks the name up, whatever the transport; asked for at most 5 seconds at a time. Default: the system. */
  readonly resolver?: NameResolver | undefined
  /** IP address of this host to send from, of the family of the media proxy. Default: as the system chooses. */
  readonly localAddress?: string | undefined
}

export type CheckedNgOptions = {
  readonly [Name in keyof Required<Omit<NgClientOptions, 'dtmf' | 'localAddress'>>]: Exclude<
    NgClientOptions[Name],
    undefined
  >
} & { readonly dtmf: DtmfReceiver | undefined; readonly localAddress: string | undefined }

const MAX_MS = 0x7fff_ffff

/** Default, least and most of the options that are whole numbers. */
const NUMBERS = {
  timeoutMs: [1000, 1, MAX_MS],
  attempts: [5, 1, 1000],
  deadlineMs: [0, 0, MAX_MS],
  openLimit: [20_000, 1, 10_000_000],
} as const satisfies Record<string, readonly [preset: number, least: number, most: number]>

const OTHERS = ['adaptive', 'strict', 'coding', 'web', 'resolver', 'localAddress', 'dtmf'] as const

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names the option.
 */
export function checkNgOptions(options: NgClientOptions): CheckedNgOptions {
  if (typeof options !== 'object' || options === null)
    throw optionError('options', 'options must be an object')
  const known: readonly string[] = [...Object.keys(NUMBERS), ...OTHERS]
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw optionError(name, `unknown option '${name}'; there are ${known.join(', ')}`)
  }
  const number = (name: keyof typeof NUMBERS): number => {
    const [preset, least, most] = NUMBERS[name]
    const value = options[name] ?? preset
    if (!Number.isInteger(value) || value < least || value > most)
      throw optionError(name, `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    return value
  }
  const { adaptive = true, coding = 'bencode' } = options
  if (typeof adaptive !== 'boolean') throw optionError('adaptive', 'adaptive must be true or false')
  if (coding !== 'bencode' && coding !== 'json')
    throw optionError('coding', `coding must be 'bencode' or 'json', not ${String(coding)}`)
  const { dtmf } = options
  if (dtmf !== undefined && typeof dtmf?.feed !== 'function')
    throw optionError('dtmf', 'dtmf must be a DtmfEvents')
  return {
    timeoutMs: number('timeoutMs'),
    attempts: number('attempts'),
    deadlineMs: number('deadlineMs'),
    openLimit: number('openLimit'),
    adaptive,
    strict: checkStrict(options.strict),
    coding,
    dtmf,
    web: checkWebOptions(options.web),
    resolver: checkResolver(options.resolver),
    localAddress: checkLocalAddress(options.localAddress),
  }
}
