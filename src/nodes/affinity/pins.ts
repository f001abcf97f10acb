import type { Node } from '../node.ts'
import type { PoolOptions } from '../options.ts'
import { type CallKey, CallMemory, isWhole } from './calls.ts'
import { SharedCalls, type SharedCallsObserver } from './shared.ts'
import { NodeTokens } from './token.ts'

export interface PinOptions
  extends Pick<PoolOptions, 'affinity' | 'store' | 'storeWaitMs' | 'tokenKey' | 'tokenMs'> {
  /** The nodes by URL; of those in several sets, the one in `set` if there is one. */
  readonly node: (url: string, set: number) => Node | undefined
  readonly urls: () => Iterable<string>
  /** A node has lost a call. */
  readonly released: (node: Node) => void
}

/** A call, of a forked one a branch; unnamed when nobody asks. */
export interface CallName {
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
}

/** The call a command is about. */
export interface PinnedCall extends CallName {
  readonly token: string | undefined
  readonly set: { readonly id: number }
}

/** Which node has a call: by this process's memory, the token the dialog carries, or the store shared with others. */
export class Pins {
  readonly memory: CallMemory<Node> | undefined
  readonly shared: SharedCalls | undefined
  readonly tokens: NodeTokens | undefined
  readonly #options: PinOptions

  constructor(options: PinOptions, observer: SharedCallsObserver) {
    this.#options = options
    const { affinity, store, storeWaitMs, tokenKey, tokenMs, released } = options
    if (affinity !== undefined) this.memory = new CallMemory({ ...affinity, released })
    if (store !== undefined)
      this.shared = new SharedCalls(
        store,
        { waitMs: storeWaitMs, lifetimeMs: affinity!.lifetimeMs },
        observer,
      )
    if (tokenKey !== undefined) this.tokens = new NodeTokens({ key: tokenKey, lifetimeMs: tokenMs })
  }

  /** Whether commands must say which call they are about. */
  get used(): boolean {
    return this.memory !== undefined || this.tokens !== undefined
  }

  /** The node that has the call: at once, or after the shared store has been asked. */
  find(call: PinnedCall): Node | undefined | Promise<Node | undefined> {
    const { callId, viaBranch, token, set } = call
    if (callId === undefined) return undefined
    // Before the token, which a dialog carries unchanged from its first message on while the call may have moved.
    const known = this.memory?.find(callId, viaBranch)
    if (known !== undefined) return known
    if (token !== undefined && this.tokens !== undefined) {
      const url = this.tokens.read(token, callId, this.#options.urls())
      const node = url === undefined ? undefined : this.#options.node(url, set.id)
      if (node !== undefined) {
        this.memory?.keep(callId, viaBranch, node)
        return node
      }
    }
    const asked = this.shared?.find(callId)
    return asked === undefined ? undefined : this.#take(asked, callId, viaBranch, set.id)
  }

  /** Remembers here what the store knows, so that it is asked once for a call. */
  async #take(
    asked: Promise<ReadonlyMap<string, string>>,
    callId: string,
    viaBranch: string | undefined,
    set: number,
  ): Promise<Node | undefined> {
    const branches = await asked
    for (const [branch, url] of branches) {
      const node = this.#options.node(url, set)
      if (node !== undefined) this.memory?.keep(callId, branch === '' ? undefined : branch, node)
    }
    return this.memory?.find(callId, viaBranch)
  }

  /** The other nodes that have a branch of a call, or of a leg of it, which ends as a whole. */
  others({ callId, viaBranch }: CallName, node: Node | undefined): readonly Node[] {
    if (this.memory === undefined || callId === undefined || !isWhole(viaBranch)) return []
    return this.memory.nodesOf(callId, viaBranch).filter((other) => other !== node)
  }

  /**
   * Whether the memory, or the store shared with others, has any branch of the call on this node; undefined if the store cannot be asked.
   * Counts as no use here.
   */
  async isOn(callId: string, node: Node): Promise<boolean | undefined> {
    const here = this.memory?.nodesOf(callId) ?? []
    if (here.some(({ url }) => url === node.url)) return true
    if (this.shared === undefined) return false
    const branches = await this.shared.told(callId)
    return branches && [...branches.values()].includes(node.url)
  }

  /** The call goes to this node: known here at once, so that what comes next goes there too. */
  keep({ callId, viaBranch }: CallName, node: Node): void {
    // One that is no longer configured has no calls: its last replies come after it has gone.
    if (callId !== undefined && !node.removed) this.memory?.keep(callId, viaBranch, node)
  }

  /** The node has taken the call, or still has it: the others are told. */
  share({ callId, viaBranch }: CallName, node: Node): void {
    if (callId !== undefined) this.shared?.keep(callId, viaBranch ?? '', node.url)
  }

  /** Whether it is known here that the node has the call, or nobody wants to know. */
  has({ callId, viaBranch }: CallName, node: Node): boolean {
    return callId === undefined || this.memory === undefined || this.memory.find(callId, viaBranch) === node
  }

  /** The call was not taken after all: it is where it was before, if anywhere. */
  restore(call: CallName, before: Node | undefined): void {
    if (before !== undefined && !before.removed) this.keep(call, before)
    else if (call.callId !== undefined) this.memory?.forget(call.callId, call.viaBranch)
  }

  /** The call is over. */
  forget({ callId, viaBranch }: CallName): void {
    if (callId === undefined) return
    const gone = this.memory?.forget(callId, viaBranch) ?? []
    this.shared?.forget(callId, viaBranch)
    // The store knows nothing of legs, so of one that ends as a whole each branch is named.
    if (viaBranch !== undefined)
      for (const branch of gone) if (branch !== viaBranch) this.shared?.forget(callId, branch)
  }

  /** The call is over on a node that was named: it goes on wherever else it is. */
  forgetOn(call: CallName, { url }: Node): void {
    const { callId, viaBranch } = call
    if (callId === undefined || this.memory === undefined) return
    const nodes = isWhole(viaBranch)
      ? this.memory.nodesOf(callId, viaBranch)
      : [this.memory.find(callId, viaBranch)]
    if (nodes.length > 0 && nodes.every((node) => node?.url === url)) this.forget(call)
  }

  callsOn(node: Node): Iterable<CallKey> {
    return this.memory?.callsOn(node) ?? []
  }

  async close(): Promise<void> {
    this.memory?.close()
    await this.shared?.close()
  }
}
