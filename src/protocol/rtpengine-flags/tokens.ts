import { isIP } from 'node:net'
import { FlagError } from '../../errors.ts'

/** Longest flag string read or printed, in characters. */
const MAX_LENGTH = 8192
/** The modules read numbers into a C int. */
const MAX_INTEGER = 0x7fff_ffff

/** One item of a flag string: `key`, or `key=value`. */
export interface Token {
  /** The string it stands in. */
  readonly flags: string
  /** Where it begins, in characters. */
  readonly at: number
  readonly key: string
  /** `undefined` without `=`; may be empty. */
  readonly value: string | undefined
  readonly valueAt: number
}

/**
 * The items of a flag string, which spaces part. With `brackets`, a value that begins with `[` reaches to the bracket
 * that closes it, and the next item may follow at once.
 *
 * @throws FlagError for what no module could take, or would stop reading at in silence.
 */
export function* tokensOf(flags: string, brackets: boolean): Generator<Token, void> {
  checkText(flags)
  let at = 0
  for (;;) {
    while (flags[at] === ' ') at++
    if (at === flags.length) return
    const key = keyAt(flags, at)
    const valueAt = at + key.length + 1
    if (flags[valueAt - 1] !== '=') {
      yield { flags, at, key, value: undefined, valueAt }
      at = valueAt - 1
      continue
    }
    const value =
      brackets && flags[valueAt] === '['
        ? flags.slice(valueAt, closingBracket(flags, valueAt) + 1)
        : textAt(/[^ ]*/y, flags, valueAt)
    yield { flags, at, key, value, valueAt }
    at = valueAt + value.length
  }
}

/** The name that begins at `at`. */
export function keyAt(flags: string, at: number): string {
  const key = textAt(/[^ =]*/y, flags, at)
  if (key === '') throw new FlagError(flags, at, `nothing stands before the '=' at ${at}`)
  return key
}

/** Where the bracket that opens at `at` is closed. */
export function closingBracket(flags: string, at: number): number {
  let depth = 0
  for (let i = at; i < flags.length; i++) {
    if (flags[i] === '[') depth++
    else if (flags[i] === ']' && --depth === 0) return i
  }
  throw new FlagError(flags, at, `the bracket at ${at} is not closed`)
}

/** What a sticky expression, which may match nothing, finds at `at`. */
function textAt(expression: RegExp, flags: string, at: number): string {
  expression.lastIndex = at
  return expression.exec(flags)![0]
}

function checkText(flags: string): void {
  if (flags.length > MAX_LENGTH) {
    throw new FlagError(
      flags,
      MAX_LENGTH,
      `flag string of ${flags.length} characters; the limit is ${MAX_LENGTH}`,
    )
  }
  const at = flags.search(/[\p{Cc}\p{Cs}]/u)
  if (at >= 0) throw new FlagError(flags, at, `control character or half a surrogate pair at ${at}`)
}

/** The error for an item. */
export function failure({ flags, at, key }: Token, reason: string): FlagError {
  return new FlagError(flags, at, `'${key}' at ${at} ${reason}`)
}

/** The value of an item that says nothing without one. */
export function textValue(token: Token): string {
  if (!token.value) throw failure(token, 'needs a value')
  return token.value
}

/** The number that a value begins with; the modules do not look at what follows it. */
export function integerOf(token: Token): number {
  const digits = /^[+-]?[0-9]+/.exec(textValue(token))?.[0]
  const number = Number.parseInt(digits ?? '', 10)
  if (!(Math.abs(number) <= MAX_INTEGER)) throw failure(token, 'needs a number of 32 bits')
  // There is no negative zero on the wire.
  return number === 0 ? 0 : number
}

/** An address; `given` is where it may stand in place of the value. */
export function addressOf(token: Token, given: string): string {
  if (isIP(given) === 0) throw failure(token, 'needs an IP address')
  return given
}
