/**
 * Whether the offer of an INVITE transaction was in its request, for as long as anybody may ask: bounded in number and in
 * time. A late offer (RFC 3261, 13.2.1: SDP only in the reply) must become an NG offer, not an answer.
 */
export class TransactionMemory {
  readonly #limit: number
  readonly #lifetimeMs: number
  readonly #now: () => number
  // A Map keeps insertion order, so with every use moved to the end the first entry is always the oldest.
  readonly #entries = new Map<string, { hadSdp: boolean; expires: number }>()
  readonly #given = new WeakMap<object, boolean>()
  #timer: NodeJS.Timeout | undefined

  constructor(limit: number, lifetimeMs: number, now: () => number = () => performance.now()) {
    this.#limit = limit
    this.#lifetimeMs = lifetimeMs
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  /** Notes whether the request had SDP: for the caller's own transaction object, or else for `key`. */
  remember(transaction: object | undefined, key: string, hadSdp: boolean): void {
    if (transaction !== undefined) {
      this.#given.set(transaction, hadSdp)
      return
    }
    this.#entries.delete(key)
    this.#entries.set(key, { hadSdp, expires: this.#now() + this.#lifetimeMs })
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!)
    this.#schedule()
  }

  /**
   * Whether the request had SDP; undefined if no transaction is known. A transaction object of the caller's that was never
   * remembered is a known transaction whose request had none, as in the module.
   */
  recall(transaction: object | undefined, key: string): boolean | undefined {
    if (transaction !== undefined) return this.#given.get(transaction) ?? false
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.expires <= this.#now()) return undefined
    entry.expires = this.#now() + this.#lifetimeMs
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.hadSdp
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#entries.clear()
  }

  /** One timer for all entries, running only while there are any. */
  #schedule(): void {
    if (this.#timer !== undefined) return
    const oldest = this.#entries.values().next().value
    if (oldest === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#expire()
        this.#schedule()
      },
      Math.max(1, oldest.expires - this.#now()),
    )
    this.#timer.unref()
  }

  #expire(): void {
    const now = this.#now()
    for (const [key, entry] of this.#entries) {
      if (entry.expires > now) return
      this.#entries.delete(key)
    }
  }
}
