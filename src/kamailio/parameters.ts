import { type ConfigurationError, optionError } from '../errors.ts'
import { suggestion } from '../protocol/vocabulary/spelling.ts'
import { type ModuleSchema, readModparams } from './configuration.ts'
import { checkSockets } from './named-parameter.ts'
import { compilePseudoVariables } from './pseudo-variable.ts'

/** The module's parameters (`modparam`) as a programmer gives them. */
export interface ModuleParametersInput {
  /** One set of media proxies a string: `[ID ==] URL[=WEIGHT] ...`. Default: none. */
  readonly rtpproxy_sock?: string | readonly string[] | undefined
  /** Seconds for which a media proxy that did not answer is left alone. Default 60. */
  readonly rtpproxy_disable_tout?: number | undefined
  /** Seconds to wait for one reply. Default 1. */
  readonly rtpproxy_tout?: number | undefined
  /** How many times a command is sent to one media proxy in all. Default 5. */
  readonly rtpproxy_retr?: number | undefined
  /** Where flag `b` takes its value from. Default: nowhere. */
  readonly extra_id_pv?: string | undefined
}

export interface ModuleParameters {
  readonly rtpproxy_sock: readonly string[]
  readonly rtpproxy_disable_tout: number
  readonly rtpproxy_tout: number
  readonly rtpproxy_retr: number
  readonly extra_id_pv: string
}

/** Every parameter of the module, and whether it is a number. */
export const PARAMETER_TYPES: Readonly<Record<keyof ModuleParameters, 'string' | 'integer'>> = {
  rtpproxy_sock: 'string',
  rtpproxy_disable_tout: 'integer',
  rtpproxy_tout: 'integer',
  rtpproxy_retr: 'integer',
  extra_id_pv: 'string',
}

/** What a number may be, and its default: a wait of no time or a command sent no times can only fail. */
const NUMBERS = {
  rtpproxy_disable_tout: { preset: 60, least: 0, most: 2_147_483 },
  rtpproxy_tout: { preset: 1, least: 1, most: 2_147_483 },
  rtpproxy_retr: { preset: 5, least: 1, most: 1000 },
} as const

export function isParameter(name: string): name is keyof ModuleParameters {
  return Object.hasOwn(PARAMETER_TYPES, name)
}

/** What is wrong with an unknown parameter's name, and which one may be meant. */
export function unknownParameter(name: string): string {
  const names = Object.keys(PARAMETER_TYPES)
  const near = suggestion(name, names)
  const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`
  return `rtpproxy-ng has no parameter '${name}'; ${hint}`
}

/**
 * Checks the parameters and fills in the module's defaults.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names the parameter.
 */
export function checkParameters(input: ModuleParametersInput): ModuleParameters {
  if (typeof input !== 'object' || input === null)
    throw optionError('parameters', 'the parameters must be an object')
  for (const name of Object.keys(input))
    if (!isParameter(name)) throw optionError(name, unknownParameter(name))

  const { rtpproxy_sock = [], extra_id_pv = '' } = input
  const sockets = typeof rtpproxy_sock === 'string' ? [rtpproxy_sock] : rtpproxy_sock
  if (!Array.isArray(sockets) || sockets.some((text) => typeof text !== 'string')) {
    throw optionError('rtpproxy_sock', 'rtpproxy_sock must be a string or a list of strings')
  }
  checkSockets(sockets, 'rtpproxy_sock')
  if (typeof extra_id_pv !== 'string') throw optionError('extra_id_pv', 'extra_id_pv must be a string')
  compilePseudoVariables(extra_id_pv)
  const number = (name: keyof typeof NUMBERS): number => {
    const { preset, least, most } = NUMBERS[name]
    const value = input[name] ?? preset
    if (!Number.isInteger(value) || value < least || value > most) {
      throw optionError(name, `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    }
    return value
  }
  return {
    rtpproxy_sock: [...sockets],
    rtpproxy_disable_tout: number('rtpproxy_disable_tout'),
    rtpproxy_tout: number('rtpproxy_tout'),
    rtpproxy_retr: number('rtpproxy_retr'),
    extra_id_pv,
  }
}

const SCHEMA: ModuleSchema = {
  module: 'rtpproxy-ng',
  types: PARAMETER_TYPES,
  repeatable: 'rtpproxy_sock',
  unknown: unknownParameter,
  check: checkParameters,
}

/** The `modparam("rtpproxy-ng", ...)` calls of a kamailio.cfg; throws, or tells `wrong`, as `readModparams`. */
export function readConfiguration(
  text: string,
  wrong?: (error: ConfigurationError) => void,
): ModuleParametersInput {
  return readModparams(text, SCHEMA, wrong) as ModuleParametersInput
}
