/** What the table holds: linked into the chain of its bucket. */
export interface Counted<Entry> {
  /** An integer from 0 to 2^31 - 1, which no other entry of the table has. */
  readonly counter: number
  /** The next entry of the same bucket. Belongs to the table. */
  below: Entry | undefined
}

const FEWEST_BUCKETS = 64

/**
 * Entries by their counters, which are given out one after the other: a hash table whose chains run through the entries.
 *
 * Not a `Map`, since that moves to a new table again and again as entries come and go, and the one it leaves keeps everything that was in it,
 * and the next table. Once such a table has lived long enough to be collected with the old objects only, all that follow live as long,
 * and with them nearly every request that was ever open: a third of the time went into moving what nobody needed any more.
 */
export class EntryTable<Entry extends Counted<Entry>> {
  #buckets = emptyBuckets<Entry>(FEWEST_BUCKETS)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(counter: number): Entry | undefined {
    const buckets = this.#buckets
    // What is asked for may be anything that a reply says: below zero, it is in no bucket.
    let entry = buckets[counter & (buckets.length - 1)]
    while (entry !== undefined && entry.counter !== counter) entry = entry.below
    return entry
  }

  /** Adds an entry whose counter no other has. */
  add(entry: Entry): void {
    if (this.#size === this.#buckets.length) this.#grow()
    this.#size++
    this.#link(entry)
  }

  /** Takes an entry that is in the table out of it. */
  remove(entry: Entry): void {
    const buckets = this.#buckets
    const bucket = entry.counter & (buckets.length - 1)
    let above = buckets[bucket]
    if (above === entry) buckets[bucket] = entry.below
    else {
      while (above!.below !== entry) above = above!.below
      above!.below = entry.below
    }
    entry.below = undefined
    if (--this.#size === 0 && buckets.length > FEWEST_BUCKETS) this.#buckets = emptyBuckets(FEWEST_BUCKETS)
  }

  /** All entries in the order of their counters, which begin at 0 again behind 2^31 - 1. */
  inOrder(): Entry[] {
    // The shift takes the sign from bit 30: no two that are open are half the way round apart.
    return this.#all().sort((a, b) => (a.counter - b.counter) << 1)
  }

  #all(): Entry[] {
    const entries: Entry[] = []
    for (let entry of this.#buckets) {
      for (; entry !== undefined; entry = entry.below) entries.push(entry)
    }
    return entries
  }

  #link(entry: Entry): void {
    const bucket = entry.counter & (this.#buckets.length - 1)
    entry.below = this.#buckets[bucket]
    this.#buckets[bucket] = entry
  }

  #grow(): void {
    const entries = this.#all()
    this.#buckets = emptyBuckets(2 * this.#buckets.length)
    for (const entry of entries) this.#link(entry)
  }
}

function emptyBuckets<Entry>(length: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(length).fill(undefined)
}
