import { ConfigurationError } from '../errors.ts'
import { Definitions } from './definitions.ts'

/** A token of a kamailio.cfg that can be part of a `modparam`. */
export interface Token {
  readonly kind: 'identifier' | 'string' | 'number' | 'mark'
  /** The identifier, the string's value, the number's digits or the single character. */
  readonly text: string
  readonly line: number
  /** Why the value is not what the file alone makes it; undefined if it is. */
  readonly unknown?: string | undefined
}

/** The words that begin a directive, behind `#!` or `!!` (Kamailio's configuration preprocessor). */
const DIRECTIVE = /^[ \t]*(?:#!|!!)([A-Za-z]+)[ \t]*((?:[^\n\\]|\\\r?\n|\\[\s\S])*)/
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*/
const NUMBER = /^(?:0x[0-9a-f]+|0b[01]+|[0-9]+)/i
const BLANK = /^[ \t\r\n]+/
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07' }
/** A definition may name another one, but not for ever. */
const MAX_EXPANSIONS = 32

function error(line: number, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_CONFIG', 'kamailio.cfg', message, line)
}

/**
 * Cuts a kamailio.cfg into tokens: comments gone, directives followed, `#!define`d names replaced by what they stand for
 * and substitutions made in strings. What lies in an `#!ifdef` that does not hold is left out; a name that only a command
 * line could define counts as not defined.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_CONFIG` for an unterminated string or comment.
 */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  const definitions = new Definitions()
  let at = 0
  let line = 1
  const take = (length: number): string => {
    const taken = text.slice(at, at + length)
    for (const character of taken) if (character === '\n') line++
    at += length
    return taken
  }

  while (at < text.length) {
    const lineStart = at === 0 || text[at - 1] === '\n'
    const rest = lineStart || text[at] === '#' ? text.slice(at, lineLimit(text, at)) : ''
    const directive = lineStart || text.startsWith('#!', at) ? DIRECTIVE.exec(rest) : null
    if (directive !== null) {
      definitions.follow(directive[1]!, directive[2]!.trim(), line)
      take(directive[0].length)
      continue
    }
    if (definitions.skipping) {
      const newline = text.indexOf('\n', at)
      take((newline < 0 ? text.length : newline + 1) - at)
      continue
    }
    const character = text[at]!
    if (character === '#' || text.startsWith('//', at)) {
      const newline = text.indexOf('\n', at)
      take((newline < 0 ? text.length : newline) - at)
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      if (end < 0) throw error(line, 'this comment is not closed')
      take(end + 2 - at)
    } else if (character === '"' || character === "'") {
      const start = line
      const [value, length] = stringAt(text, at, line)
      take(length)
      found.push({
        kind: 'string',
        text: definitions.substitute(value),
        line: start,
        unknown: definitions.doubt(value),
      })
    } else {
      const window = text.slice(at, at + 256)
      const blank = BLANK.exec(window)?.[0]
      const word = IDENTIFIER.exec(window)?.[0]
      const number = NUMBER.exec(window)?.[0]
      if (blank !== undefined) take(blank.length)
      else if (word !== undefined) {
        found.push(...expanded(word, line, definitions, 0))
        take(word.length)
      } else {
        found.push({ kind: number === undefined ? 'mark' : 'number', text: number ?? character, line })
        take(number?.length ?? 1)
      }
    }
  }
  return found
}

/** Where a directive that begins at `at` ends at the latest: its line, and those it continues on. */
function lineLimit(text: string, at: number): number {
  let end = text.indexOf('\n', at)
  while (end > 0 && (text[end - 1] === '\\' || (text[end - 1] === '\r' && text[end - 2] === '\\')))
    end = text.indexOf('\n', end + 1)
  return end < 0 ? text.length : end
}

/** The value and the length of the string at `at`: escapes count in double quotes only. */
function stringAt(text: string, at: number, line: number): [value: string, length: number] {
  const quote = text[at]!
  let value = ''
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i]!
    if (character === quote) return [value, i + 1 - at]
    if (character === '\\' && quote === '"' && i + 1 < text.length) {
      const escaped = text[++i]!
      value += ESCAPES[escaped] ?? escaped
    } else value += character
  }
  throw error(line, 'this string is not closed')
}

/** An identifier, or the tokens of its definition; they all stand on the line of the name. */
function expanded(word: string, line: number, definitions: Definitions, depth: number): Token[] {
  const definition = definitions.get(word)
  if (definition === undefined || depth === MAX_EXPANSIONS) return [{ kind: 'identifier', text: word, line }]
  const inner: Token[] = []
  let rest = definition
  while (rest !== '') {
    const blank = BLANK.exec(rest)?.[0]
    const name = IDENTIFIER.exec(rest)?.[0]
    const number = NUMBER.exec(rest)?.[0]
    if (blank !== undefined) rest = rest.slice(blank.length)
    else if (rest[0] === '"' || rest[0] === "'") {
      const [value, length] = stringAt(rest, 0, line)
      inner.push({
        kind: 'string',
        text: definitions.substitute(value),
        line,
        unknown: definitions.doubt(value),
      })
      rest = rest.slice(length)
    } else if (name !== undefined) {
      inner.push(
        ...(name === word
          ? [{ kind: 'identifier' as const, text: name, line }]
          : expanded(name, line, definitions, depth + 1)),
      )
      rest = rest.slice(name.length)
    } else {
      inner.push({ kind: number === undefined ? 'mark' : 'number', text: number ?? rest[0]!, line })
      rest = rest.slice(number?.length ?? 1)
    }
    if (inner.length > 1000) throw error(line, `the definition of ${word} is too large`)
  }
  return inner
}
