/** Bencode as BEP 3 words it and this package restricts it, with nothing done for speed. Strings are latin1. */
export type Reference =
  | { readonly string: string }
  | { readonly integer: bigint }
  | { readonly list: readonly Reference[] }
  | { readonly dictionary: readonly (readonly [string, Reference])[] }

export class BadBencode extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

export function referenceDecode(bytes: Uint8Array, maxDepth = 64): Reference {
  const text = Buffer.from(bytes).toString('latin1')
  const [value, end] = readValue(text, 0, maxDepth)
  if (end !== text.length) throw new BadBencode('the input goes on behind the value', end)
  return value
}

function readValue(text: string, at: number, levels: number): [Reference, number] {
  const c = text.charAt(at)
  if (c === '') throw new BadBencode('the input ends early', at)
  if (c === 'i') return readInteger(text, at)
  if (c === 'l' || c === 'd') {
    if (levels === 0) throw new BadBencode('nested too deeply', at)
    return c === 'l' ? readList(text, at + 1, levels - 1) : readDictionary(text, at + 1, levels - 1)
  }
  if (/\d/.test(c)) {
    const [string, end] = readString(text, at)
    return [{ string }, end]
  }
  throw new BadBencode('no value begins', at)
}

function readInteger(text: string, at: number): [Reference, number] {
  const [all, sign, digits] = /^i(-?)(\d*)/.exec(text.slice(at))! as unknown as [string, string, string]
  const end = at + all.length
  if (sign === '-' && digits.startsWith('0')) throw new BadBencode('minus zero', at)
  if (/^0\d/.test(digits)) throw new BadBencode('a number has a leading zero', at + 1)
  const integer = digits === '' ? 0n : BigInt(sign + digits)
  if (integer !== BigInt.asIntN(64, integer)) {
    throw new BadBencode('an integer does not fit in 64 bits', at)
  }
  if (end === text.length) throw new BadBencode('the input ends early', end)
  if (digits === '' || text.charAt(end) !== 'e') throw new BadBencode('not an integer', end)
  return [{ integer }, end + 1]
}

function readString(text: string, at: number): [string, number] {
  const digits = /^\d+/.exec(text.slice(at))![0]
  if (/^0\d/.test(digits)) throw new BadBencode('a number has a leading zero', at)
  const colon = at + digits.length
  if (colon === text.length) throw new BadBencode('the input ends early', colon)
  if (text.charAt(colon) !== ':') throw new BadBencode('not the length of a string', colon)
  const end = BigInt(colon + 1) + BigInt(digits)
  if (end > text.length) throw new BadBencode('a string is longer than what is left', at)
  return [text.slice(colon + 1, Number(end)), Number(end)]
}

function readList(text: string, start: number, levels: number): [Reference, number] {
  const list: Reference[] = []
  let at = start
  while (text.charAt(at) !== 'e') {
    const [value, end] = readValue(text, at, levels)
    list.push(value)
    at = end
  }
  return [{ list }, at + 1]
}

function readDictionary(text: string, start: number, levels: number): [Reference, number] {
  const dictionary: [string, Reference][] = []
  let at = start
  while (text.charAt(at) !== 'e') {
    if (at === text.length) throw new BadBencode('the input ends early', at)
    if (!/\d/.test(text.charAt(at))) throw new BadBencode('a dictionary key is not a string', at)
    const [key, keyEnd] = readString(text, at)
    if (text.charAt(keyEnd) === 'e') throw new BadBencode('a dictionary key has no value', keyEnd)
    const [value, end] = readValue(text, keyEnd, levels)
    dictionary.push([key, value])
    at = end
  }
  return [{ dictionary }, at + 1]
}

export function referenceEncode(value: Reference): Buffer {
  return Buffer.from(toText(value), 'latin1')
}

function toText(value: Reference): string {
  if ('string' in value) return `${value.string.length}:${value.string}`
  if ('integer' in value) return `i${value.integer}e`
  if ('list' in value) return `l${value.list.map(toText).join('')}e`
  return `d${value.dictionary.map(([key, item]) => `${key.length}:${key}${toText(item)}`).join('')}e`
}
