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

/** Looks at the nodes now and then, as long as anybody watches. */
export class Monitor {
  readonly #media: RtpProxyNg
  readonly #sampleMs: number
  readonly #watchers = new Set<(snapshot: Snapshot) => void>()
  /** By set and URL. */
  readonly #samples = new Map<string, Sample[]>()
  /** By URL. */
  readonly #tallies = new Map<string, Tally>()
  #timer: NodeJS.Timeout | undefined
  #endTally: (() => void) | undefined
  readonly #changed = (): void => this.#tell()

  constructor(media: RtpProxyNg, sampleMs: number) {
    this.#media = media
    this.#sampleMs = sampleMs
  }

  /** Tells `watcher` at once and from here on; returns what ends it. */
  watch(watcher: (snapshot: Snapshot) => void): () => void {
    this.#watchers.add(watcher)
    if (this.#watchers.size === 1) {
      this.#media.on('node:state', this.#changed)
      this.#endTally = listenTo(this.#media, { ended: (trace) => this.#tally(trace) })
      void this.#sample()
    }
    watcher(this.snapshot())
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#stop()
    }
  }

  /** How many watch. */
  get watchers(): number {
    return this.#watchers.size
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#media.off('node:state', this.#changed)
    this.#endTally?.()
    this.#tallies.clear()
  }

  #tally({ command, node, outcome, durationMs = 0 }: CommandTrace): void {
    if (command === 'ping' || node === undefined) return
    const tally = this.#tallies.get(node) ?? { commands: 0, failures: 0, totalMs: 0 }
    tally.commands++
    tally.totalMs += durationMs
    if (outcome === 'failed') tally.failures++
    this.#tallies.set(node, tally)
  }

  async #sample(): Promise<void> {
    const answers = new Map((await ping(this.#media)).map((answer) => [answer.url, answer]))
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
    if (this.#watchers.size === 0) return
    this.#tell()
    this.#timer = setTimeout(() => void this.#sample(), this.#sampleMs)
  }

  #tell(): void {
    const snapshot = this.snapshot()
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
