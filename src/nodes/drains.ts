import { NodeError } from '../errors.ts'
import type { Node } from './node.ts'

interface Waiter {
  readonly node: Node
  readonly resolve: () => void
  readonly reject: (error: NodeError) => void
}

/** Those who wait for the last call of a draining node. */
export class Drains {
  readonly #waiters = new Set<Waiter>()

  wait(node: Node): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ node, resolve, reject })
      this.check(node)
    })
  }

  /** To be asked whenever a node may have lost its last call or request. */
  check(node: Node): void {
    // The calls of a node that is no longer configured are forgotten, but they have not ended: see `cancel`.
    if (node.removed || node.open > 0 || node.calls > 0) return
    for (const waiter of this.#of(node)) waiter.resolve()
  }

  /** The node takes calls again, or is gone: nobody will see it empty. */
  cancel(node: Node, why: string): void {
    for (const { reject } of this.#of(node)) {
      const context = { command: 'drain', node: node.url }
      reject(new NodeError('ERR_RTPPROXY_ABORTED', `drain: media proxy ${node.url} ${why}`, context))
    }
  }

  close(): void {
    for (const { node } of [...this.#waiters]) this.cancel(node, 'was closed')
  }

  /** Takes the waiters of a node off the list. */
  #of(node: Node): Waiter[] {
    const waiters = [...this.#waiters].filter((waiter) => waiter.node === node)
    for (const waiter of waiters) this.#waiters.delete(waiter)
    return waiters
  }
}
