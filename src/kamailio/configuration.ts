import { ConfigurationError } from '../errors.ts'
import { type Token, tokens } from './lexer.ts'
import {
  checkParameters,
  isParameter,
  type ModuleParametersInput,
  PARAMETER_TYPES,
  unknownParameter,
} from './parameters.ts'

const MODULE = 'rtpproxy-ng'
const BOOLEANS: Record<string, number> = { yes: 1, on: 1, true: 1, no: 0, off: 0, false: 0 }

function error(line: number, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_CONFIG', 'kamailio.cfg', message, line)
}

/**
 * Takes the `modparam("rtpproxy-ng", ...)` calls out of a kamailio.cfg. What other modules are told is passed over.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_CONFIG` with the line of a `modparam` of ours that is malformed, that names an
 * unknown parameter, or whose value the file alone does not tell (`$env(X)`, a name defined nowhere in it, a substitution
 * by regular expression).
 */
export function readConfiguration(text: string): ModuleParametersInput {
  const list = tokens(text)
  const sockets: string[] = []
  const parameters: Record<string, string | number> = {}
  for (let at = 0; at < list.length; at++) {
    const call = list[at]!
    if (call.kind !== 'identifier' || call.text !== 'modparam' || list[at + 1]?.text !== '(') continue
    const [module, afterModule] = stringFrom(list, at + 2)
    if (module === undefined || !module.text.split('|').some((name) => name.trim() === MODULE)) continue
    expect(list, afterModule, ',', call)
    const [name, afterName] = stringFrom(list, afterModule + 1)
    if (name === undefined) throw error(call.line, 'this modparam has no parameter name')
    expect(list, afterName, ',', call)
    const [value, afterValue] = valueFrom(list, afterName + 1, name.text, call)
    expect(list, afterValue, ')', call)
    checkOne(name.text, value, call.line)
    if (name.text === 'rtpproxy_sock') sockets.push(value as string)
    else parameters[name.text] = value
    at = afterValue
  }
  return { ...(sockets.length > 0 && { rtpproxy_sock: sockets }), ...parameters }
}

/** The string at `at`, with those that stand right behind it: Kamailio joins them. */
function stringFrom(list: readonly Token[], at: number): [token: Token | undefined, next: number] {
  const first = list[at]
  if (first?.kind !== 'string') return [undefined, at]
  let next = at + 1
  let { text, unknown } = first
  for (; list[next]?.kind === 'string'; next++) {
    text += list[next]!.text
    unknown ??= list[next]!.unknown
  }
  return [{ ...first, text, unknown }, next]
}

function valueFrom(
  list: readonly Token[],
  at: number,
  name: string,
  call: Token,
): [value: string | number, next: number] {
  const [text, next] = stringFrom(list, at)
  if (text !== undefined) {
    if (text.unknown !== undefined) {
      throw error(
        call.line,
        `the value of ${name} depends on ${text.unknown}, which this file alone does not tell`,
      )
    }
    return [text.text, next]
  }
  const negative = list[at]?.text === '-'
  const token = list[negative ? at + 1 : at]
  if (token?.kind === 'number') {
    const value = numberOf(token.text)
    return [negative ? -value : value, at + (negative ? 2 : 1)]
  }
  if (token?.kind === 'identifier' && !negative) {
    const value = BOOLEANS[token.text.toLowerCase()]
    if (value !== undefined) return [value, at + 1]
    throw error(call.line, `the value of ${name} is ${token.text}, which is defined nowhere in this file`)
  }
  if (token?.text === '$')
    throw error(call.line, `the value of ${name} is a variable, which this file alone does not tell`)
  throw error(call.line, `${name} has no value`)
}

/** Decimal, 0x hexadecimal, 0b binary, or octal behind a 0. */
function numberOf(text: string): number {
  return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text)
}

function expect(list: readonly Token[], at: number, mark: string, call: Token): void {
  const token = list[at]
  if (token?.kind === 'mark' && token.text === mark) return
  throw error(
    call.line,
    `malformed modparam: expected '${mark}' instead of ${token === undefined ? 'the end' : `'${token.text}'`}`,
  )
}

/** Checks one parameter by itself, so that its error names its line. */
function checkOne(name: string, value: string | number, line: number): void {
  if (!isParameter(name)) throw error(line, unknownParameter(name))
  const wanted = PARAMETER_TYPES[name]
  if ((wanted === 'integer') !== (typeof value === 'number')) {
    throw error(
      line,
      `${name} takes ${wanted === 'integer' ? 'a number' : 'a string'}, not ${JSON.stringify(value)}`,
    )
  }
  try {
    checkParameters({ [name]: value })
  } catch (cause) {
    throw error(line, (cause as Error).message)
  }
}
