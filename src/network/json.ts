import type { BencodeInput } from '../core/bencode.ts'
import { decodeLarge, encodeLarge, type LargeValue } from '../core/large/bencode.ts'
import { buffer, crypto } from '../protocol/builtins.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import type { Exchange, OpenRequest, Timing, Transport } from './transport.ts'

const OPEN_BRACE = 0x7b
/** Deepest nesting of a reply, as for bencode. */
const MAX_DEPTH = 64

/**
 * Speaks JSON to a node where the commands above are bencode: for those who read the traffic. rtpengine answers in the coding it was
 * asked in. Bytes that are no UTF-8 cannot be sent so, but for a `blob`, which goes as `blob64`.
 */
export class JsonTransport implements Transport {
  readonly #inner: Transport

  constructor(inner: Transport) {
    this.#inner = inner
  }

  get url(): string {
    return this.#inner.url
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    let datagram: Buffer
    try {
      datagram = jsonOf(exchange.datagram)
    } catch (cause) {
      return failLater(exchange, cause)
    }
    return this.#inner.send(
      {
        datagram,
        expectsLarge: exchange.expectsLarge,
        replied: (bytes, offset) => {
          // What is no JSON is left as it is: whoever reads it says so.
          const reply = bytes[offset] === OPEN_BRACE ? bencodeOf(bytes.toString('utf8', offset)) : undefined
          exchange.replied(reply ?? bytes, reply === undefined ? offset : 0)
        },
        failed: (failure) => exchange.failed(failure),
        unanswered: (sends) => exchange.unanswered?.(sends) ?? true,
      },
      timing,
    )
  }

  async refresh(): Promise<void> {
    await this.#inner.refresh?.()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

function failLater(exchange: Exchange, cause: unknown): OpenRequest {
  let open = true
  queueMicrotask(() => {
    if (open) exchange.failed({ kind: 'local', cause })
  })
  return {
    cancel: () => {
      open = false
    },
  }
}

/** The same command in JSON, behind room for the cookie. */
function jsonOf(datagram: Buffer): Buffer {
  const dictionary = decodeLarge(datagram, COOKIE_LENGTH + 1)
  const blob = dictionary.get('blob')
  dictionary.delete('blob')
  const values = jsonValue(dictionary, '') as Record<string, unknown>
  if (Buffer.isBuffer(blob)) values.blob64 = blob.toString('base64')
  return Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), Buffer.from(JSON.stringify(values))])
}

function jsonValue(value: LargeValue, path: string): unknown {
  if (Buffer.isBuffer(value)) {
    if (!buffer().isUtf8(value))
      throw new TypeError(`${path}: bytes that are no UTF-8 cannot be sent as JSON`)
    return value.toString()
  }
  // rtpengine reads a number from a string as well.
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.map((item, i) => jsonValue(item, `${path}[${i}]`))
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, item] of value) object[key] = jsonValue(item, path ? `${path}.${key}` : key)
  return object
}

/** The reply as bencode; undefined if it is no JSON object. */
function bencodeOf(text: string): Buffer | undefined {
  try {
    return encodeLarge(bencodeValue(parsed(text), 0) as Record<string, BencodeInput>)
  } catch {
    return undefined
  }
}

/** Strings of JSON, which are left alone, and integers that may be too large for a number. */
const STRING_OR_LARGE = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,20}(?![\d.eE])/g
/** Where there can be one of those: most replies have none, and are read in one go. */
const PERHAPS_LARGE = /[:,[\s]-?\d{16}/

/** As `JSON.parse`, but large integers are bigints, where that would round them. */
function parsed(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (!PERHAPS_LARGE.test(text)) return value
  // What nobody can have written tells them from strings.
  const mark = crypto().randomUUID()
  const marked = text.replace(STRING_OR_LARGE, (found) => (found[0] === '"' ? found : `"${mark}${found}"`))
  return JSON.parse(marked, (_, one) =>
    typeof one === 'string' && one.startsWith(mark) ? BigInt(one.slice(mark.length)) : one,
  )
}

function bencodeValue(value: unknown, depth: number): BencodeInput | null {
  if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? value : String(value)
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply')
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value)
  if (typeof value !== 'object') return value as string | boolean
  if (value === null) return null
  if (Array.isArray(value)) return value.map((item) => bencodeValue(item, depth + 1) ?? '')
  const dictionary: Record<string, BencodeInput | null> = Object.create(null)
  for (const [key, item] of Object.entries(value)) dictionary[key] = bencodeValue(item, depth + 1)
  return dictionary
}
