import { ConfigurationError } from '../errors.ts'
import { type Token, tokens } from './lexer.ts'

/** A module's parameters, as far as reading a configuration file needs to know them. */
export interface ModuleSchema {
  readonly module: string
  /** Every parameter, and whether it is a number. */
  readonly types: Readonly<Record<string, 'string' | 'integer'>>
  /** The parameter that may be given several times. */
  readonly repeatable: string
  /** What is wrong with an unknown parameter's name, and which one may be meant. */
  unknown(name: string): string
  /** Throws when a parameter by itself is wrong. */
  check(parameters: Record<string, string | number>): void
}

/** What the `modparam` lines of a module give: strings and numbers, and a list of what may be repeated. */
export type ReadParameters = Record<string, string | number | readonly string[]>

/** What makes a module's name a regular expression, beside the `|` between names. */
const EXPRESSION = /[\\^$.*+?()[\]{}]/
const WORDS: ReadonlyMap<string, number> = new Map([
  ...['yes', 'true', 'on', 'enable'].map((word) => [word, 1] as const),
  ...['no', 'false', 'off', 'disable'].map((word) => [word, 0] as const),
])

function error(option: string, line: number, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_CONFIG', option, message, line)
}

function undecided(option: string, line: number, doubt: string, isValue = true): ConfigurationError {
  const what = isValue ? `the value of ${option}` : 'this modparam'
  return error(option, line, `${what} depends on ${doubt}, which this file alone does not tell`)
}

/**
 * Takes the `modparam` calls of one module out of a kamailio.cfg. What other modules are told is passed over.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_CONFIG` with the line of a `modparam` of ours that is malformed, that names an
 * unknown parameter, or whose value the file alone does not tell (`$env(X)`, a name defined nowhere in it, a substitution
 * by regular expression); or of a string, a comment or an `#!ifdef` that is not closed.
 * @param wrong is told what is wrong with a `modparam`, which is then passed over. Default: it is thrown.
 */
export function readModparams(
  text: string,
  schema: ModuleSchema,
  wrong: (error: ConfigurationError) => void = (error) => {
    throw error
  },
): ReadParameters {
  const { module, repeatable } = schema
  const list = tokens(text)
  const sockets: string[] = []
  const parameters: Record<string, string | number> = {}
  const take = (call: Token, at: number): void => {
    if (call.kind !== 'word' || !/^modparamx?$/.test(call.text)) return
    const first = at + (isMark(list[at + 1], '(') ? 2 : 1)
    const name = list[first + 2]
    if (!isOurs(list[first], name, call, schema)) return
    if (first === at + 1) expect(list[first], '(', call, module)
    expect(list[first + 1], ',', call, module)
    if (name?.kind !== 'string') throw error(module, call.line, 'this modparam has no parameter name')
    expect(list[first + 3], ',', call, module)
    const minus = isMark(list[first + 4], '-') ? 1 : 0
    const value = readValue(list[first + 4 + minus], minus === 1, name.text, call)
    expect(list[first + 5 + minus], ')', call, module)
    checkOne(name.text, value, call.line, schema)
    if (name.text === repeatable) sockets.push(String(value))
    else parameters[name.text] = value
  }
  list.forEach((call, at) => {
    try {
      take(call, at)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      wrong(error)
    }
  })
  return { ...(sockets.length > 0 && { [repeatable]: sockets }), ...parameters }
}

/** Kamailio matches the module's name in any case against an expression, which most often is a list: `"tm|rtpproxy-ng"`. */
function isOurs(
  module: Token | undefined,
  name: Token | undefined,
  call: Token,
  schema: ModuleSchema,
): boolean {
  if (module?.kind !== 'string') return false
  const ours = schema.module
  const listed = module.text.split('|').some((one) => one.trim().toLowerCase() === ours)
  const known = name?.kind === 'string' && Object.hasOwn(schema.types, name.text)
  const possible = EXPRESSION.test(module.text) && known
  if (!listed && !possible) return false
  if (!listed)
    throw undecided(ours, call.line, `the expression "${module.text}" for the module's name`, false)
  if (call.doubt !== undefined) throw undecided(ours, call.line, call.doubt, false)
  return true
}

function readValue(token: Token | undefined, negative: boolean, name: string, call: Token): string | number {
  if (token?.doubt !== undefined) throw undecided(name, call.line, token.doubt)
  if (token?.kind === 'string' && !negative) {
    // modparamx fills in variables when the server starts.
    if (call.text === 'modparamx' && token.text.includes('$')) throw undecided(name, call.line, 'a variable')
    return token.text
  }
  if (token?.kind === 'variable') throw undecided(name, call.line, `the variable ${token.text}`)
  if (token?.kind !== 'word') throw error(name, call.line, `${name} has no value`)
  const value = WORDS.get(token.text) ?? numberOf(token.text)
  if (value !== undefined) return negative ? -value : value
  throw /^[0-9]/.test(token.text)
    ? error(name, call.line, `'${token.text}' is no number`)
    : error(name, call.line, `the value of ${name} is ${token.text}, which is defined nowhere in this file`)
}

/** Decimal, `0x` hexadecimal, octal behind a `0`, or binary before a `b`. */
function numberOf(text: string): number | undefined {
  if (/^(?:0|[1-9][0-9]*|0x[0-9A-Fa-f]+)$/.test(text)) return Number(text)
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8)
  return /^[01]+b$/.test(text) ? Number.parseInt(text, 2) : undefined
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === 'mark' && token.text === mark
}

function expect(token: Token | undefined, mark: string, call: Token, module: string): void {
  if (isMark(token, mark)) return
  const found = token === undefined ? 'the end of the file' : `'${token.text}'`
  throw error(module, call.line, `malformed modparam: expected '${mark}' instead of ${found}`)
}

/** Checks one parameter by itself, so that its error names its line. */
function checkOne(name: string, value: string | number, line: number, schema: ModuleSchema): void {
  const { types } = schema
  if (!Object.hasOwn(types, name)) throw error(name, line, schema.unknown(name))
  const wanted = types[name]
  if ((wanted === 'integer') !== (typeof value === 'number')) {
    const kind = wanted === 'integer' ? 'a number' : 'a string'
    throw error(name, line, `${name} takes ${kind}, not ${JSON.stringify(value)}`)
  }
  try {
    schema.check({ [name]: value })
  } catch (cause) {
    throw error(name, line, (cause as Error).message)
  }
}
