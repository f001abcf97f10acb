import type { Exchange } from '../../network/transport.ts'
import type { Node } from '../node.ts'

/** How many remembered deletes are under way to a node at once, so that one that has just come back is not flooded. */
const AT_ONCE = 32

/**
 * Deletes nobody waits for: those for nodes that are out of order, kept until they are back, and those for further nodes of a
 * call. Without them a node that was away for a minute would hold the ports of every call that ended meanwhile.
 */
export class Deletes {
  readonly #limit: number
  readonly #queues = new Map<Node, Queue>()
  #size = 0
  #dropped = 0

  /** @param limit how many may wait, of all nodes together. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many wait for their node. */
  get size(): number {
    return this.#size
  }

  /** How many were given up: there were too many, or their node is no longer configured. */
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
    queue.waiting.push(datagram)
    this.#size++
    if (this.#size > this.#limit) {
      // The oldest of this node: its call may well have timed out there by now.
      queue.waiting.shift()
      this.#size--
      this.#dropped++
    }
    this.flush(node)
  }

  /** Sends what waits for the node, if it can take it. */
  flush(node: Node): void {
    const queue = this.#queues.get(node)
    if (queue === undefined || !node.keepsCalls) return
    while (queue.underWay < AT_ONCE) {
      const datagram = queue.waiting.shift()
      if (datagram === undefined) break
      this.#size--
      queue.underWay++
      node.transport.send(this.#exchange(node, queue, datagram), node.timing)
    }
    if (queue.waiting.length === 0 && queue.underWay === 0) this.#queues.delete(node)
  }

  #exchange(node: Node, queue: Queue, datagram: Buffer): Exchange {
    return {
      datagram,
      replied: () => {
        queue.underWay--
        this.flush(node)
      },
      failed: () => {
        queue.underWay--
        if (this.#queues.get(node) !== queue) return
        // It waits for the node's next return. Executed twice it does no harm: the second finds no call.
        queue.waiting.push(datagram)
        this.#size++
      },
    }
  }

  /** Gives up what waits for a node that is no longer configured. */
  drop(node: Node): void {
    const queue = this.#queues.get(node)
    if (queue === undefined) return
    this.#size -= queue.waiting.length
    this.#dropped += queue.waiting.length
    this.#queues.delete(node)
  }

  close(): void {
    for (const node of [...this.#queues.keys()]) this.drop(node)
  }
}

interface Queue {
  readonly waiting: Buffer[]
  underWay: number
}
