/** A plain name, which a substitution can replace without being a regular expression. */
const PLAIN = /^[A-Za-z0-9_.:-]+$/

/** The preprocessor of a kamailio.cfg: what is defined, what is substituted, and which `#!ifdef` holds. */
export class Definitions {
  readonly #values = new Map<string, string>()
  readonly #substitutions: { readonly name: string; readonly value: string; readonly everywhere: boolean }[] =
    []
  /** A substitution that only Kamailio's own regular expressions can make, if there is one. */
  #opaque: string | undefined
  /** One entry an open `#!ifdef`: whether its text counts. */
  readonly #conditions: boolean[] = []

  get skipping(): boolean {
    return this.#conditions.includes(false)
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** Follows a directive with everything behind its word; unknown ones (`#!KAMAILIO`) are comments. */
  follow(word: string, rest: string, line: number): void {
    const directive = word.toLowerCase()
    const [name = '', ...value] = rest.split(/[ \t]+/)
    if (directive === 'ifdef') this.#conditions.push(this.#values.has(name))
    else if (directive === 'ifndef') this.#conditions.push(!this.#values.has(name))
    else if (directive === 'else') {
      const open = this.#conditions.pop()
      if (open !== undefined) this.#conditions.push(!open)
    } else if (directive === 'endif') this.#conditions.pop()
    else if (this.skipping || name === '') return
    else if (
      directive === 'define' ||
      directive === 'def' ||
      directive === 'redefine' ||
      directive === 'redef'
    ) {
      this.#values.set(name, unfold(value))
    } else if (directive === 'trydefine' || directive === 'trydef') {
      if (!this.#values.has(name)) this.#values.set(name, unfold(value))
    } else if (directive === 'subst' || directive === 'substdef' || directive === 'substdefs') {
      this.#substitution(directive, rest, line)
    } else if (
      directive === 'defenv' ||
      directive === 'defenvs' ||
      directive === 'trydefenv' ||
      directive === 'trydefenvs'
    ) {
      // `NAME` or `ENVIRONMENT=NAME`: the value is in the environment of the server, not in the file.
      this.#values.delete(name.split('=').pop()!)
    }
  }

  /** `"/what/with/flags"`, with any character for the slash; substdef defines the name besides. */
  #substitution(directive: string, rest: string, line: number): void {
    const text = /^["'](.*)["']$/s.exec(rest)?.[1] ?? ''
    const [, name = '', value = '', flags = ''] = text.split(text[0] ?? '/')
    if (!PLAIN.test(name) || !/^[gi]*$/.test(flags) || /\\[0-9]/.test(value)) {
      this.#opaque = `the substitution of line ${line}`
      return
    }
    this.#substitutions.push({ name, value, everywhere: flags.includes('g') })
    if (directive === 'substdef') this.#values.set(name, value)
    if (directive === 'substdefs') this.#values.set(name, `"${value}"`)
  }

  /** A string's value after the substitutions, in the order they were given. */
  substitute(value: string): string {
    let result = value
    for (const { name, value: replacement, everywhere } of this.#substitutions) {
      result = everywhere
        ? result.replaceAll(name, () => replacement)
        : result.replace(name, () => replacement)
    }
    return result
  }

  /** What about a string cannot be known from the file; undefined if all can. */
  doubt(value: string): string | undefined {
    const variable = /\$(?:env|def|defn|defs|defv)\([^)]*\)?/.exec(value)?.[0]
    return variable ?? this.#opaque
  }
}

/** A value may go on behind a backslash at the end of its line. */
function unfold(words: readonly string[]): string {
  return words
    .join(' ')
    .replace(/\\\r?\n/g, ' ')
    .trim()
}
