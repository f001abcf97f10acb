import type { RtpProxyNgError } from '../../errors.ts'
import type { TimerWheel } from '../../network/requests/timer-wheel.ts'
import type { PinnedCall, Pins } from '../affinity/pins.ts'
import type { Health } from '../health/health.ts'
import type { Node } from '../node.ts'
import type { NodeSet } from '../set.ts'
import type { Deletes } from './deletes.ts'
import type { FailsOver } from './failover.ts'
import type { Load } from './load.ts'

/** One command on its way: what to send, where, and whom to tell. It ends with `replied` that returns no error, `remembered` or `failed`. */
export interface Command extends PinnedCall {
  /** Name of the NG command. */
  readonly name: string
  /** Room for cookie and space, then the dictionary. */
  readonly datagram: Buffer
  readonly set: NodeSet
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
  readonly signal: AbortSignal | undefined
  /** How long all of it may take; 0: as long as its attempts take. */
  readonly deadlineMs: number
  /** A node that is not to be chosen. */
  readonly avoid: Node | undefined
  /** Only a node of the set may have the call: in a chain, other legs of it are on nodes of other sets. */
  readonly isLeg: boolean
  /** The node that alone is to get it, whatever state it is in. */
  readonly only: Node | undefined
  /** Whether it may be sent later, when its node is out of order now: a delete nobody needs an answer to. */
  readonly deferrable: boolean
  /** It leaves for `node`, for the first time there or again. */
  sent?(node: Node, isFirst: boolean): void
  /** A reply came; its dictionary begins at `offset`. Returns the error if it is not what was asked for; nobody was told yet. */
  replied(node: Node, bytes: Buffer, offset: number): RtpProxyNgError | undefined
  /** A delete whose node is out of order: it is sent as soon as that is back. */
  remembered(node: Node): void
  failed(error: RtpProxyNgError): void
}

/** Whether a command makes a call where there was none: its node has the call from then on. */
export function startsCall(command: string): boolean {
  return command === 'offer' || command === 'publish' || command === 'create' || command === 'transform'
}

const LARGE = new Set(['query', 'list', 'statistics', 'cli'])

/** Whether the reply to a command may well be larger than a datagram can be. */
export function expectsLarge(command: string): boolean {
  return LARGE.has(command)
}

/** What all commands of a pool share. */
export interface Exchanges {
  readonly health: Health
  readonly pins: Pins
  readonly deletes: Deletes
  readonly load: Load
  readonly wheel: TimerWheel
  readonly suspectAttempts: number
  readonly halfOpen: boolean
  readonly redetect: boolean
  readonly nodesPerCommand: number
  readonly failsOver: FailsOver
  /** A node that is draining or removed has nothing open any more. */
  readonly idle: (node: Node) => void
}

/** What a command is made of. */
export type CommandRequest = Omit<Command, 'sent' | 'replied' | 'remembered' | 'failed' | 'deferrable'>

/** A command that carries its request. Subclasses say what becomes of it. */
export abstract class CarriedCommand implements Command {
  readonly name: string
  readonly datagram: Buffer
  readonly set: NodeSet
  readonly sum: number
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
  readonly token: string | undefined
  readonly signal: AbortSignal | undefined
  readonly deadlineMs: number
  readonly avoid: Node | undefined
  readonly only: Node | undefined
  readonly isLeg: boolean

  constructor(request: CommandRequest) {
    this.name = request.name
    this.datagram = request.datagram
    this.set = request.set
    this.sum = request.sum
    this.callId = request.callId
    this.viaBranch = request.viaBranch
    this.token = request.token
    this.signal = request.signal
    this.deadlineMs = request.deadlineMs
    this.avoid = request.avoid
    this.only = request.only
    this.isLeg = request.isLeg
  }

  abstract get deferrable(): boolean
  abstract replied(node: Node, bytes: Buffer, offset: number): RtpProxyNgError | undefined
  abstract remembered(node: Node): void
  abstract failed(error: RtpProxyNgError): void
}
