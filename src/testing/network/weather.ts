import { seeded } from './random.ts'

/** What happens to datagrams on their way, in either direction. Shares are of 1; what is left out does not happen. */
export interface Weather {
  /** Share that never arrives. */
  readonly loss?: number
  /** Share that arrives twice. */
  readonly repeat?: number
  /** Share that is overtaken by the datagram behind it, if one comes within 20 ms. */
  readonly reorder?: number
  /** How long each is under way, in milliseconds, or from how long to how long. */
  readonly delayMs?: number | readonly [least: number, most: number]
}

/** How long a datagram waits to be overtaken. */
const OVERTAKEN_MS = 20
/** Datagrams under way in one direction; more are lost. */
const MAX_UNDER_WAY = 10_000

/** One direction. A datagram's fate follows from the seed, the weather and how many came before it. */
export class Path {
  readonly #random: () => number
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Lets the datagram go that waits to be overtaken. */
  #release: (() => void) | undefined

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  pass({ loss = 0, repeat = 0, reorder = 0, delayMs = 0 }: Weather, arrive: () => void): void {
    // As many numbers for each, whatever happens to it, so that its fate does not depend on that of others.
    const [lost, repeated, late, slow] = Array.from({ length: 4 }, this.#random) as [
      number,
      number,
      number,
      number,
    ]
    if (lost < loss || this.#timers.size > MAX_UNDER_WAY) return
    const [least, most] = typeof delayMs === 'number' ? [delayMs, delayMs] : delayMs
    const go = (): void => {
      for (let copies = repeated < repeat ? 2 : 1; copies > 0; copies--) {
        this.#after(least + slow * (most - least), arrive)
      }
    }
    const release = this.#release
    if (release === undefined && late < reorder) {
      this.#overtake(go)
      return
    }
    go()
    release?.()
  }

  #overtake(go: () => void): void {
    const timer = this.#after(OVERTAKEN_MS, () => this.#release?.())
    this.#release = () => {
      this.#release = undefined
      clearTimeout(timer)
      this.#timers.delete(timer!)
      go()
    }
  }

  #after(ms: number, then: () => void): NodeJS.Timeout | undefined {
    if (ms === 0) {
      then()
      return undefined
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      then()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  /** What is under way gets lost. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#release = undefined
  }
}
