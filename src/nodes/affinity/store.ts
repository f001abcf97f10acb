/**
 * Where several SIP proxies keep which node has which call. Implementations may reject; nothing waits for them longer than
 * `storeWaitMs`.
 */
export interface CallStore {
  /** Node URLs by via-branch ('' for none) of a call; empty when unknown. Refreshes the call's lifetime. */
  find(callId: string, lifetimeMs: number): Promise<ReadonlyMap<string, string>>
  keep(callId: string, viaBranch: string, node: string, lifetimeMs: number): Promise<void>
  /** viaBranch undefined: the whole call. */
  forget(callId: string, viaBranch: string | undefined): Promise<void>
  /** Tells the others that a node is out of order for so long, or (0) that it is back. */
  report(node: string, downForMs: number): Promise<void>
  /** Tells of what others report, and once at the start of what is known. */
  watch(listener: (node: string, downForMs: number) => void): Promise<void>
  /**
   * Calls back on every change of whether the store can be used, with the reason why not; before the first call it counts as
   * usable. Optional, for stores that cannot tell.
   */
  onAvailable?(listener: (available: boolean, reason?: unknown) => void): void
  close(): Promise<void>
}
