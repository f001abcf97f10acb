import { optionError } from '../errors.ts'

/** Whether a value will do, and what it must be. */
type Rule = readonly [accepts: (value: unknown) => boolean, what: string]
type Rules = Readonly<Record<string, Rule>>

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isMs = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff
const isSpan = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(isMs) && value[0] <= value[1]

const SHARE: Rule = [(value) => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1']

const WEATHER: Rules = {
  loss: SHARE,
  repeat: SHARE,
  reorder: SHARE,
  delayMs: [
    (value) => isMs(value) || isSpan(value),
    'milliseconds from 0, or the least and the most in a list',
  ],
}

const SCRIPTED: Rules = {
  silent: [(value) => typeof value === 'boolean' || value === 'after', "true, false or 'after'"],
  error: [(value) => typeof value === 'string', 'a string'],
  reply: [isObject, 'an object'],
  with: [isObject, 'an object'],
  delayMs: [isMs, 'milliseconds from 0'],
}

const SCRIPT: Rules = {
  times: [
    (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && (value as number) >= 0),
    'a whole number from 0',
  ],
}

/** A test whose weather or script is misspelt would pass, and prove nothing. */
function check(where: string, value: unknown, rules: Rules): void {
  const fail = (option: string, why: string): never => {
    throw optionError(option, why)
  }
  if (!isObject(value)) fail(where, `${where} must be an object, not ${String(value)}`)
  for (const [key, one] of Object.entries(value as object)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    const option = `${where}.${key}`
    if (rule === undefined) fail(option, `there is no ${option}; there are ${Object.keys(rules).join(', ')}`)
    else if (one !== undefined && !rule[0](one))
      fail(option, `${option} must be ${rule[1]}, not ${String(one)}`)
  }
}

/** @throws ConfigurationError that names what is wrong. */
export const checkWeather = (weather: unknown): void => check('weather', weather, WEATHER)
/** @throws ConfigurationError that names what is wrong. */
export const checkScripted = (scripted: unknown): void => check('script', scripted, SCRIPTED)
/** @throws ConfigurationError that names what is wrong. */
export const checkScriptOptions = (options: unknown): void => check('script', options, SCRIPT)
