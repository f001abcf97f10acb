import { INCOMPLETE, ValueEnd } from '../../core/plain/value-end.ts'

/** Largest reply of one dictionary alone, as from a datagram. */
const MAX_REPLY = 65535
/** Collects the bytes of one bencoded dictionary from a stream and says when it is complete. */
export class ReplyFrame {
  readonly #chunks: Buffer[] = []
  readonly #end = new ValueEnd()
  #length = 0
  #over = false

  get length(): number {
    return this.#length
  }

  bytes(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
  }

  /**
   * Takes the next bytes. Returns all bytes so far once the dictionary is complete, or once it is clear that it is none or
   * too large (what follows will not mend it); undefined while more is needed.
   */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#over) return undefined
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#end.find(chunk, 0) === INCOMPLETE && this.#length <= MAX_REPLY) return undefined
    this.#over = true
    return this.bytes()
  }
}
