import { randomBytes } from 'node:crypto'

/**
 * Cookies: `PREFIX_COUNTER`. The prefix is 96 random bits as 16 base64url characters, made anew in every thread and process,
 * so that no other process shares a cookie and no stranger guesses one (rtpengine answers a repeated cookie with the first
 * answer, whoever asks). The counter tells the open requests apart. The length is fixed, so that the cookie of a datagram
 * can be replaced in place when its command goes to another node.
 */
const PREFIX_LENGTH = 16
const COUNTER_DIGITS = 10
/** Bytes of a cookie, without the space behind it. */
export const COOKIE_LENGTH = PREFIX_LENGTH + 1 + COUNTER_DIGITS
const COUNTER_LIMIT = 2 ** 40

const HEX = Buffer.from('0123456789abcdef', 'latin1')
const UNDERSCORE = 0x5f
const SPACE = 0x20

export class Cookies {
  readonly #prefix = Buffer.from(randomBytes((PREFIX_LENGTH * 3) / 4).toString('base64url'), 'latin1')
  // A start of its own keeps the counter from telling how many commands this process has sent.
  #counter = randomBytes(4).readUInt32BE()

  /** Writes the next cookie and a space to the start of `datagram`; returns the cookie's counter. */
  write(datagram: Buffer): number {
    this.#counter = (this.#counter + 1) % COUNTER_LIMIT
    this.#prefix.copy(datagram, 0)
    datagram[PREFIX_LENGTH] = UNDERSCORE
    let rest = this.#counter
    for (let at = COOKIE_LENGTH - 1; at > PREFIX_LENGTH; at--) {
      datagram[at] = HEX[rest % 16]!
      rest = Math.floor(rest / 16)
    }
    datagram[COOKIE_LENGTH] = SPACE
    return this.#counter
  }

  /** The counter of a reply that begins with a cookie of ours and a space (or is nothing but the cookie), else -1. */
  read(reply: Uint8Array): number {
    if (reply.length < COOKIE_LENGTH) return -1
    if (reply.length > COOKIE_LENGTH && reply[COOKIE_LENGTH] !== SPACE) return -1
    for (let at = 0; at < PREFIX_LENGTH; at++) if (reply[at] !== this.#prefix[at]) return -1
    if (reply[PREFIX_LENGTH] !== UNDERSCORE) return -1
    let counter = 0
    for (let at = PREFIX_LENGTH + 1; at < COOKIE_LENGTH; at++) {
      const byte = reply[at]!
      const digit =
        byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1
      if (digit < 0) return -1
      counter = counter * 16 + digit
    }
    return counter
  }
}
