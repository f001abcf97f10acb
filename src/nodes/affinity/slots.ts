const FIRST_CAPACITY = 64

/**
 * Numbers to keep things under, in the order in which they were used last. Order and times lie in typed arrays: sixteen
 * bytes a slot, and nothing for the garbage collector to follow, which with a million calls would be at it for long.
 */
export class Slots {
  // Of each slot the next newer one, then the next older one, side by side since they are needed together. A ring closed
  // by 0, which is never given out: newer than 0 is the slot used longest ago, older than 0 the newest.
  #links = new Int32Array(2 * FIRST_CAPACITY)
  #usedAt = new Float64Array(FIRST_CAPACITY)
  /** Slots given back, chained like newer ones. */
  #free = 0
  #next = 1
  #size = 0
  readonly #most: number

  /** @param most how many will be in use at once at most; room is made as it is needed. */
  constructor(most: number) {
    this.#most = most
  }

  /** How many are in use. */
  get size(): number {
    return this.#size
  }

  /** The one used longest ago; 0 if none is in use. */
  get oldest(): number {
    return this.#links[0]!
  }

  usedAt(slot: number): number {
    return this.#usedAt[slot]!
  }

  /** A slot that is not in use, from now on the newest. Numbers given back come first, so they stay dense. */
  take(now: number): number {
    let slot = this.#free
    if (slot !== 0) this.#free = this.#links[2 * slot]!
    else {
      slot = this.#next++
      if (slot === this.#usedAt.length) this.#grow()
    }
    this.#size++
    this.#append(slot)
    this.#usedAt[slot] = now
    return slot
  }

  /** Makes it the newest. */
  use(slot: number, now: number): void {
    this.#usedAt[slot] = now
    if (this.#links[1] === slot) return
    this.#unlink(slot)
    this.#append(slot)
  }

  giveBack(slot: number): void {
    this.#unlink(slot)
    this.#links[2 * slot] = this.#free
    this.#free = slot
    this.#size--
  }

  #append(slot: number): void {
    const newest = this.#links[1]!
    this.#links[2 * newest] = slot
    this.#links[2 * slot + 1] = newest
    this.#links[2 * slot] = 0
    this.#links[1] = slot
  }

  #unlink(slot: number): void {
    const newer = this.#links[2 * slot]!
    const older = this.#links[2 * slot + 1]!
    this.#links[2 * newer + 1] = older
    this.#links[2 * older] = newer
  }

  #grow(): void {
    const capacity = Math.min(this.#usedAt.length * 2, this.#most + 1)
    const [links, usedAt] = [this.#links, this.#usedAt]
    this.#links = new Int32Array(2 * capacity)
    this.#links.set(links)
    this.#usedAt = new Float64Array(capacity)
    this.#usedAt.set(usedAt)
  }
}
