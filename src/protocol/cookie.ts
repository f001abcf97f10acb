import { crypto } from './builtins.ts'

/**
 * Cookies: `PREFIX_COUNTER`. The prefix is 96 random bits as 16 base64url characters, made anew in every thread and process,
 * so that no other process shares a cookie and no stranger guesses one (rtpengine answers a repeated cookie with the first
 * answer, whoever asks, for 30 seconds). The counter tells the open requests apart. The length is fixed, so that the cookie of
 * a datagram can be replaced in place when its command goes to another node.
 */
const PREFIX_LENGTH = 16
const COUNTER_DIGITS = 8
/** Bytes of a cookie, without the space behind it. */
export const COOKIE_LENGTH = PREFIX_LENGTH + 1 + COUNTER_DIGITS
/** V8 keeps integers below this in a machine word; at 100,000 commands a second they come round after six hours. */
const COUNTER_LIMIT = 2 ** 31

const UNDERSCORE = 0x5f
const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39
const A = 0x61
const F = 0x66

export class Cookies {
  /** The cookie written last and a space. The next one mostly differs in one digit. */
  readonly #bytes: Buffer
  // A start of its own keeps the counter from telling how many commands this process has sent.
  #counter = crypto().randomBytes(4).readUInt32BE() % COUNTER_LIMIT

  constructor() {
    const prefix = crypto()
      .randomBytes((PREFIX_LENGTH * 3) / 4)
      .toString('base64url')
    this.#bytes = Buffer.from(`${prefix}_${hex(this.#counter)} `, 'latin1')
  }

  /** Writes the next cookie and a space to the start of `datagram`; returns the cookie's counter. */
  write(datagram: Uint8Array): number {
    const bytes = this.#bytes
    this.#counter = (this.#counter + 1) % COUNTER_LIMIT
    if (this.#counter === 0) bytes.write(hex(0), PREFIX_LENGTH + 1, 'latin1')
    else this.#increment()
    // For so few bytes a loop beats `copy`.
    for (let at = 0; at <= COOKIE_LENGTH; at++) datagram[at] = bytes[at]!
    return this.#counter
  }

  #increment(): void {
    const bytes = this.#bytes
    for (let at = COOKIE_LENGTH - 1; ; at--) {
      const digit = bytes[at]!
      bytes[at] = digit === NINE ? A : digit === F ? ZERO : digit + 1
      if (digit !== F) return
    }
  }

  /** The counter of a reply that begins with a cookie of ours and a space (or is nothing but the cookie), else -1. */
  read(reply: Uint8Array): number {
    if (reply.length < COOKIE_LENGTH) return -1
    if (reply.length > COOKIE_LENGTH && reply[COOKIE_LENGTH] !== SPACE) return -1
    for (let at = 0; at < PREFIX_LENGTH; at++) if (reply[at] !== this.#bytes[at]) return -1
    if (reply[PREFIX_LENGTH] !== UNDERSCORE) return -1
    let counter = 0
    for (let at = PREFIX_LENGTH + 1; at < COOKIE_LENGTH; at++) {
      const byte = reply[at]!
      const digit = byte >= ZERO && byte <= NINE ? byte - ZERO : byte >= A && byte <= F ? byte - A + 10 : -1
      if (digit < 0) return -1
      counter = counter * 16 + digit
    }
    return counter
  }
}

function hex(counter: number): string {
  return counter.toString(16).padStart(COUNTER_DIGITS, '0')
}
