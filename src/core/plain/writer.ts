import { isMap, isUint8Array } from 'node:util/types'
import { BencodeError } from '../../errors.ts'

export interface WriterSettings {
  /** Whether the keys of dictionaries are sorted by their bytes, as BEP 3 wants it; else they stay in their order. */
  readonly sorted: boolean
  /** Largest result. */
  readonly maxBytes: number
}

const MAX_DEPTH = 64

type Step = string | number | Uint8Array

/** Encodes without the core, in plain JavaScript: values of any size, and dictionaries in the order of BEP 3. Errors are those of `encode`. */
export class Writer {
  readonly #settings: WriterSettings
  readonly #parts: (string | Uint8Array)[] = []
  readonly #path: Step[] = []
  #length = 0

  constructor(settings: WriterSettings) {
    this.#settings = settings
  }

  /** Bytes of what was written. */
  get length(): number {
    return this.#length
  }

  write(value: unknown, depth = 0): void {
    if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'object' && value !== null) this.#object(value, depth)
    else if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw this.#failure(depth, `${value} is not a safe integer`)
      this.#put(`i${value}e`)
    } else if (typeof value === 'boolean') this.#put(value ? 'i1e' : 'i0e')
    else if (typeof value === 'bigint') {
      if (value !== BigInt.asIntN(64, value))
        throw this.#failure(depth, 'a bigint does not fit in signed 64 bits')
      this.#put(`i${value}e`)
    } else throw this.#failure(depth, `${value === null ? 'null' : typeof value} cannot be encoded`)
  }

  /** All that was written, in a Buffer of its own. */
  bytes(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length)
    let at = 0
    for (const part of this.#parts) {
      if (typeof part === 'string') at += bytes.write(part, at)
      else {
        bytes.set(part, at)
        at += part.length
      }
    }
    return bytes
  }

  #put(text: string, length = text.length): void {
    this.#parts.push(text)
    this.#count(length)
  }

  #count(length: number): void {
    this.#length += length
    const { maxBytes } = this.#settings
    if (this.#length > maxBytes)
      throw new BencodeError(`the bencode would be larger than ${maxBytes.toLocaleString('en')} bytes`)
  }

  #string(value: string): void {
    const length = Buffer.byteLength(value)
    const prefix = `${length}:`
    this.#put(prefix + value, prefix.length + length)
  }

  #bytes(value: Uint8Array): void {
    this.#put(`${value.length}:`)
    this.#parts.push(value)
    this.#count(value.length)
  }

  #object(value: object, depth: number): void {
    if (isUint8Array(value)) {
      this.#bytes(value)
      return
    }
    if (depth === MAX_DEPTH) throw this.#failure(depth, `nested deeper than ${MAX_DEPTH} levels, or cyclic`)
    if (Array.isArray(value)) {
      this.#put('l')
      value.forEach((item, i) => {
        this.#path[depth] = i
        this.write(item, depth + 1)
      })
    } else {
      this.#put('d')
      for (const [key, item] of this.#entries(value, depth)) {
        this.#path[depth] = key
        if (typeof key === 'string') this.#string(key)
        else this.#bytes(key)
        this.write(item, depth + 1)
      }
    }
    this.#put('e')
  }

  #entries(value: object, depth: number): [key: string | Uint8Array, item: unknown][] {
    const entries: [key: unknown, item: unknown][] = isMap(value)
      ? [...value]
      : Object.entries(this.#plain(value, depth))
    const kept = entries.filter(([, item]) => item !== undefined && item !== null)
    for (const [key] of kept)
      if (typeof key !== 'string' && !isUint8Array(key))
        throw this.#failure(depth, `a dictionary key is a ${typeof key}`)
    const known = kept as [string | Uint8Array, unknown][]
    if (!this.#settings.sorted) return known
    return known
      .map((entry) => ({ entry, bytes: Buffer.from(entry[0] as string) }))
      .sort((a, b) => a.bytes.compare(b.bytes))
      .map(({ entry }) => entry)
  }

  #plain(value: object, depth: number): object {
    const prototype = Object.getPrototypeOf(value)
    // Objects of another realm (vm, test runners) have an Object.prototype of their own.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw this.#failure(depth, 'only plain objects, Maps, arrays and bytes can be encoded')
    return value
  }

  #failure(depth: number, reason: string): BencodeError {
    return new BencodeError(depth === 0 ? reason : `${where(this.#path.slice(0, depth))}: ${reason}`)
  }
}

/** The keys and indices that lead to a value, as `flags[2].x`. */
export function where(path: readonly Step[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (typeof step !== 'string') text += `[${JSON.stringify(Buffer.from(step).toString('latin1'))}]`
    else if (!/^[A-Za-z_$][\w$]*$/.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
