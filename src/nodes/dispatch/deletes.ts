import type { Exchange, ExchangeFailure } from '../../network/transport.ts'
import type { Node } from '../node.ts'

/** How many remembered deletes are under way to a node at once, so that one that has just come back is not flooded. */
const AT_ONCE = 32

/** Bytes a delete may have on average: one with a Call-ID of 60,000 characters takes the place of many. */
const BYTES_PER_DELETE = 1024

/** How often a delete is given to a node that answers others: what it gets no answer to then, it never will. */
const TRIES = 3

/**
 * Deletes nobody waits for: those for nodes that are out of order, kept until they are back, and those for further nodes of a
 * call. Without them a node that was away for a minute would hold the ports of every call that ended meanwhile.
 */
export class Deletes {
  readonly #limit: number
  readonly #queues = new Map<Node, Queue>()
  #size = 0
  #bytes = 0
  #dropped = 0

  /** @param limit how many may wait, of all nodes together. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many wait for their node. */
  get size(): number {
    return this.#size
  }

  /** How many were given up: there were too many, they got no answer, or their node is no longer configured. */
  get dropped(): number {
    return this.#dropped
  }

  /** Sends the delete as soon as its node can take it. The datagram is ours from now on. */
  add(node: Node, datagram: Buffer): void {
    if (node.removed) {
      this.#dropped++
      return
    }
    let queue = this.#queues.get(node)
    if (queue === undefined) {
      queue = { waiting: [], underWay: 0 }
      this.#queues.set(node, queue)
    }
    this.#keep(queue, { datagram, tries: 0 })
    this.flush(node)
    this.#bound()
  }

  /** Sends what waits for the node, if it can take it. To be called when it is back, and when it has answered something. */
  flush(node: Node): void {
    const queue = this.#queues.get(node)
    if (queue === undefined || !node.keepsCalls) return
    while (queue.underWay < AT_ONCE) {
      const kept = this.#take(queue)
      if (kept === undefined) break
      queue.underWay++
      node.transport.send(this.#exchange(node, queue, kept), node.timing)
    }
    this.#tidy(node, queue)
  }

  #exchange(node: Node, queue: Queue, kept: Kept): Exchange {
    return {
      datagram: kept.datagram,
      replied: () => {
        queue.underWay--
        this.flush(node)
      },
      failed: (failure) => {
        queue.underWay--
        if (this.#queues.get(node) !== queue) return
        this.#again(node, queue, kept, failure)
        this.#bound()
        this.#tidy(node, queue)
      },
    }
  }

  /** It waits for the node's next return, or next reply. Executed twice it does no harm: the second finds no call. */
  #again(node: Node, queue: Queue, { datagram, tries }: Kept, { kind }: ExchangeFailure): void {
    const blamed = node.keepsCalls && kind !== 'local' ? tries + 1 : tries
    if (blamed >= TRIES || kind === 'too-large') this.#dropped++
    else this.#keep(queue, { datagram, tries: blamed })
  }

  #keep(queue: Queue, kept: Kept): void {
    queue.waiting.push(kept)
    this.#size++
    this.#bytes += kept.datagram.length
  }

  #take(queue: Queue): Kept | undefined {
    const kept = queue.waiting.shift()
    if (kept === undefined) return undefined
    this.#size--
    this.#bytes -= kept.datagram.length
    return kept
  }

  /** Gives up the oldest of the node that has most: its call may well have timed out there by now. */
  #bound(): void {
    while (this.#size > this.#limit || this.#bytes > this.#limit * BYTES_PER_DELETE) {
      let [longest, at] = [0, undefined as Node | undefined]
      for (const [node, { waiting }] of this.#queues)
        if (waiting.length > longest) [longest, at] = [waiting.length, node]
      if (at === undefined) return
      const queue = this.#queues.get(at)!
      this.#take(queue)
      this.#dropped++
      this.#tidy(at, queue)
    }
  }

  #tidy(node: Node, queue: Queue): void {
    if (queue.waiting.length === 0 && queue.underWay === 0) this.#queues.delete(node)
  }

  /** Gives up what waits for a node that is no longer configured. */
  drop(node: Node): void {
    const queue = this.#queues.get(node)
    if (queue === undefined) return
    this.#queues.delete(node)
    while (this.#take(queue) !== undefined) this.#dropped++
  }

  close(): void {
    for (const node of [...this.#queues.keys()]) this.drop(node)
  }
}

interface Kept {
  readonly datagram: Buffer
  /** How often the node has left it unanswered though it was in use. */
  readonly tries: number
}

interface Queue {
  readonly waiting: Kept[]
  underWay: number
}
