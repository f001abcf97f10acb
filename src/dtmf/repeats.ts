import type { DtmfEvent } from './event.ts'

/** Events remembered at a time; the oldest is forgotten first. */
const MOST_EVENTS = 10_000
/** Sources told apart for one event: what more of them bring is taken for a repetition. */
const MOST_SOURCES = 64

interface Seen {
  readonly at: number
  /** How often each source has brought it. */
  readonly bySource: Map<unknown, number>
  /** How often any has at most. */
  presses: number
}

/**
 * Tells the copies of an event from the same key pressed again. rtpengine brings each press once to each source, and its time
 * is in seconds: two presses may look the same. So the third from one source is the third press, whichever source is first.
 */
export class Repeats {
  readonly #windowMs: number
  readonly #seen = new Map<string, Seen>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Whether another source has brought this press before. `now` in milliseconds must never go back. */
  isRepeated(event: DtmfEvent, source: unknown, now: number): boolean {
    this.#forget(now)
    const { callId, sourceTag, code, timestamp, durationMs, volume } = event
    const key = JSON.stringify([callId, sourceTag, code, timestamp.getTime(), durationMs, volume])
    let seen = this.#seen.get(key)
    if (seen === undefined) {
      seen = { at: now, bySource: new Map(), presses: 0 }
      this.#seen.set(key, seen)
    }
    const count = (seen.bySource.get(source) ?? 0) + 1
    if (count === 1 && seen.bySource.size === MOST_SOURCES) return true
    seen.bySource.set(source, count)
    if (count <= seen.presses) return true
    seen.presses = count
    return false
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#seen) {
      if (now - at <= this.#windowMs && this.#seen.size < MOST_EVENTS) break
      this.#seen.delete(key)
    }
  }
}
