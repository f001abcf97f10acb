/** No wait is shorter: a reply that is under way must not be asked for again. */
const LEAST_MS = 50

/** Beyond this nobody waits for one command: rtpengine forgets a cookie after 30 seconds and would execute it again. */
export const LONGEST_MS = 30_000

/**
 * Estimates the round-trip time to one node from its replies (RFC 6298), for resends that neither come too early for a
 * distant node nor too late for a near one.
 */
export class RoundTrip {
  #smoothed = 0
  #variation = 0
  /** How often the wait was doubled for the last request that had to be resent. */
  #doublings = 0

  /** A reply took so long. Only for requests sent once: of a resent one nobody knows which send was answered. */
  measured(ms: number): void {
    this.#doublings = 0
    if (this.#smoothed === 0) {
      this.#smoothed = ms
      this.#variation = ms / 2
      return
    }
    this.#variation += (Math.abs(this.#smoothed - ms) - this.#variation) / 4
    this.#smoothed += (ms - this.#smoothed) / 8
  }

  /**
   * A request was answered after so many sends, which may mean that replies take longer than is waited for them. Only the
   * first send of a longer wait can be measured, so that is what follows (RFC 6298, section 5, with Karn's algorithm).
   */
  resent(sends: number): void {
    this.#doublings = sends - 1
  }

  /** How long to wait after send number `send` (from 1): doubling, `first` where nothing was measured yet. */
  wait(send: number, first: number): number {
    const base = this.#smoothed === 0 ? first : this.#smoothed + 4 * this.#variation
    return Math.max(LEAST_MS, Math.min(base, first)) * 2 ** Math.min(send - 1 + this.#doublings, 16)
  }
}
