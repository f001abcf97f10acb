/** What a name stands for. `doubt` says what would have to be known to be sure of it. */
interface Definition {
  readonly text: string
  readonly doubt?: string | undefined
}

interface Substitution {
  /** Undefined: a regular expression that is not evaluated here, so any string may be changed by it. */
  readonly pattern: RegExp | undefined
  /** Undefined: a value that only a running server knows. */
  readonly replacement: string | undefined
  readonly name: string
}

/** An open `#!ifdef`: whether its text counts, undefined if the file does not tell. */
interface Condition {
  readonly name: string
  readonly line: number
  readonly holds: boolean | undefined
}

/** A pattern that means the same as a POSIX and as an ECMAScript expression, and matches one length only. */
const PLAIN = /^(?:\\\.|[^\\^$*+?()[\]{}|])+$/
/** Kamailio's own limit for what one match is replaced by. */
const MAX_REPLACEMENT = 1024
/** Substitutions can multiply a string by one another. */
const MAX_STRING = 65_536

/** The preprocessor of a kamailio.cfg: what is defined, what is substituted, and which `#!ifdef` holds. */
export class Definitions {
  readonly #values = new Map<string, Definition>()
  readonly #substitutions: Substitution[] = []
  readonly #conditions: Condition[] = []

  /** Whether the text here is certainly left out. */
  get skipping(): boolean {
    return this.#conditions.some(({ holds }) => holds === false)
  }

  /** The condition that makes it unknown whether the text here counts. */
  get doubt(): string | undefined {
    return this.#conditions.find(({ holds }) => holds === undefined)?.name
  }

  /** The innermost condition that is still open. */
  get open(): Condition | undefined {
    return this.#conditions.at(-1)
  }

  get(name: string): Definition | undefined {
    return this.#values.get(name)
  }

  /**
   * Follows a directive with everything behind its word. False if it has no place here: an `#!else` or `#!endif` that
   * belongs to no condition.
   */
  follow(word: string, rest: string, line: number): boolean {
    const [, name = '', value = ''] = /^([A-Za-z0-9_]*)[ \t]*([\s\S]*)$/.exec(rest) ?? []
    const where = `the #!${word} of line ${line}`
    switch (word) {
      case 'ifdef':
      case 'ifndef': {
        const definition = this.#values.get(name)
        const defined = definition?.doubt === undefined ? definition !== undefined : undefined
        this.#conditions.push({ name: where, line, holds: word === 'ifdef' ? defined : not(defined) })
        return true
      }
      case 'ifexp':
        this.#conditions.push({ name: where, line, holds: undefined })
        return true
      case 'else': {
        const condition = this.#conditions.pop()
        if (condition === undefined) return false
        this.#conditions.push({ ...condition, holds: not(condition.holds) })
        return true
      }
      case 'endif':
        return this.#conditions.pop() !== undefined
      case 'trydef':
      case 'trydefine':
        if (!this.#values.has(name)) this.#define(name, value)
        return true
      case 'def':
      case 'define':
      case 'redef':
      case 'redefine':
        this.#define(name, value)
        return true
      case 'subst':
      case 'substdef':
      case 'substdefs':
        this.#substitute(word, rest, where)
        return true
      case 'defexp':
      case 'defexps':
        this.#define(name, '', where)
        return true
      default:
        // The defenv family, `VARIABLE` or `VARIABLE=NAME`: the value is in the environment of the server.
        this.#define(/[A-Za-z0-9_]*$/.exec(rest)![0], '', where)
        return true
    }
  }

  /** A string as the substitutions leave it, in the order they were given. */
  substitute(string: string): Definition {
    let text = string
    let doubt = /\$env\([^)]*\)?/.exec(string)?.[0]
    for (const { pattern, replacement, name } of this.#substitutions) {
      if (pattern === undefined) doubt ??= name
      else if (text.search(pattern) >= 0) {
        if (replacement === undefined || text.length > MAX_STRING) doubt ??= name
        else text = text.replace(pattern, () => replacement)
      }
    }
    return { text, doubt }
  }

  #define(name: string, text: string, doubt = this.doubt): void {
    if (name !== '') this.#values.set(name, { text, doubt })
  }

  /** `/what/with/flags`, with any character for the slash; substdef and substdefs define the name besides. */
  #substitute(word: string, rest: string, where: string): void {
    const [, what = '', value = '', flags = ''] = rest.split(rest[0] ?? '/')
    const known = PLAIN.test(what) && /^[gis]*$/.test(flags) && this.doubt === undefined
    const plain = !/[\\$]/.test(value) && value.length <= MAX_REPLACEMENT
    this.#substitutions.push({
      pattern: known ? new RegExp(what, [...new Set(flags)].join('')) : undefined,
      replacement: plain ? value : undefined,
      name: where,
    })
    const doubt = plain ? this.doubt : where
    if (word === 'substdef') this.#define(what, value, doubt)
    if (word === 'substdefs') this.#define(what, `"${value}"`, doubt)
  }
}

function not(holds: boolean | undefined): boolean | undefined {
  return holds === undefined ? undefined : !holds
}
