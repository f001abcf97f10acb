import { Slots } from './slots.ts'

/**
 * One branch of one call. `viaBranch` is undefined for commands that name none; behind a line feed in it stands the leg, if the call
 * goes through several media proxies in a row.
 */
export interface CallKey {
  readonly callId: string
  readonly viaBranch: string | undefined
}

/** The name under which a branch of one leg is kept: no branch has a line feed in it. */
export function legBranch(viaBranch: string | undefined, leg: string): string {
  return `${viaBranch ?? ''}\n${leg}`
}

/** Whether it means every branch: of the call, or of one leg of it. */
export function isWhole(viaBranch: string | undefined): boolean {
  return viaBranch === undefined || viaBranch.startsWith('\n')
}

export interface CallMemoryOptions<N> {
  /** Entries (a branch of a call each) held at most, at least 1. Room for 256 characters each, see `CallMemory`. */
  readonly limit: number
  /** How long after its last use an entry is forgotten, in milliseconds. */
  readonly lifetimeMs: number
  /** Milliseconds, never going back. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
  /** Told when a node has lost an entry, whatever the reason; the entry is gone by then. It must not change the memory. */
  readonly released?: ((node: N) => void) | undefined
}

/**
 * Characters of Call-ID and branch that an entry may have on average. Anybody can send Call-IDs of 60,000 characters;
 * such a one takes the place of many, so that filling the memory costs a sender as many bytes either way.
 */
const CHARACTERS_PER_ENTRY = 256

/** Branches of one call held at most: the walk through them is to stay short, whatever is sent. */
const BRANCHES_PER_CALL = 64

/** Shortest pause between two sweeps, so that a busy memory is swept in batches. */
const SWEEP_MS = 100
/** Longest delay a Node.js timer takes. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Which node has which call. Bounded in entries (`limit`), in characters (256 times `limit`) and in time; what was used
 * longest ago goes first. Whatever has expired is gone before anything is looked at, so no answer depends on timers.
 *
 * Entries are columns over the numbers of `Slots` rather than objects, at half the memory.
 */
export class CallMemory<N extends object> {
  readonly #limit: number
  readonly #lifetimeMs: number
  readonly #now: () => number
  readonly #released: ((node: N) => void) | undefined
  /** Slot of the branch used last of each call, the head of the call's chain. */
  readonly #heads = new Map<string, number>()
  readonly #counts = new Map<N, number>()
  #slots: Slots
  readonly #callIds: string[] = ['']
  readonly #branches: (string | undefined)[] = [undefined]
  readonly #nodes: (N | undefined)[] = [undefined]
  /** Next branch of the same call, in order of use; 0 at the end. */
  readonly #siblings: number[] = [0]
  #characters = 0
  #expiring = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: CallMemoryOptions<N>) {
    this.#limit = options.limit
    this.#lifetimeMs = options.lifetimeMs
    this.#now = options.now ?? (() => performance.now())
    this.#released = options.released
    this.#slots = this.#noSlots()
  }

  /** Number of entries: branches of calls. */
  get size(): number {
    this.#expire()
    return this.#slots.size
  }

  /**
   * The node of this branch; without such a branch, that of the branch of the call used last, since all branches of a call
   * belong on one node; of those, one of the same leg goes first. Counts as a use of what it found.
   */
  find(callId: string, viaBranch: string | undefined): N | undefined {
    const now = this.#expire()
    const head = this.#heads.get(callId)
    if (head === undefined) return undefined
    const slot = this.#ofBranch(head, viaBranch) || this.#ofLeg(head, viaBranch) || head
    this.#use(slot, head, now)
    return this.#nodes[slot]
  }

  /**
   * Every node that has a branch of the call, or of the leg that `viaBranch` is one of, nearly always one; the one used last first.
   * Counts as no use.
   */
  nodesOf(callId: string, viaBranch?: string): N[] {
    this.#expire()
    const nodes = new Set<N>()
    let slot = this.#ofLeg(this.#heads.get(callId) ?? 0, viaBranch)
    for (; slot !== 0; slot = this.#ofLeg(this.#siblings[slot]!, viaBranch)) nodes.add(this.#nodes[slot]!)
    return [...nodes]
  }

  /** Notes that `node` has this branch, or has it now. Counts as a use. */
  keep(callId: string, viaBranch: string | undefined, node: N): void {
    const now = this.#expire()
    const head = this.#heads.get(callId) ?? 0
    const slot = this.#ofBranch(head, viaBranch)
    if (slot === 0) this.#add(callId, viaBranch, node, head, now)
    else {
      this.#use(slot, head, now)
      this.#move(slot, node)
    }
  }

  /**
   * Forgets a branch of a call, or every branch if `viaBranch` is undefined, or every branch of a leg if it names none.
   *
   * @returns the names of the branches that went.
   */
  forget(callId: string, viaBranch: string | undefined): (string | undefined)[] {
    this.#expire()
    const whole = isWhole(viaBranch)
    const gone: (string | undefined)[] = []
    for (;;) {
      const head = this.#heads.get(callId) ?? 0
      const slot = whole ? this.#ofLeg(head, viaBranch) : this.#ofBranch(head, viaBranch)
      if (slot === 0) return gone
      gone.push(this.#branches[slot])
      this.#remove(slot)
    }
  }

  /**
   * What is on a node when the iteration comes to it, in no particular order. The memory may change meanwhile: nothing
   * comes twice unless it was forgotten and kept again, what is kept meanwhile may be left out, and there is an end.
   */
  *callsOn(node: N): IterableIterator<CallKey> {
    for (const slot of this.#on(node)) {
      yield { callId: this.#callIds[slot]!, viaBranch: this.#branches[slot] }
    }
  }

  /** How many entries a node has. */
  countOn(node: N): number {
    this.#expire()
    return this.#counts.get(node) ?? 0
  }

  /** Forgets whatever is on a node. */
  forgetNode(node: N): void {
    for (const slot of this.#on(node)) this.#remove(slot)
  }

  /** Forgets everything, telling nobody, and leaves no timer. */
  close(): void {
    this.#clear()
  }

  /** The slot of a branch in a call's chain; 0 if it is not there. */
  #ofBranch(head: number, viaBranch: string | undefined): number {
    let slot = head
    while (slot !== 0 && this.#branches[slot] !== viaBranch) slot = this.#siblings[slot]!
    return slot
  }

  /** From `slot` on, the first branch of the leg that `viaBranch` is one of; any branch if that is one of none. */
  #ofLeg(slot: number, viaBranch: string | undefined): number {
    const at = viaBranch?.indexOf('\n') ?? -1
    if (at < 0) return slot
    const leg = viaBranch!.slice(at)
    while (slot !== 0 && !this.#branches[slot]?.endsWith(leg)) slot = this.#siblings[slot]!
    return slot
  }

  /** The slots of a node. A column of a million is read in a few milliseconds, and a list per node would cost all calls. */
  *#on(node: N): Generator<number> {
    this.#expire()
    const end = this.#nodes.length
    for (let slot = 1; slot < end; slot++) {
      if (this.#nodes[slot] !== node) continue
      yield slot
      this.#expire()
    }
  }

  #add(callId: string, viaBranch: string | undefined, node: N, head: number, now: number): void {
    const slot = this.#slots.take(now)
    const key = head === 0 ? detached(callId) : this.#callIds[head]!
    this.#callIds[slot] = key
    this.#branches[slot] = viaBranch === undefined ? undefined : detached(viaBranch)
    this.#nodes[slot] = node
    this.#siblings[slot] = head
    this.#heads.set(key, slot)
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1)
    this.#characters += this.#charactersOf(slot)
    this.#bound(slot)
    this.#schedule(now)
  }

  /** Makes room after `slot` was added, which itself always stays. */
  #bound(slot: number): void {
    let [last, branches] = [slot, 1]
    for (; this.#siblings[last] !== 0; branches++) last = this.#siblings[last]!
    if (branches > BRANCHES_PER_CALL) this.#remove(last)
    while (
      this.#slots.size > 1 &&
      (this.#slots.size > this.#limit || this.#characters > this.#limit * CHARACTERS_PER_ENTRY)
    ) {
      this.#remove(this.#slots.oldest)
    }
  }

  #use(slot: number, head: number, now: number): void {
    this.#slots.use(slot, now)
    if (slot === head) return
    this.#cut(slot, head)
    this.#siblings[slot] = head
    this.#heads.set(this.#callIds[slot]!, slot)
  }

  #move(slot: number, node: N): void {
    const before = this.#nodes[slot]!
    if (before === node) return
    this.#nodes[slot] = node
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1)
    this.#countDown(before)
    this.#released?.(before)
  }

  #remove(slot: number): void {
    const callId = this.#callIds[slot]!
    const node = this.#nodes[slot]!
    const head = this.#heads.get(callId)!
    const sibling = this.#siblings[slot]!
    if (slot !== head) this.#cut(slot, head)
    else if (sibling !== 0) this.#heads.set(callId, sibling)
    else this.#heads.delete(callId)
    this.#characters -= this.#charactersOf(slot)
    this.#callIds[slot] = ''
    this.#branches[slot] = undefined
    this.#nodes[slot] = undefined
    this.#slots.giveBack(slot)
    this.#countDown(node)
    if (this.#slots.size === 0) this.#clear()
    this.#released?.(node)
  }

  /** Takes a slot that is not the head out of its call's chain. */
  #cut(slot: number, head: number): void {
    let before = head
    while (this.#siblings[before] !== slot) before = this.#siblings[before]!
    this.#siblings[before] = this.#siblings[slot]!
  }

  #countDown(node: N): void {
    const count = this.#counts.get(node)! - 1
    if (count > 0) this.#counts.set(node, count)
    else this.#counts.delete(node)
  }

  #charactersOf(slot: number): number {
    return this.#callIds[slot]!.length + (this.#branches[slot]?.length ?? 0)
  }

  /** Drops what has expired; returns the time. Does nothing while it is at it: `released` may ask for a count. */
  #expire(): number {
    const now = this.#now()
    if (this.#expiring || !this.#isOldestExpired(now)) return now
    this.#expiring = true
    try {
      while (this.#isOldestExpired(now)) this.#remove(this.#slots.oldest)
    } finally {
      this.#expiring = false
    }
    return now
  }

  #isOldestExpired(now: number): boolean {
    return this.#slots.size > 0 && this.#expiresAt(this.#slots.oldest) <= now
  }

  #expiresAt(slot: number): number {
    return this.#slots.usedAt(slot) + this.#lifetimeMs
  }

  /** One timer for all entries, running only while there are any. */
  #schedule(now: number): void {
    if (this.#timer !== undefined || this.#slots.size === 0) return
    const delay = Math.max(SWEEP_MS, this.#expiresAt(this.#slots.oldest) - now)
    this.#timer = setTimeout(this.#sweep, Math.min(delay, LONGEST_DELAY_MS))
    this.#timer.unref()
  }

  readonly #sweep = (): void => {
    this.#timer = undefined
    this.#schedule(this.#expire())
  }

  /** Slots for as many as the limit, and the one that is added before another makes room. */
  #noSlots(): Slots {
    return new Slots(this.#limit + 1)
  }

  /** Gives back what the columns grew to, too. */
  #clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#heads.clear()
    this.#counts.clear()
    this.#slots = this.#noSlots()
    this.#characters = 0
    for (const column of [this.#callIds, this.#branches, this.#nodes, this.#siblings]) column.length = 1
  }
}

/** A copy that stands by itself: a string cut out of a message, or joined of parts, would keep all of that alive. */
function detached(text: string): string {
  const copy = Buffer.from(text, 'latin1').toString('latin1')
  return copy === text ? copy : Buffer.from(text, 'utf16le').toString('utf16le')
}
