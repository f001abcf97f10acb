/** What a scan of one bencoded value found: the index behind its last whole token, and how many `e` are missing there. */
export interface Scan {
  readonly end: number
  readonly missing: number
}

/** What comes next in a container that is open. */
type Next = 'item' | 'key' | 'value'

/** Looks at the shape of the value that begins at `from`. Undefined: it is cut within a token, or no bencode. */
export function scanBencode(bytes: Buffer, from: number): Scan | undefined {
  const open: Next[] = []
  let at = from
  do {
    const next = open.at(-1)
    const byte = bytes[at]
    if (byte === undefined) return next === undefined ? undefined : { end: at, missing: open.length }
    if (byte === 0x65) {
      if (next === undefined || next === 'value') return undefined
      open.pop()
      at++
      continue
    }
    if (next === 'key') open[open.length - 1] = 'value'
    else if (next === 'value') open[open.length - 1] = 'key'
    if (byte >= 0x30 && byte <= 0x39) at = behindString(bytes, at)
    else if (next === 'key') return undefined
    else if (byte === 0x69) at = behindInteger(bytes, at)
    else if (byte === 0x64 || byte === 0x6c) {
      open.push(byte === 0x64 ? 'key' : 'item')
      at++
    } else return undefined
    if (at < 0 || at > bytes.length) return undefined
  } while (open.length > 0)
  return { end: at, missing: 0 }
}

/** -1 when there is no integer. */
function behindInteger(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0x65, at)
  const isShort = end > 0 && end - at < 25
  return isShort && /^-?(0|[1-9][0-9]*)$/.test(bytes.toString('latin1', at + 1, end)) ? end + 1 : -1
}

/** -1 when there is no string. Zeros in front of the length are the decoder's affair. */
function behindString(bytes: Buffer, at: number): number {
  const colon = bytes.indexOf(0x3a, at)
  const digits = colon > 0 && colon - at < 10 ? bytes.toString('latin1', at, colon) : ''
  return /^[0-9]+$/.test(digits) ? colon + 1 + Number(digits) : -1
}
