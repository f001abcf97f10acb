import { AsyncResource } from 'node:async_hooks'
import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel'

/** `tracing:rtpproxy-ng:command:start`, `end`, `asyncStart`, `asyncEnd` and `error`. Its type wants fields that other tracers add. */
export const commandChannel = tracingChannel<string, CommandTrace>('rtpproxy-ng:command') as unknown as {
  readonly hasSubscribers: boolean
} & Record<'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error', Channel<unknown, CommandTrace>>

/** Each time a command leaves for a media proxy, again included. */
export const sendChannel = channel('rtpproxy-ng:send')

/** Which command, and whose. */
export interface TracedCommand {
  /** The `RtpProxyNg` or `NgClient`. */
  readonly client: object
  readonly name: string
  readonly datagram: Buffer
  readonly set?: number | undefined
  readonly callId?: string | undefined
}

/**
 * What the channels tell of one command, pings included; the same object from its start to its end. What may hold SDP and keys is behind
 * getters, which neither JSON nor a logger looks behind.
 */
export class CommandTrace {
  /** Name of the NG command. */
  readonly command: string
  /** Id of the set; undefined for an `NgClient`. */
  readonly set: number | undefined
  /** Call-ID, as far as anything here needed to know it. */
  readonly callId: string | undefined
  /** When it began, by `performance.now()`. */
  readonly startedAt: number = performance.now()
  /** URL of the media proxy it went to last; undefined: to none. */
  node: string | undefined
  /** How many times it was sent in all. */
  sends = 0
  /** Whether the last send was one more to the same media proxy. */
  isResend = false
  /** To how many media proxies it went. */
  nodes = 0
  /** How long it took in all, in milliseconds. Undefined until its end, as the next one. */
  durationMs: number | undefined
  /** `remembered`: a delete that is sent when its media proxy is back. */
  outcome: 'ok' | 'remembered' | 'failed' | undefined
  error: unknown
  readonly #client: object
  readonly #datagram: Buffer
  #reply: Buffer | undefined
  #isStarted = false
  /** Replies and timers come to the socket that all share: what is told of a command is told where the command began. */
  #context: AsyncResource | undefined

  constructor({ client, name, datagram, set, callId }: TracedCommand) {
    this.command = name
    this.set = set
    this.callId = callId
    this.#client = client
    this.#datagram = datagram
  }

  /** The `RtpProxyNg` or `NgClient` it was given to. */
  get client(): object {
    return this.#client
  }

  /** Cookie, space and dictionary, as they are sent. With SDP and keys: mind where they go. */
  get datagram(): Buffer {
    return this.#datagram
  }

  /** The dictionary of the reply. With SDP and keys. */
  get reply(): Buffer | undefined {
    return this.#reply
  }

  /** Begins the command; what `start` throws ends it and is thrown. */
  begin(start: () => void): void {
    try {
      commandChannel.start.runStores(this, () => {
        this.#context = new AsyncResource('RtpProxyNgCommand')
        start()
      })
    } catch (error) {
      this.failed(error)
      throw error
    } finally {
      this.#isStarted = true
      commandChannel.end.publish(this)
      if (this.outcome !== undefined) this.#publishEnd()
    }
  }

  /** It leaves for a node, for the first time there or again. */
  sent(node: string, isFirst: boolean): void {
    this.node = node
    this.sends++
    this.isResend = !isFirst
    if (isFirst) this.nodes++
    if (sendChannel.hasSubscribers) this.#tell(sendChannel)
  }

  replied(bytes: Buffer, offset: number): void {
    this.#reply = bytes.subarray(offset)
  }

  succeeded(outcome: 'ok' | 'remembered'): void {
    this.#end(outcome)
  }

  failed(error: unknown): void {
    this.error = error
    this.#tell(commandChannel.error)
    this.#end('failed')
  }

  #end(outcome: 'ok' | 'remembered' | 'failed'): void {
    this.durationMs = performance.now() - this.startedAt
    this.outcome = outcome
    // A command may end before it has returned to its caller: its end is told behind its start all the same.
    if (this.#isStarted) this.#publishEnd()
  }

  #publishEnd(): void {
    this.#tell(commandChannel.asyncStart)
    this.#tell(commandChannel.asyncEnd)
  }

  #tell(channel: Pick<Channel<unknown, CommandTrace>, 'publish'>): void {
    this.#context?.runInAsyncScope(channel.publish, channel, this)
  }
}
