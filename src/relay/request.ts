import { type BencodeInput, type BencodeValue, decode, encode } from '../core/bencode.ts'
import { NgError } from '../errors.ts'
import { scanBencode } from './control/bencode-scan.ts'

type Value = BencodeValue<string>
export type Reply = Readonly<Record<string, BencodeInput | null | undefined>>

/** The error that becomes a reply `result` = `error` with this `error-reason`. */
export function refusal(reason: string): NgError {
  return new NgError('ERR_RTPPROXY_NG', reason, { command: '', node: undefined, reason })
}

/** Strings are bytes held as latin1, so that what comes in goes out as it was, whatever its encoding. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** NG takes keys and flags in several spellings: `media address`, `media-address`, `ICE`, `ice`. */
const canonical = (name: string): string => name.replace(/[ _]/g, '-').toLowerCase()

/** One command as it came, in bencode or JSON. */
export class Request {
  readonly isJson: boolean
  readonly #entries = new Map<string, Value>()

  /** Throws the refusal that rtpengine answers a payload with that holds no dictionary. */
  constructor(payload: Buffer) {
    this.isJson = payload[0] === 0x7b
    for (const [key, value] of Object.entries(dictionaryOf(payload))) {
      this.#entries.set(canonical(key), value)
    }
  }

  /** Every key in its one spelling, and its value; strings are bytes held as latin1. */
  get entries(): ReadonlyMap<string, Value> {
    return this.#entries
  }

  text(key: string): string | undefined {
    const value = this.#entries.get(key)
    return typeof value === 'string' ? value : undefined
  }

  required(key: string): string {
    const text = this.text(key)
    if (text === undefined) throw refusal(`No ${key} in message`)
    return text
  }

  integer(key: string): number | undefined {
    const value = this.#entries.get(key)
    const number = typeof value === 'string' && /^-?[0-9]+$/.test(value) ? Number(value) : value
    return typeof number === 'number' ? number : undefined
  }

  /** A list, which may also stand as one string with commas. */
  list(key: string): string[] {
    const value = this.#entries.get(key)
    if (typeof value === 'string') return value.split(',').filter((item) => item !== '')
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  }

  /** Whether the list at `key` has `name`, in any spelling. */
  has(key: string, name: string): boolean {
    return this.list(key).some((item) => canonical(item) === name)
  }
}

function dictionaryOf(payload: Buffer): { [key: string]: Value } {
  if (payload.length === 0) throw refusal('Invalid data (no payload)')
  if (payload[0] === 0x7b) {
    try {
      return JSON.parse(payload.toString('utf8'), asBencodeDoes) as { [key: string]: Value }
    } catch {
      throw refusal('Failed to parse JSON document')
    }
  }
  if (payload[0] !== 0x64) throw refusal('Invalid NG data format')
  try {
    return decode(mended(payload), 'latin1') as { [key: string]: Value }
  } catch {
    throw refusal('Could not decode bencode dictionary')
  }
}

/** rtpengine forgives what stands behind the dictionary, and an `e` that is missing at its end. */
function mended(payload: Buffer): Buffer {
  const scan = scanBencode(payload, 0)
  if (scan === undefined) return payload
  const whole = payload.subarray(0, scan.end)
  return scan.missing === 0 ? whole : Buffer.concat([whole, Buffer.alloc(scan.missing, 'e')])
}

/** Strings as latin1 bytes, booleans as integers. */
function asBencodeDoes(_: string, value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString('latin1')
  return typeof value === 'boolean' ? Number(value) : value
}

/** The reply in the encoding of its request. */
export function encodeReply(reply: Reply, isJson: boolean): Buffer {
  return isJson ? Buffer.from(JSON.stringify(plain(reply))) : encode(reply)
}

function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [String(plain(key)), plain(item)]))
}
