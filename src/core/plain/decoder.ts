import { isUint8Array } from 'node:util/types'
import { BencodeError, optionError } from '../../errors.ts'
import { type BencodeMapValue, type BencodeValue, type DecodeOptions, decode } from '../bencode-decode.ts'
import { INCOMPLETE, MALFORMED, ValueEnd } from './value-end.ts'

export interface BencodeDecoderOptions extends Omit<DecodeOptions, 'tolerant'> {
  /** Largest value, in bytes. Default 1,048,576. */
  readonly maxBytes?: number | undefined
}

/** What a decoder gives. */
export type BencodeDecoded = BencodeValue<Buffer | string> | BencodeMapValue<Buffer | string>

const MAX_BYTES = 1 << 20
const EMPTY = Buffer.alloc(0)

/**
 * Decodes the values of a stream that stand back to back, however it is cut: each chunk is looked at once, and nothing is kept but the
 * beginning of the value whose end has not come.
 *
 * After a BencodeError nothing that follows can be told apart: the decoder is done, and says so at every call.
 */
export class BencodeDecoder {
  readonly #options: DecodeOptions
  readonly #maxBytes: number
  readonly #end: ValueEnd
  /** The beginning of a value whose end has not come yet: its first `#length` bytes, with room for more. */
  #partial = EMPTY
  #length = 0
  /** Where in the stream the value at hand begins. */
  #offset = 0
  #failure: BencodeError | undefined

  /** @throws ConfigurationError that names the option. */
  constructor(options: BencodeDecoderOptions = {}) {
    const { maxBytes = MAX_BYTES, maxDepth = 64 } = options
    if ((options as DecodeOptions).tolerant)
      throw optionError('tolerant', 'a stream has no end to be tolerant of')
    this.#options = { ...options, maxBytes, maxDepth }
    this.#maxBytes = maxBytes
    // What is wrong with the options shows now, not with the first value.
    decode(Buffer.from('le'), this.#options)
    this.#end = new ValueEnd({ onlyDictionary: false, maxDepth, maxString: maxBytes })
  }

  /**
   * Takes the next bytes of the stream, and gives the values that they complete.
   *
   * @throws BencodeError with the offset in the stream, or for what are no bytes. What was complete before it in the same chunk is lost; use `decode` to have it.
   */
  push(chunk: Uint8Array): BencodeDecoded[] {
    return [...this.#values(chunk)]
  }

  /**
   * Says that the stream has ended.
   *
   * @throws BencodeError when a value has begun.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#length > 0) throw this.#fail('the input ends early', this.#length)
  }

  /**
   * The values of a stream of chunks, one by one.
   *
   * @throws BencodeError behind the last value before it.
   */
  async *decode(
    stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): AsyncGenerator<BencodeDecoded, void> {
    for await (const chunk of stream) yield* this.#values(chunk)
    this.end()
  }

  *#values(chunk: Uint8Array): Generator<BencodeDecoded, void> {
    if (this.#failure !== undefined) throw this.#failure
    if (!isUint8Array(chunk)) throw new BencodeError('the stream must be of Uint8Arrays, not decoded to text')
    let start = 0
    while (start < chunk.length) {
      const end = this.#end.find(chunk, start)
      if (end === MALFORMED) throw this.#malformed(chunk.subarray(start))
      const part = chunk.subarray(start, end === INCOMPLETE ? undefined : end)
      if (this.#length + part.length > this.#maxBytes)
        throw this.#fail(`a value of more than ${this.#maxBytes} bytes`, 0)
      if (end === INCOMPLETE) {
        this.#keep(part)
        return
      }
      yield this.#take(part)
      start = end
    }
  }

  /** The chunk is the caller's, who may use it for the next bytes. */
  #keep(part: Uint8Array): void {
    const length = this.#length + part.length
    if (length > this.#partial.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#partial.length, length))
      this.#partial.copy(larger, 0, 0, this.#length)
      this.#partial = larger
    }
    this.#partial.set(part, this.#length)
    this.#length = length
  }

  /** The bytes of the value at hand, with `part` behind what was kept. */
  #joined(part: Uint8Array): Uint8Array {
    if (this.#length === 0) return part
    this.#keep(part)
    return this.#partial.subarray(0, this.#length)
  }

  #take(part: Uint8Array): BencodeDecoded {
    const bytes = this.#joined(part)
    this.#partial = EMPTY
    this.#length = 0
    try {
      const value = decode(bytes, this.#options)
      this.#offset += bytes.length
      return value
    } catch (error) {
      if (!(error instanceof BencodeError)) throw error
      throw this.#told(error)
    }
  }

  /** The decoder knows what is wrong and where; it is given no more than the value has. */
  #malformed(part: Uint8Array): BencodeError {
    try {
      decode(this.#joined(part).subarray(0, this.#maxBytes), this.#options)
    } catch (error) {
      if (error instanceof BencodeError) return this.#told(error)
      throw error
    }
    return this.#fail('no value begins', 0)
  }

  #told({ message, offset = 0 }: BencodeError): BencodeError {
    return this.#fail(message.replace(/ at byte \d+$/, ''), offset)
  }

  /** Tells the same from here on. */
  #fail(reason: string, offset: number): BencodeError {
    this.#partial = EMPTY
    this.#failure = new BencodeError(reason, this.#offset + offset)
    return this.#failure
  }
}
