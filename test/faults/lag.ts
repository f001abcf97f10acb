const EVERY_MS = 10
/** What a timer is late by anyway. */
const USUAL_MS = 10

/** How long this process stood still: what a busy machine adds to all that is timed in it. */
export class Lag {
  /** Milliseconds in which timers were late, since it began. */
  ms = 0
  readonly #timer: NodeJS.Timeout

  constructor() {
    let due = performance.now() + EVERY_MS
    this.#timer = setInterval(() => {
      const now = performance.now()
      if (now - due > USUAL_MS) this.ms += now - due
      due = now + EVERY_MS
    }, EVERY_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
