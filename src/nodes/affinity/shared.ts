import { RtpProxyNgError } from '../../errors.ts'
import type { CallStore } from './store.ts'

export interface SharedCallsOptions {
  /** How long a call is kept after it was last asked for, in milliseconds. */
  readonly lifetimeMs: number
  /** Longest wait for the store, in milliseconds. Default 50. */
  readonly waitMs?: number | undefined
  /** How long a store that is away is left alone between two probes, in milliseconds. Default 5000. */
  readonly retryMs?: number | undefined
  /** How many operations wait for the store at most. Default 1000. */
  readonly openLimit?: number | undefined
}

/** Told once of every change of the store's state. */
export interface SharedCallsObserver {
  /** `error` is `ERR_RTPPROXY_TIMEOUT`, or `ERR_RTPPROXY_UNREACHABLE` with the store's own error as `cause`. */
  storeDown(error: RtpProxyNgError): void
  storeUp(): void
}

export interface SharedCallsCounters {
  /** Finds that waited for the store. */
  finds: number
  /** Finds that the store answered with a node. */
  hits: number
  /** Operations of any kind without an answer in time. */
  timeouts: number
  /** Operations of any kind that the store rejected. */
  failures: number
  /** Finds that were not waited for: the store was away, or too much was open. */
  skipped: number
  /** Writes that were not made, for the same reasons. */
  dropped: number
}

type CallNodes = ReadonlyMap<string, string>

/** An operation the store has not answered yet. */
interface Operation {
  readonly due: number
  readonly giveUp: () => void
}

const NO_NODES: CallNodes = new Map()
/** How long a store may take to close. */
const CLOSE_MS = 1000

const ignore = (): void => undefined

/** A store's promise, and a rejected one where a store throws instead. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return await work()
}

/**
 * A call store that can do no harm: nothing waits for it longer than `waitMs`, and nothing it does is thrown on.
 *
 * The first operation that fails, or is not answered in time, takes the store for away, and then nothing waits for it at
 * all. One operation in every `retryMs` still goes to it as a probe, the next one if it gives a late answer; a probe answered
 * in time brings it back, and so does its own word.
 */
export class SharedCalls {
  readonly #store: CallStore
  readonly #observer: SharedCallsObserver
  readonly #lifetimeMs: number
  readonly #waitMs: number
  readonly #retryMs: number
  readonly #openLimit: number
  readonly #counters = { finds: 0, hits: 0, timeouts: 0, failures: 0, skipped: 0, dropped: 0 }
  /** In the order of their starts, which is that of their deadlines: all wait equally long. */
  readonly #open = new Set<Operation>()
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #away = false
  #retryAt = 0
  #rewatch: (() => void) | undefined
  #closed = false

  constructor(store: CallStore, options: SharedCallsOptions, observer: SharedCallsObserver) {
    this.#store = store
    this.#observer = observer
    this.#lifetimeMs = options.lifetimeMs
    this.#waitMs = options.waitMs ?? 50
    this.#retryMs = options.retryMs ?? 5000
    this.#openLimit = options.openLimit ?? 1000
    store.onAvailable?.((available, reason) => {
      if (available) this.#answered()
      else this.#failed(unreachable(reason))
    })
  }

  get counters(): Readonly<SharedCallsCounters> {
    return this.#counters
  }

  get available(): boolean {
    return !this.#away
  }

  /**
   * The nodes of a call by via-branch, empty when unknown or not told within `waitMs`; never rejects. Undefined when there is
   * nothing to wait for.
   */
  find(callId: string): Promise<CallNodes> | undefined {
    return this.#ask(callId, NO_NODES)
  }

  /** The same for those who must not take silence for an answer: undefined too when the store has not told within `waitMs`. */
  async told(callId: string): Promise<CallNodes | undefined> {
    return await this.#ask(callId, undefined)
  }

  /** @param silence what it resolves with if the store does not answer. */
  #ask<T>(callId: string, silence: T): Promise<CallNodes | T> | undefined {
    if (this.#closed) return undefined
    const ask = (): Promise<CallNodes> => this.#store.find(callId, this.#lifetimeMs)
    const full = this.#open.size >= this.#openLimit
    if (this.#away || full) {
      this.#counters.skipped++
      if (!full && this.#isProbeDue()) this.#run(ask, ignore)
      return undefined
    }
    this.#counters.finds++
    return new Promise((resolve) => {
      this.#run(ask, (nodes) => {
        if (nodes !== undefined && nodes.size > 0) this.#counters.hits++
        resolve(nodes ?? silence)
      })
    })
  }

  keep(callId: string, viaBranch: string, node: string): void {
    this.#write(() => this.#store.keep(callId, viaBranch, node, this.#lifetimeMs))
  }

  /** `viaBranch` undefined: the whole call. */
  forget(callId: string, viaBranch: string | undefined): void {
    this.#write(() => this.#store.forget(callId, viaBranch))
  }

  /** Tells the others that a node is out of order for `downForMs`, or (0) that it is back. */
  report(node: string, downForMs: number): void {
    this.#write(() => this.#store.report(node, downForMs))
  }

  /** Has `listener` told of what others report; tried again when the store comes back, should it fail. */
  watch(listener: (node: string, downForMs: number) => void): void {
    const told = (node: string, downForMs: number): void => {
      if (!this.#closed) listener(node, downForMs)
    }
    attempt(() => this.#store.watch(told)).catch(() => {
      this.#counters.failures++
      this.#rewatch = () => this.watch(listener)
    })
  }

  /** Ends every wait at once and closes the store. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    for (const operation of this.#open) operation.giveUp()
    this.#open.clear()
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([attempt(() => this.#store.close()).catch(ignore), limit])
    clearTimeout(timer)
  }

  /** What cannot be written is dropped, not queued: what is open has been sent and cannot be taken back to make room. */
  #write(work: () => Promise<void>): void {
    if (this.#closed) return
    const full = this.#open.size >= this.#openLimit
    if (full || (this.#away && !this.#isProbeDue())) this.#counters.dropped++
    else this.#run(work, ignore)
  }

  #isProbeDue(): boolean {
    const now = performance.now()
    if (now < this.#retryAt) return false
    this.#retryAt = now + this.#retryMs
    return true
  }

  /** `done` is called once: with the answer, or without when there is none in time. */
  #run<T>(work: () => Promise<T>, done: (answer?: T) => void): void {
    const operation = { due: performance.now() + this.#waitMs, giveUp: () => done() }
    this.#open.add(operation)
    this.#timer ??= setTimeout(this.#expire, this.#waitMs)
    attempt(work).then(
      (answer) => {
        if (this.#open.delete(operation)) {
          done(answer)
          this.#answered()
        } else this.#retryAt = 0
      },
      (error: unknown) => {
        // One that is late has been counted as a timeout.
        if (!this.#open.delete(operation)) return
        this.#counters.failures++
        done()
        this.#failed(unreachable(error))
      },
    )
  }

  readonly #expire = (): void => {
    // When the event loop was held up, timers run before sockets are read: answers that lie there are in time.
    this.#immediate = setImmediate(this.#giveUp)
  }

  readonly #giveUp = (): void => {
    this.#timer = undefined
    const now = performance.now()
    const { timeouts } = this.#counters
    for (const operation of this.#open) {
      if (operation.due > now) {
        this.#timer = setTimeout(this.#expire, operation.due - now)
        break
      }
      this.#open.delete(operation)
      this.#counters.timeouts++
      operation.giveUp()
    }
    if (this.#counters.timeouts > timeouts) {
      const text = `the call store does not answer within ${this.#waitMs} ms`
      this.#failed(new RtpProxyNgError('ERR_RTPPROXY_TIMEOUT', text))
    }
  }

  #failed(error: RtpProxyNgError): void {
    if (this.#closed) return
    this.#retryAt = performance.now() + this.#retryMs
    if (this.#away) return
    this.#away = true
    this.#observer.storeDown(error)
  }

  #answered(): void {
    if (this.#closed || !this.#away) return
    this.#away = false
    const rewatch = this.#rewatch
    this.#rewatch = undefined
    rewatch?.()
    this.#observer.storeUp()
  }
}

function unreachable(cause: unknown): RtpProxyNgError {
  const reason = cause instanceof Error ? cause.message : 'it says so itself'
  return new RtpProxyNgError('ERR_RTPPROXY_UNREACHABLE', `the call store cannot be used: ${reason}`, {
    cause,
  })
}
