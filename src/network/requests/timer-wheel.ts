/** What a wheel holds: linked into the list of its slot, so that adding and removing cost nothing. */
export abstract class Timed {
  previous: Timed | undefined
  next: Timed | undefined
  slot = -1
  /** The tick at which it is due. */
  due = 0

  abstract expired(): void
}

const TICK_MS = 20
const SLOTS = 256
/** A turn by the timer comes after one tick or two. After more, the event loop stood still. */
const LATE_TICKS = 3

/**
 * One coarse timer for any number of deadlines. Nothing expires early; everything expires at most a tick late (and what
 * the event loop adds, and a tick more when that was much). The timer runs only while something waits.
 */
export class TimerWheel {
  readonly #slots = new Array<Timed | undefined>(SLOTS).fill(undefined)
  readonly #now: () => number
  readonly #origin: number
  #tick = 0
  #size = 0
  #timer: NodeJS.Timeout | undefined
  #isPutOff = false

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#origin = now()
  }

  get size(): number {
    return this.#size
  }

  /** Adds `timed`, due in `delayMs`; one that is in the wheel already is moved. */
  add(timed: Timed, delayMs: number): void {
    this.remove(timed)
    if (this.#size === 0) this.#tick = this.#currentTick()
    timed.due = Math.max(this.#tick + 1, Math.ceil((this.#now() - this.#origin + delayMs) / TICK_MS))
    const slot = timed.due % SLOTS
    const head = this.#slots[slot]
    timed.slot = slot
    timed.next = head
    if (head !== undefined) head.previous = timed
    this.#slots[slot] = timed
    this.#size++
    this.#timer ??= setTimeout(this.#turn, TICK_MS)
  }

  remove(timed: Timed): void {
    if (timed.slot < 0) return
    const { previous, next } = timed
    if (previous === undefined) this.#slots[timed.slot] = next
    else previous.next = next
    if (next !== undefined) next.previous = previous
    timed.previous = undefined
    timed.next = undefined
    timed.slot = -1
    this.#size--
  }

  /** How long one in the wheel has still to wait at least, in milliseconds. */
  leftMs(timed: Timed): number {
    return (timed.due - 1) * TICK_MS - (this.#now() - this.#origin)
  }

  #currentTick(): number {
    return Math.floor((this.#now() - this.#origin) / TICK_MS)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    try {
      // An event loop that stood still looks at its timers before its sockets, and what it waited for may lie in those.
      this.#isPutOff = !this.#isPutOff && this.#currentTick() - this.#tick >= LATE_TICKS
      if (!this.#isPutOff) this.turn()
    } finally {
      // With nothing left to wait for, the timer stays off until the next `add`.
      if (this.#size > 0) this.#timer ??= setTimeout(this.#turn, TICK_MS)
    }
  }

  /** Expires what is due. Called by the timer; a test with a clock of its own calls it itself. */
  turn(): void {
    const current = this.#currentTick()
    let done = Math.max(this.#tick, current - SLOTS)
    this.#tick = current
    try {
      for (; done < current; done++) this.#expire((done + 1) % SLOTS, current)
    } finally {
      // What throws while it expires costs those beside it a tick, not a whole turn of the wheel.
      this.#tick = done
    }
  }

  #expire(slot: number, current: number): void {
    // What expires may add and remove others, so the due ones are taken out before any of them runs.
    const due: Timed[] = []
    for (let timed = this.#slots[slot]; timed !== undefined; timed = timed.next) {
      if (timed.due <= current) due.push(timed)
    }
    for (const timed of due) {
      if (timed.slot < 0 || timed.due > current) continue
      this.remove(timed)
      timed.expired()
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
