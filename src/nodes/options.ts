import type { NameResolver } from '../network/names.ts'
import type { ExchangeFailure } from '../network/transport.ts'
import type { WebOptions } from '../network/web/address.ts'
import type { DtmfReceiver } from '../protocol/commands/notification.ts'
import type { CallStore } from './affinity/store.ts'
import type { Balancing } from './balancing.ts'
import type { FailsOver } from './dispatch/failover.ts'
import type { NameMode } from './names.ts'
import type { Coding } from './transports.ts'

/** How media proxies are chosen, judged and protected. Every field is set: the defaults are the client's. */
export interface PoolOptions {
  /** How long to wait for a reply to one send. */
  readonly timeoutMs: number
  /** How many sends in all. */
  readonly attempts: number
  /** Whether resends follow the measured round-trip time instead of `timeoutMs`. */
  readonly adaptive: boolean
  /** How long all of a command may take; 0: as long as its attempts take. */
  readonly deadlineMs: number

  readonly disableMs: number
  /** Which failures of a command are evidence against its node. */
  readonly deadOn: ReadonlySet<ExchangeFailure['kind']>
  /** How many unanswered commands in a row take a node out of use. */
  readonly deadAfter: number
  /** Whether a node is pinged before unanswered commands take it out of use. */
  readonly confirmDead: boolean
  /** After how many unanswered sends a command goes on to the next node. */
  readonly suspectAttempts: number
  /** Whether a node whose recheck is due is tried by one command instead of a ping. */
  readonly halfOpen: boolean
  /** Time between pings of a silent node; 0: none. */
  readonly pingMs: number
  /** Whether a node is pinged when it is new. */
  readonly pingAtStart: boolean
  /** Whether all nodes of a set are pinged when none is left for a command. */
  readonly redetect: boolean
  /** How many nodes one command is sent to at most. */
  readonly nodesPerCommand: number
  /** How long a node that had no room for an offer gets no new calls while others have. */
  readonly spareMs: number
  /** Which other errors to an offer of a new call send it on to the next node. */
  readonly failsOver: FailsOver

  readonly balancing: Balancing
  /** Whether nodes of weight 0 take calls when no other node can. */
  readonly lastResort: boolean
  /** What the memory of calls holds; undefined: no memory, as in the module. */
  readonly affinity: { readonly limit: number; readonly lifetimeMs: number } | undefined
  readonly store: CallStore | undefined
  readonly storeWaitMs: number
  readonly tokenKey: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  readonly tokenMs: number

  /** How many commands may be under way in all, and at one node. */
  readonly openLimit: number
  readonly nodeOpenLimit: number
  /** How many deletes for nodes that are out of order are kept for later. */
  readonly rememberedDeletes: number

  /** Who is told of the keys that media proxies report over TCP. */
  readonly dtmf: DtmfReceiver | undefined
  readonly coding: Coding
  readonly web: WebOptions
  readonly localAddress: string | undefined
  readonly names: NameMode
  readonly resolver: NameResolver
  /** Time between look-ups of host names; 0: only when a socket is opened. */
  readonly resolveMs: number
}
