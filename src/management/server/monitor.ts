import { setTimeout as delay } from 'node:timers/promises'
import { listenTo } from '../../diagnostics/subscriptions.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { CommandTrace } from '../../nodes/dispatch/trace.ts'
import type { NodeStatus } from '../../nodes/node.ts'
import { ping } from '../rpc/methods.ts'

/** How many samples of a node are kept. */
const KEPT = 60

/** One look at a node. */
export interface Sample {
  /** Round trip of a ping in milliseconds; null: it did not answer. */
  readonly ms: number | null
  /** Commands that have ended since the sample before, pings left out, how many of them failed, and how long one took. */
  readonly commands: number
  readonly failures: number
  readonly commandMs: number | null
  readonly open: number
  readonly calls: number
}

/** What the status page shows. */
export interface Snapshot {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number
  readonly nodes: readonly (NodeStatus & { readonly samples: readonly Sample[] })[]
  readonly calls: number
  readonly openRequests: number
  readonly droppedReplies: number
}

/** The commands at one media proxy since the last sample. */
interface Tally {
  commands: number
  failures: number
  totalMs: number
}

const NONE: Readonly<Tally> = { commands: 0, failures: 0, totalMs: 0 }

/** A ping is given up after this long, or after the time between samples if that is longer. */
const PATIENCE_MS = 1000

/** Looks at the nodes now and then, as long as anybody watches. */
export class Monitor {
  readonly #media: RtpProxyNg
  readonly #sampleMs: number
  readonly #watchers = new Set<(snapshot: string) => void>()
  /** By set and URL. */
  readonly #samples = new Map<string, Sample[]>()
  /** By URL. */
  readonly #tallies = new Map<string, Tally>()
  /** Ends the looking when the last watcher goes: who comes then begins another, whatever is under way of this one. */
  #looking: AbortController | undefined
  #isTelling = false

  constructor(media: RtpProxyNg, sampleMs: number) {
    this.#media = media
    this.#sampleMs = sampleMs
  }

  /** Tells `watcher` snapshots as JSON, at once and from here on; returns what ends it. */
  watch(watcher: (snapshot: string) => void): () => void {
    this.#watchers.add(watcher)
    if (this.#looking === undefined) {
      this.#looking = new AbortController()
      void this.#look(this.#looking.signal)
    }
    watcher(JSON.stringify(this.snapshot()))
    return () => {
      if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return
      this.#looking?.abort()
      this.#looking = undefined
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const tellSoon = (): void => this.#tellSoon()
    this.#media.on('node:state', tellSoon)
    this.#tallies.clear()
    const endTally = listenTo(this.#media, { ended: (trace) => this.#tally(trace) })
    while (!signal.aborted) {
      const next = delay(this.#sampleMs, undefined, { signal }).catch(() => undefined)
      await this.#sample(signal)
      if (!signal.aborted) this.#tell()
      await next
    }
    this.#media.off('node:state', tellSoon)
    endTally()
  }

  #tally({ command, node, outcome, durationMs = 0 }: CommandTrace): void {
    if (command === 'ping' || node === undefined) return
    const tally = this.#tallies.get(node) ?? { commands: 0, failures: 0, totalMs: 0 }
    tally.commands++
    tally.totalMs += durationMs
    if (outcome === 'failed') tally.failures++
    this.#tallies.set(node, tally)
  }

  async #sample(signal: AbortSignal): Promise<void> {
    // One that is dead must not hold up what is told of the others.
    const patience = AbortSignal.timeout(Math.max(PATIENCE_MS, this.#sampleMs))
    const pings = await ping(this.#media, undefined, AbortSignal.any([signal, patience]))
    if (signal.aborted) return
    const answers = new Map(pings.map((answer) => [answer.url, answer]))
    const nodes = this.#media.show()
    const keys = new Set(nodes.map(keyOf))
    for (const key of this.#samples.keys()) if (!keys.has(key)) this.#samples.delete(key)
    for (const node of nodes) {
      const samples = this.#samples.get(keyOf(node)) ?? []
      const { open, calls } = node
      const { commands, failures, totalMs } = this.#tallies.get(node.url) ?? NONE
      const commandMs = commands === 0 ? null : totalMs / commands
      samples.push({ ms: answers.get(node.url)?.ms ?? null, commands, failures, commandMs, open, calls })
      this.#samples.set(keyOf(node), samples.slice(-KEPT))
    }
    this.#tallies.clear()
  }

  /** Many nodes may change at once. */
  #tellSoon(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      this.#tell()
    })
  }

  #tell(): void {
    if (this.#watchers.size === 0) return
    const snapshot = JSON.stringify(this.snapshot())
    for (const watcher of this.#watchers) watcher(snapshot)
  }

  snapshot(): Snapshot {
    const { counters, droppedReplies } = this.#media
    const nodes = this.#media.show()
    return {
      at: Date.now(),
      nodes: nodes.map((node) => ({ ...node, samples: this.#samples.get(keyOf(node)) ?? [] })),
      calls: counters.calls,
      openRequests: counters.openRequests,
      droppedReplies: droppedReplies.late + droppedReplies.foreign + droppedReplies.malformed,
    }
  }
}

function keyOf({ set, url }: NodeStatus): string {
  return `${set} ${url}`
}
