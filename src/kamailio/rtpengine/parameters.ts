import { checkDtmfOptions } from '../../dtmf/options.ts'
import { type ConfigurationError, optionError } from '../../errors.ts'
import type { RtpProxyNgOptions } from '../../module/options/options.ts'
import { checkLocalAddress } from '../../network/local-address.ts'
import { parseSockets } from '../../nodes/grammar.ts'
import { checkFamily } from '../../nodes/transports.ts'
import { suggestion } from '../../protocol/vocabulary/spelling.ts'
import { type ModuleSchema, readModparams } from '../configuration.ts'
import { checkSockets, named } from '../named-parameter.ts'
import { compilePseudoVariables, type Target, writable } from '../pseudo-variable.ts'
import type { DtmfSettings } from './dtmf.ts'
import { hashBalancing } from './hash.ts'
import { DONE_ANYWAY, DTMF_PARAMETERS, MOS_PARAMETERS, NOT_APPLICABLE, RTPENGINE_TYPES } from './names.ts'

/** The `modparam` values of the `rtpengine` module: 99 names, of which those that have nothing to apply to give a warning. */
export type RtpengineParameters = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** A parameter that was given and changes nothing, and why. */
export interface ParameterWarning {
  readonly parameter: string
  readonly message: string
}

/** What the parameters come to. */
export interface CheckedRtpengine {
  readonly options: RtpProxyNgOptions
  readonly defaultSet: number
  readonly warnings: readonly ParameterWarning[]
  /** Where what is written to: `mos_min_pv`, `media_duration`, `dtmf_event` and so on. */
  readonly targets: ReadonlyMap<string, Target>
  /** Formats that are read: `extra_id_pv`, `setid_avp`, `read_sdp_pv`, and the labels of the sides A and B. */
  readonly formats: ReadonlyMap<string, string>
  /** `write_sdp_pv_mode` 1: the message is rewritten as well. */
  readonly writesBoth: boolean
  readonly dtmf: DtmfSettings
}

/** Default, least and most of the numbers that apply. */
const NUMBERS = {
  rtpengine_disable_tout: [60, 0, 2_147_483],
  rtpengine_tout_ms: [1000, 1, 0x7fff_ffff],
  rtpengine_retr: [5, 1, 1000],
  queried_nodes_limit: [30, 1, 30],
  aggressive_redetection: [1, 0, 1],
  ping_mode: [1, 0, 1],
  rtpengine_allow_op: [0, 0, 2],
  hash_algo: [2, 0, 2],
  setid_default: [0, 0, 0xffff_ffff],
  ping_interval: [60, 0, 2_147_483],
  hash_table_tout: [3600, 1, 2_147_483],
  write_sdp_pv_mode: [0, 0, 1],
} as const satisfies Record<string, readonly [preset: number, least: number, most: number]>

const WRITTEN: readonly string[] = [
  'write_sdp_pv',
  'rtp_inst_pvar',
  'media_duration',
  ...MOS_PARAMETERS.filter((name) => !name.endsWith('_label_pv')),
]
const READ = ['extra_id_pv', 'setid_avp', 'read_sdp_pv', 'mos_A_label_pv', 'mos_B_label_pv'] as const

function unknown(name: string): string {
  const near = suggestion(name, Object.keys(RTPENGINE_TYPES))
  const hint =
    near === undefined ? 'see docs/kamailio-rtpengine.md for those there are' : `did you mean '${near}'?`
  return `rtpengine has no parameter '${name}'; ${hint}`
}

function text(given: RtpengineParameters, name: string): string | undefined {
  const value = given[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw optionError(name, `${name} must be a string`)
  return value
}

function number(given: RtpengineParameters, name: keyof typeof NUMBERS): number {
  const [preset, least, most] = NUMBERS[name]
  const value = given[name] ?? preset
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw optionError(name, `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
  return value
}

/** A socket without a set belongs to the default one. */
function sockets(given: RtpengineParameters): readonly string[] {
  const value = given.rtpengine_sock ?? []
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || list.some((one) => typeof one !== 'string'))
    throw optionError('rtpengine_sock', 'rtpengine_sock must be a string or a list of strings')
  checkSockets(list, 'rtpengine_sock')
  const preset = number(given, 'setid_default')
  if (preset === 0) return list
  return list.map((one) => (one.includes('==') || one.trim() === '' ? one : `${preset} == ${one}`))
}

/**
 * Checks the parameters and turns them into options of `RtpProxyNg`; the defaults are the module's.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names the parameter.
 */
export function checkRtpengine(given: RtpengineParameters): CheckedRtpengine {
  if (typeof given !== 'object' || given === null)
    throw optionError('parameters', 'the parameters must be an object')
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(RTPENGINE_TYPES, name)) throw optionError(name, unknown(name))
    const isNumber = RTPENGINE_TYPES[name] === 'integer'
    if (value === undefined || name === 'rtpengine_sock' || isNumber === (typeof value === 'number')) continue
    throw optionError(name, `${name} must be a ${isNumber ? 'number' : 'string'}, not ${String(value)}`)
  }
  const targets = new Map<string, Target>()
  for (const name of WRITTEN) {
    const variable = text(given, name)
    if (variable !== undefined) targets.set(name, writable(variable, name))
  }
  const formats = new Map<string, string>()
  for (const name of READ) {
    const format = text(given, name)
    if (format === undefined) continue
    compilePseudoVariables(format, name)
    formats.set(name, format)
  }
  return {
    options: optionsOf(given),
    defaultSet: number(given, 'setid_default'),
    warnings: warningsOf(given),
    targets,
    formats,
    writesBoth: number(given, 'write_sdp_pv_mode') === 1,
    dtmf: dtmfSettings(given),
  }
}

function dtmfSettings(given: RtpengineParameters): DtmfSettings {
  const variables = new Map<string, string>()
  for (const name of DTMF_PARAMETERS) {
    const variable = text(given, name)
    if (variable === undefined) continue
    writable(variable, name)
    variables.set(name, variable.trim())
  }
  return { listen: dtmfListen(given), variables }
}

/** `dtmf_events_sock` is `ADDRESS:PORT`, with or without `udp:`. */
function dtmfListen(given: RtpengineParameters): string | undefined {
  const socket = text(given, 'dtmf_events_sock')
  if (socket === undefined || socket === 'NONE') return undefined
  const listen = socket.startsWith('udp:') ? socket : `udp:${socket}`
  named('dtmf_events_sock', () => checkDtmfOptions({ listen }))
  return listen
}

/** Where everything is sent from; no media proxy may be of the other family, and in Kamailio none can. */
function localAddress(given: RtpengineParameters, nodes: readonly string[]): string | undefined {
  return named('force_send_interface', () => {
    const address = checkLocalAddress(text(given, 'force_send_interface'))
    for (const { nodes: members } of parseSockets(nodes))
      for (const node of members) checkFamily(address, node)
    return address
  })
}

function optionsOf(given: RtpengineParameters): RtpProxyNgOptions {
  const nodes = sockets(given)
  return {
    sockets: nodes,
    localAddress: localAddress(given, nodes),
    timeoutMs: number(given, 'rtpengine_tout_ms'),
    attempts: number(given, 'rtpengine_retr'),
    disableMs: number(given, 'rtpengine_disable_tout') * 1000,
    nodesPerCommand: number(given, 'queried_nodes_limit'),
    redetect: number(given, 'aggressive_redetection') === 1,
    pingAtStart: number(given, 'ping_mode') === 1,
    pingMs: number(given, 'ping_interval') * 1000,
    affinity: { lifetimeMs: number(given, 'hash_table_tout') * 1000 },
    // 0 was an algorithm that is gone, and means the default.
    balancing: hashBalancing(number(given, 'hash_algo') === 1 ? 1 : 2),
  }
}

function warningsOf(given: RtpengineParameters): ParameterWarning[] {
  const warnings = Object.entries(NOT_APPLICABLE)
    .filter(([parameter]) => !['', undefined, DONE_ANYWAY[parameter]].includes(given[parameter] as string))
    .map(([parameter, why]) => ({ parameter, message: `${parameter} changes nothing here: ${why}` }))
  const allowed = number(given, 'rtpengine_allow_op')
  if (given.rtpengine_allow_op !== undefined && allowed !== 2) {
    const why = 'calls stay on a media proxy that was disabled by hand, as with 2'
    warnings.push({ parameter: 'rtpengine_allow_op', message: `rtpengine_allow_op=${allowed}: ${why}` })
  }
  return warnings
}

const SCHEMA: ModuleSchema = {
  module: 'rtpengine',
  types: RTPENGINE_TYPES,
  repeatable: 'rtpengine_sock',
  unknown,
  check: (parameters) => void checkRtpengine(parameters),
}

/** The `modparam("rtpengine", ...)` calls of a kamailio.cfg; throws, or tells `wrong`, as `readModparams`. */
export function readRtpengineConfiguration(
  config: string,
  wrong?: (error: ConfigurationError) => void,
): RtpengineParameters {
  return readModparams(config, SCHEMA, wrong)
}
