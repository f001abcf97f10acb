import { ConfigurationError } from '../errors.ts'
import { Definitions } from './definitions.ts'

/** A token of a kamailio.cfg that can be part of a `modparam`. */
export interface Token {
  /** A word is a name or a number; a variable is `$` and all that belongs to it. */
  readonly kind: 'word' | 'string' | 'variable' | 'mark'
  /** A string's value, else the characters themselves. */
  readonly text: string
  readonly line: number
  /** What the file alone does not tell, if the token depends on it. */
  readonly doubt?: string | undefined
}

const BLANK = /[ \t\r\n]+|\\\r?\n/y
const LINE_COMMENT = /(?:#|\/\/)[^\n]*/y
const COMMENT_MARK = /\/\*|\*\//g
const WORD = /[A-Za-z0-9_]+/y
const VARIABLE = /\$[A-Za-z0-9_.?]*/y
const NEXT_STRING = /[ \t\r\n]*(?=")/y
const BEFORE_STRING = /[ \t\r\n]*(?=["'])/y
const ESCAPE = /\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{2,3})|\r?\n|[nrat"\\])/g
const ESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  '"': '"',
  '\\': '\\',
}

/** Kamailio takes directives anywhere in a line, and any other word behind `#!` for a comment. */
const DIRECTIVE =
  /(?:#!|!!)(ifn?def|ifexp|else|endif|(?:try|re)?def(?:ine)?|(?:try)?defenvs?|defexps?|subst(?:defs?)?)(?!\w)[ \t]*/y
/** What is left out is not cut into tokens: there, directives count even in comments and strings. */
const CONDITION = /(?:#!|!!)(?:ifn?def|ifexp|else|endif)(?!\w)/g
/** A directive goes on behind a backslash at the end of its line. */
const REST_OF_LINE = /[^\n\\]*(?:\\(?:\r?\n)?[^\n\\]*)*/y

/** Definitions may name one another, but neither in circles nor without measure. */
const MAX_DEPTH = 32
const MAX_EXPANSIONS = 1000

/** A place in a text, and the line it is on. */
class Cursor {
  readonly text: string
  at = 0
  line: number

  constructor(text: string, line: number) {
    this.text = text
    this.line = line
  }

  startsWith(what: string): boolean {
    return this.text.startsWith(what, this.at)
  }

  moveTo(at: number): string {
    const passed = this.text.slice(this.at, at)
    for (let i = passed.indexOf('\n'); i >= 0; i = passed.indexOf('\n', i + 1)) this.line++
    this.at = at
    return passed
  }

  /** Moves behind what a sticky pattern matches here. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match !== null) this.moveTo(this.at + match[0].length)
    return match
  }
}

function error(line: number, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_CONFIG', 'kamailio.cfg', message, line)
}

/**
 * Cuts a kamailio.cfg into tokens: comments gone, directives followed, `#!define`d names replaced by what they stand for
 * and substitutions made in strings. What lies in an `#!ifdef` that does not hold is left out; a name that only a command
 * line or an included file could define counts as not defined.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_CONFIG` for a string, a comment or a condition that is not closed.
 */
export function tokens(text: string): Token[] {
  const lexer = new Lexer()
  lexer.scan(new Cursor(text, 1), 0)
  return lexer.end()
}

class Lexer {
  readonly #tokens: Token[] = []
  readonly #definitions = new Definitions()
  #expansions = 0

  end(): Token[] {
    const { open } = this.#definitions
    if (open !== undefined) throw error(open.line, 'this condition has no #!endif')
    return this.#tokens
  }

  scan(cursor: Cursor, depth: number): void {
    while (cursor.at < cursor.text.length) {
      if (this.#definitions.skipping) skipToCondition(cursor)
      const { line } = cursor
      const directive = cursor.take(DIRECTIVE)
      if (directive !== null) this.#follow(directive[1]!, cursor, line)
      else if (cursor.startsWith('/*')) skipComment(cursor)
      else if (cursor.startsWith('"') || cursor.startsWith("'")) {
        const { text, doubt } = this.#definitions.substitute(stringAt(cursor))
        this.#add('string', text, line, doubt)
      } else if (cursor.take(BLANK) === null && cursor.take(LINE_COMMENT) === null) {
        const word = cursor.take(WORD)?.[0]
        if (word !== undefined) this.#word(word, line, depth)
        else if (cursor.startsWith('$')) this.#add('variable', variableAt(cursor), line)
        else if (cursor.at < cursor.text.length) this.#add('mark', cursor.moveTo(cursor.at + 1), line)
      }
    }
  }

  #add(kind: Token['kind'], text: string, line: number, doubt = this.#definitions.doubt): void {
    this.#tokens.push({ kind, text, line, doubt })
  }

  #follow(word: string, cursor: Cursor, line: number): void {
    let rest: string
    if (word.startsWith('subst')) {
      if (cursor.take(BEFORE_STRING) === null) throw error(line, `#!${word} needs a string`)
      rest = this.#definitions.substitute(stringAt(cursor)).text
    } else
      rest = cursor
        .take(REST_OF_LINE)![0]
        .replace(/\\\r?\n/g, '')
        .trim()
    if (!this.#definitions.follow(word, rest, line)) throw error(line, `this #!${word} belongs to no #!ifdef`)
  }

  /** A word, or the tokens of its definition; they all stand on the line of the word. */
  #word(word: string, line: number, depth: number): void {
    const definition = this.#definitions.get(word)
    if (definition === undefined) this.#add('word', word, line)
    else if (definition.doubt !== undefined)
      this.#add('word', word, line, `${word}, from ${definition.doubt}`)
    else {
      if (depth === 0) this.#expansions = 0
      if (depth === MAX_DEPTH || ++this.#expansions > MAX_EXPANSIONS) {
        throw error(line, `the definition of ${word} never ends or is too large`)
      }
      this.scan(new Cursor(definition.text, line), depth + 1)
    }
  }
}

function skipToCondition(cursor: Cursor): void {
  CONDITION.lastIndex = cursor.at
  cursor.moveTo(CONDITION.exec(cursor.text)?.index ?? cursor.text.length)
}

/** Kamailio's comments nest. */
function skipComment(cursor: Cursor): void {
  const { line } = cursor
  let open = 0
  COMMENT_MARK.lastIndex = cursor.at
  do {
    const mark = COMMENT_MARK.exec(cursor.text)?.[0]
    if (mark === undefined) throw error(line, 'this comment is not closed')
    open += mark === '/*' ? 1 : -1
  } while (open > 0)
  cursor.moveTo(COMMENT_MARK.lastIndex)
}

/** The value of the string here. Only double quotes know escapes, and only those that follow each other are one string. */
function stringAt(cursor: Cursor): string {
  if (cursor.startsWith("'")) return quoted(cursor, "'")
  let value = ''
  do {
    value += quoted(cursor, '"').replace(ESCAPE, (sequence, hexadecimal?: string, octal?: string) => {
      if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16))
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
      return ESCAPED[sequence[1]!] ?? ''
    })
  } while (cursor.take(NEXT_STRING) !== null)
  return value
}

function quoted(cursor: Cursor, quote: string): string {
  const { text, at, line } = cursor
  let end = at + 1
  while (end < text.length && text[end] !== quote) end += quote === '"' && text[end] === '\\' ? 2 : 1
  if (end >= text.length) throw error(line, 'this string is not closed')
  return cursor.moveTo(end + 1).slice(1, -1)
}

/** `$name`, `$name(...)` or `$(...)`: what stands in the parentheses is no text to cut, quotes and `#` included. */
function variableAt(cursor: Cursor): string {
  const { at, text } = cursor
  cursor.take(VARIABLE)
  let end = cursor.at
  let open = 0
  while (end < text.length && text[end] !== '\n' && (open > 0 || (end === cursor.at && text[end] === '('))) {
    if (text[end] === '(') open++
    if (text[end] === ')') open--
    end++
  }
  cursor.moveTo(end)
  return text.slice(at, end)
}
