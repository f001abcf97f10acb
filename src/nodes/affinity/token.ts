import type { KeyObject } from 'node:crypto'
import { type ConfigurationError, optionError } from '../../errors.ts'
import { crypto } from '../../protocol/builtins.ts'

export type TokenKey = string | Uint8Array

export interface NodeTokensOptions {
  /** At least 16 bytes each (text counts in UTF-8). Of several the first signs and all verify, so that keys can be changed. */
  readonly key: TokenKey | readonly TokenKey[]
  /** How long a token is good for, in milliseconds; up to a minute longer, since tokens count in minutes. */
  readonly lifetimeMs: number
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: (() => number) | undefined
}

// Version, minute of expiry since the epoch (big-endian), start of the URL's SHA-256, start of the HMAC. Twenty-one bytes are
// 28 characters of base64url with no bit to spare: one token has one spelling, of characters that RFC 3261 (25.1,
// "unreserved") allows unescaped in the user part and the parameters of a URI.
const VERSION = 1
const MINUTE_AT = 1
const NODE_AT = 5
const MAC_AT = 11
const LENGTH = 21
const TOKEN = /^[A-Za-z0-9_-]{28}$/

const MINUTE_MS = 60_000
const LAST_MINUTE = 0xffff_ffff
const SHORTEST_KEY = 16
/** Names of nodes remembered; far more nodes than anybody has at once. */
const NAMES = 1024

/**
 * Short signed tokens that name the node of a call. A SIP proxy puts one into its Record-Route and gets it back in the Route
 * of the dialog's next request (RFC 3261, 16.6 and 12.2.1.1), so that any process with the key finds the node, with no
 * memory shared, after any restart.
 *
 * The 80 bits of HMAC-SHA256 cover the Call-ID as well: a token moved to another call is a forgery. What a forger would
 * win, at one try a message, is the choice among the nodes configured here.
 */
export class NodeTokens {
  /** Tokens that named no node, by reason: not of this key and call, too old, of a node that is not here (any more). */
  readonly refused = { forged: 0, stale: 0, unknown: 0 }
  readonly #keys: readonly KeyObject[]
  readonly #lifetimeMs: number
  readonly #now: () => number
  readonly #names = new Map<string, Buffer>()

  /** @throws ConfigurationError `ERR_RTPPROXY_OPTION` (`tokenKey`) when there is no key or one is too short. */
  constructor(options: NodeTokensOptions) {
    const { key, lifetimeMs, now = Date.now } = options
    const keys = typeof key === 'string' || key instanceof Uint8Array ? [key] : key
    if (keys.length === 0) throw keyError('there is none')
    this.#keys = keys.map(secretKey)
    this.#lifetimeMs = lifetimeMs
    this.#now = now
  }

  /** The token that says that the node with this URL has the call: 28 characters. */
  make(url: string, callId: string): string {
    const token = Buffer.allocUnsafe(LENGTH)
    token[0] = VERSION
    const minute = Math.ceil((this.#now() + this.#lifetimeMs) / MINUTE_MS)
    token.writeUInt32BE(Math.min(minute, LAST_MINUTE), MINUTE_AT)
    this.#name(url).copy(token, NODE_AT)
    mac(this.#keys[0]!, token, callId).copy(token, MAC_AT, 0, LENGTH - MAC_AT)
    return token.toString('base64url')
  }

  /**
   * Which of `urls` the token names for this call. Undefined, and counted in `refused`, when it was not made with one of
   * the keys for this call, is too old, or names none of them. Never throws, whatever the token is.
   */
  read(token: string, callId: string, urls: Iterable<string>): string | undefined {
    const bytes = TOKEN.test(token) ? Buffer.from(token, 'base64url') : undefined
    if (bytes === undefined || bytes[0] !== VERSION || !this.#isGenuine(bytes, callId)) {
      this.refused.forged++
      return undefined
    }
    if (bytes.readUInt32BE(MINUTE_AT) * MINUTE_MS <= this.#now()) {
      this.refused.stale++
      return undefined
    }
    for (const url of urls) {
      if (this.#name(url).compare(bytes, NODE_AT, MAC_AT) === 0) return url
    }
    this.refused.unknown++
    return undefined
  }

  #isGenuine(token: Buffer, callId: string): boolean {
    const claimed = token.subarray(MAC_AT)
    const { timingSafeEqual } = crypto()
    return this.#keys.some((key) =>
      timingSafeEqual(mac(key, token, callId).subarray(0, LENGTH - MAC_AT), claimed),
    )
  }

  /** What stands for a node, of one length whatever its URL. */
  #name(url: string): Buffer {
    let name = this.#names.get(url)
    if (name === undefined) {
      name = crypto()
        .createHash('sha256')
        .update(url)
        .digest()
        .subarray(0, MAC_AT - NODE_AT)
      if (this.#names.size >= NAMES) this.#names.clear()
      this.#names.set(url, name)
    }
    return name
  }
}

function mac(key: KeyObject, token: Buffer, callId: string): Buffer {
  return crypto().createHmac('sha256', key).update(token.subarray(0, MAC_AT)).update(callId).digest()
}

function secretKey(key: TokenKey): KeyObject {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  if (bytes.length < SHORTEST_KEY) throw keyError(`it has ${bytes.length} bytes`)
  return crypto().createSecretKey(bytes)
}

function keyError(why: string): ConfigurationError {
  const message = `tokenKey: a key of at least ${SHORTEST_KEY} bytes is needed; ${why}`
  return optionError('tokenKey', message)
}
