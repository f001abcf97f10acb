import { isMap, isUint8Array } from 'node:util/types'
import { ParameterError } from '../../errors.ts'
import { COMMANDS, commandOf } from './commands.ts'
import { FLAG_PREFIXES, FLAGS, LATER_FLAG_PREFIXES } from './flags.ts'
import { checkGiven } from './given.ts'
import { keyOf, keySpellings } from './keys.ts'
import { suggestion } from './spelling.ts'
import type { Strictness } from './strict.ts'
import type { NgParameters } from './types.ts'
import { ATTRIBUTE_CHANGES, type Dictionary, type List, type Value } from './values.ts'

const FLAG_SPELLINGS: ReadonlySet<string> = new Set(
  FLAGS.flatMap(({ name, spellings }): string[] => [name, ...spellings]),
)
const LATER_FLAGS: ReadonlySet<string> = new Set(
  FLAGS.filter(({ since }) => since === 'later').flatMap(({ name, spellings }): string[] => [
    name,
    ...spellings,
  ]),
)
/** Goes along with every command made of words, and takes nothing away where it is not known. */
const INFORMS: ReadonlySet<string> = new Set(['sip-message-type'])
const DIGITS = /^(?:[0-9*#A-Da-d]|1[0-5])$/
const WHOLE = /^-?[0-9]+$/

/**
 * Refuses what rtpengine would ignore in silence: commands, keys, flags and values the NG protocol does not know; and a command that
 * lacks what it needs.
 *
 * @param strict `'10.5'`: refuse as well what came after rtpengine 10.5, which ignores it just the same. Default true.
 * @throws ParameterError that says where it is (`flags[2]`, `codec.stirp`) and what may be meant.
 */
export function checkParameters(
  command: string,
  parameters: NgParameters,
  strict: Exclude<Strictness, false> = true,
): void {
  checkGiven(command, parameters)
  const known = commandOf(command)
  if (known === undefined) {
    const names = COMMANDS.map(({ name }) => name)
    throw new ParameterError(command, 'command', `unknown command '${command}'${hint(command, names)}`)
  }
  const check: Check = new Check(command, strict === '10.5')
  if (known.since === 'later') check.later('command', `the command '${command}'`)
  const given = new Set<string>()
  for (const [spelling, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || spelling === 'command') continue
    const key = keyOf(spelling)
    if (key === undefined) check.fail(spelling, `unknown parameter '${spelling}'`, spelling, keySpellings())
    if (key.since === 'later' && !INFORMS.has(key.name)) check.later(spelling, `'${spelling}'`)
    check.value(spelling, key.value, value)
    given.add(key.name)
  }
  for (const need of known.needs) {
    const { name } = keyOf(need)!
    if (!given.has(name)) check.fail(need, `${need} is missing`)
  }
}

function hint(name: string, known: Iterable<string>): string {
  const near = suggestion(name, known)
  return near === undefined ? '' : `; did you mean '${near}'?`
}

class Check {
  readonly #command: string
  readonly #isFor105: boolean

  constructor(command: string, isFor105: boolean) {
    this.#command = command
    this.#isFor105 = isFor105
  }

  /** Refuses what came after 10.5, if that is what the media proxy is. */
  later(path: string, what: string): void {
    if (this.#isFor105) this.fail(path, `rtpengine 10.5 does not know ${what}`)
  }

  fail(path: string, why: string, name = '', known: Iterable<string> = []): never {
    throw new ParameterError(this.#command, path, `${why}${name && hint(name, known)}`)
  }

  value(path: string, value: Value, given: unknown): void {
    switch (value.kind) {
      case 'text':
        if (typeof given !== 'string' && !isUint8Array(given) && !Number.isSafeInteger(given))
          this.fail(path, `${path} must be text`)
        return
      case 'bytes':
        if (typeof given !== 'string' && !isUint8Array(given))
          this.fail(path, `${path} must be text or bytes`)
        return
      case 'integer':
        this.#integer(path, given, value.least)
        return
      case 'integers':
        this.#each(path, given, (at, one) => this.#integer(at, one, 0))
        return
      case 'digit':
        if (!DIGITS.test(String(given))) this.fail(path, `${path} must be 0 to 15 or one of 0-9 * # A-D`)
        return
      case 'pause':
        if (typeof given !== 'boolean' && !/^(?:yes|on|true|[0-9]+)$/.test(String(given)))
          this.fail(path, `${path} must be a time in milliseconds, or 'yes'`)
        return
      case 'source':
        this.#source(path, given)
        return
      case 'choice':
        if (typeof given !== 'boolean' || value.on === undefined) this.#oneOf(path, given, value.values)
        return
      case 'list':
        this.#each(path, given, (at, one) => this.#item(at, one, value))
        return
      case 'flags':
        this.#each(path, given, (at, one) => this.#flag(at, one))
        return
      case 'dictionary':
        this.#dictionary(path, given, value)
        return
      case 'dictionaries':
        if (!Array.isArray(given) || !given.every(isDictionary))
          this.fail(path, `${path} must be a list of dictionaries`)
        return
      case 'pairs':
        this.#pairs(path, given)
        return
      case 'attributes':
        this.#attributes(path, given)
    }
  }

  #integer(path: string, given: unknown, least: number): void {
    const isNumber = typeof given === 'bigint' || Number.isSafeInteger(given)
    const isText = typeof given === 'string' && WHOLE.test(given)
    if ((!isNumber && !isText) || Number(given) < least)
      this.fail(
        path,
        `${path} must be a whole number${least === 0 ? ' from 0 on' : ''}, not ${String(given)}`,
      )
  }

  #oneOf(path: string, given: unknown, values: readonly string[]): void {
    if (typeof given === 'string' && values.includes(given)) return
    const text = String(given)
    const near = hint(text, values)
    this.fail(path, `${path} cannot be '${text}'${near === '' ? `; it can be ${values.join(', ')}` : near}`)
  }

  /** The items of a list, or of a string with commas in it. */
  #each(path: string, given: unknown, check: (path: string, item: unknown) => void): void {
    const isText = typeof given === 'string' && given.includes(',')
    const items: readonly unknown[] = isText ? given.split(',').map((item) => item.trim()) : [given].flat()
    if (!isText && !Array.isArray(given)) check(path, given)
    else for (const [i, item] of items.entries()) check(`${path}[${i}]`, item)
  }

  #item(path: string, given: unknown, { values, prefixes, ends, later }: List): void {
    if (typeof given !== 'string') this.fail(path, `${path} must be text`)
    if (values.length === 0) return
    const prefix = prefixes.find((one) => given.startsWith(one))
    if (later.includes(prefix ?? given)) this.later(path, `${path} = '${given}'`)
    if (prefix === undefined) this.#oneOf(path, given, values)
    // rtpengine does not look at the case of what stands behind.
    else if (ends.length > 0)
      for (const end of given.slice(prefix.length).split(';'))
        if (end !== '') this.#oneOf(path, end.toUpperCase(), ends)
  }

  #flag(path: string, given: unknown): void {
    if (typeof given !== 'string') this.fail(path, `${path} must be text`)
    if (FLAG_SPELLINGS.has(given)) {
      if (LATER_FLAGS.has(given)) this.later(path, `the flag '${given}'`)
      return
    }
    const prefix = FLAG_PREFIXES.find((one) => given.startsWith(one))
    if (prefix === undefined) this.fail(path, `unknown flag '${given}'`, given, FLAG_SPELLINGS)
    if (LATER_FLAG_PREFIXES.includes(prefix)) this.later(path, `the flag '${given}'`)
    const list = keyOf(prefix.slice(0, -1))?.value
    if (list?.kind === 'list') this.#item(path, given.slice(prefix.length), list)
  }

  #dictionary(path: string, given: unknown, { entries: known, later }: Omit<Dictionary, 'kind'>): void {
    if (!isDictionary(given)) this.fail(path, `${path} must be a dictionary`)
    for (const [name, item] of entriesOf(given)) {
      const at = `${path}.${name}`
      const value = Object.hasOwn(known, name) ? known[name] : undefined
      if (value === undefined) this.fail(at, `${path} has no '${name}'`, name, Object.keys(known))
      if (item === undefined || item === null) continue
      if (later.includes(name)) this.later(at, at)
      this.value(at, value, item)
    }
  }

  #attributes(path: string, given: unknown): void {
    if (!isDictionary(given)) this.fail(path, `${path} must be a dictionary`)
    for (const [section, changes] of entriesOf(given))
      if (changes !== undefined && changes !== null)
        this.#dictionary(`${path}.${section}`, changes, { entries: ATTRIBUTE_CHANGES, later: [] })
  }

  #pairs(path: string, given: unknown): void {
    const isPair = (pair: unknown) =>
      Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'string')
    if (!Array.isArray(given) || !given.every(isPair))
      this.fail(path, `${path} must be a list of pairs of texts`)
  }

  #source(path: string, given: unknown): void {
    const [family, address] = Array.isArray(given) ? given : ['IP4', given]
    if ((family !== 'IP4' && family !== 'IP6') || typeof address !== 'string')
      this.fail(path, `${path} must be an address, or a list of IP4 or IP6 and the address`)
  }
}

function isDictionary(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isUint8Array(value)
}

function entriesOf(dictionary: object): [name: string, item: unknown][] {
  const entries: [unknown, unknown][] = isMap(dictionary) ? [...dictionary] : Object.entries(dictionary)
  return entries.map(([name, item]) => [
    isUint8Array(name) ? Buffer.from(name).toString() : String(name),
    item,
  ])
}
