import { decode } from '../core/bencode.ts'

/** What of SDP and keys is written to a log: nothing, SDP without its keys, or all. */
export type LogBodies = 'none' | 'redacted' | 'all'

/**
 * Key material in SDP: SDES (RFC 4568, `a=crypto`), ICE passwords (RFC 8839), MIKEY (RFC 4567, `a=key-mgmt`), `k=` (RFC 4566). Fingerprints
 * are public.
 */
const KEYS = /\b(inline:)[^\s|;"\\]+|^(a=ice-pwd:|a=key-mgmt:\w+ +|k=)\S+/gim

/** Takes the keys out of a text with SDP in it. */
export function withoutKeys(text: string): string {
  return text.replace(KEYS, (_, inline = '', line = '') => `${inline}${line}[redacted]`)
}

/** A dictionary as it stood on the wire, bencode or JSON, from `offset` on; undefined if it is none. */
export function readBody(bytes: Buffer, offset: number, bodies: LogBodies): unknown {
  if (bodies === 'none') return undefined
  try {
    const dictionary = bytes.subarray(offset)
    const value =
      dictionary[0] === 0x7b ? JSON.parse(dictionary.toString()) : decode(dictionary, { encoding: 'utf8' })
    return bodies === 'all' ? value : redacted(value)
  } catch {
    return undefined
  }
}

function redacted(value: unknown): unknown {
  if (typeof value === 'string') return withoutKeys(value)
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, redacted(entry)]))
}
