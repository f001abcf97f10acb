import type { DtmfEvent } from './event.ts'

const END = { done: true, value: undefined } as const

export interface ReaderOptions {
  /** Only events of this call. */
  readonly callId: string | undefined
  readonly queueLimit: number
  readonly signal: AbortSignal | undefined
  /** An event was dropped because the queue was full. */
  readonly onDrop: () => void
  /** It will read no more. */
  readonly onGone: (reader: DtmfReader) => void
}

/** One reader with what it has not yet read. */
export class DtmfReader implements AsyncIterableIterator<DtmfEvent, undefined> {
  readonly #options: ReaderOptions
  /** Of what is to be read, or of those that wait for it: never both. */
  #queue: DtmfEvent[] = []
  #waiting: ((result: IteratorResult<DtmfEvent, undefined>) => void)[] = []
  #ended = false

  constructor(options: ReaderOptions) {
    this.#options = options
    const { signal } = options
    if (signal?.aborted) this.#leave()
    else signal?.addEventListener('abort', this.#leave, { once: true })
  }

  /** Whether it will read no more. */
  get ended(): boolean {
    return this.#ended
  }

  push(event: DtmfEvent): void {
    const { callId, queueLimit, onDrop } = this.#options
    if (this.#ended || (callId !== undefined && callId !== event.callId)) return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ done: false, value: event })
      return
    }
    if (this.#queue.push(event) <= queueLimit) return
    this.#queue.shift()
    onDrop()
  }

  /** No more events come: what is in the queue may still be read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.signal?.removeEventListener('abort', this.#leave)
    this.#options.onGone(this)
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve(END)
  }

  readonly #leave = (): void => {
    this.#queue = []
    this.end()
  }

  next(): Promise<IteratorResult<DtmfEvent, undefined>> {
    const event = this.#queue.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#ended) return Promise.resolve(END)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<DtmfEvent, undefined>> {
    this.#leave()
    return Promise.resolve(END)
  }

  throw(error?: unknown): Promise<IteratorResult<DtmfEvent, undefined>> {
    this.#leave()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
