import { INCOMPLETE, MALFORMED, MAX_STRING, ValueEnd } from '../../core/plain/value-end.ts'

/** Bytes in which the space behind a cookie must come. Ours has 27, rtpengine's notifications have 16. */
const MAX_COOKIE = 64
/**
 * Larger than any reply can be read: one of more than 65,535 bytes fails its own command, and must not cost all the others
 * their connection.
 */
const MAX_MESSAGE = MAX_COOKIE + 1 + MAX_STRING
const SPACE = 0x20
const EMPTY = Buffer.alloc(0)

/** Cuts a stream of `COOKIE SP DICTIONARY` messages, back to back, into messages. */
export class StreamFrames {
  readonly #receive: (message: Buffer) => void
  readonly #end = new ValueEnd()
  /** The beginning of a message whose end has not come yet: its first `#length` bytes, with room for more. */
  #partial = EMPTY
  #length = 0
  /** Whether the next byte belongs to a dictionary; else to a cookie. */
  #inDictionary = false

  /** @param receive is handed each message: a view into the chunk where the message lies whole in it, else a copy. */
  constructor(receive: (message: Buffer) => void) {
    this.#receive = receive
  }

  /** Takes the next bytes. False when they cannot be messages; nothing that follows can be told apart then. */
  push(chunk: Buffer): boolean {
    let start = 0
    let at = 0
    while (at < chunk.length) {
      if (!this.#inDictionary) {
        const space = this.#space(chunk, at)
        if (space < 0) return space === INCOMPLETE && this.#keep(chunk.subarray(start))
        this.#inDictionary = true
        at = space + 1
      }
      const end = this.#end.find(chunk, at)
      if (end === MALFORMED) return false
      if (end === INCOMPLETE) return this.#keep(chunk.subarray(start))
      this.#inDictionary = false
      this.#deliver(chunk.subarray(start, end))
      start = end
      at = end
    }
    return true
  }

  /** Where the cookie that begins before or at `at` ends. */
  #space(chunk: Buffer, at: number): number {
    const limit = at + MAX_COOKIE - this.#length
    const last = Math.min(limit, chunk.length - 1)
    for (let i = at; i <= last; i++) {
      if (chunk[i] === SPACE) return this.#length + i - at > 0 ? i : MALFORMED
    }
    return limit < chunk.length ? MALFORMED : INCOMPLETE
  }

  /** Keeps a copy: many small chunks would otherwise hold many times their bytes. */
  #keep(part: Buffer): boolean {
    const length = this.#length + part.length
    if (length > this.#partial.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#partial.length, length))
      this.#partial.copy(larger, 0, 0, this.#length)
      this.#partial = larger
    }
    part.copy(this.#partial, this.#length)
    this.#length = length
    return length <= MAX_MESSAGE
  }

  #deliver(part: Buffer): void {
    if (this.#length === 0) {
      this.#receive(part)
      return
    }
    this.#keep(part)
    const message = this.#partial.subarray(0, this.#length)
    this.#partial = EMPTY
    this.#length = 0
    this.#receive(message)
  }
}
