import { encodeLarge } from '../core/large/bencode.ts'
import { ConfigurationError, NodeError } from '../errors.ts'
import type { DroppedReplies } from '../network/requests/dropped.ts'
import { OpenRequests } from '../network/requests/open-requests.ts'
import { RoundTrip } from '../network/requests/round-trip.ts'
import type { Timing, Transport } from '../network/transport.ts'
import { checkCallOptions } from '../nodes/dispatch/call-options.ts'
import { CommandTrace, commandChannel } from '../nodes/dispatch/trace.ts'
import { parseUrls } from '../nodes/grammar.ts'
import { checkCoding, checkFamily, transportTo } from '../nodes/transports.ts'
import { askingForLoadLimit } from '../protocol/commands/load-limit.ts'
import { NgCommands } from '../protocol/commands/ng-commands.ts'
import { notificationsTo } from '../protocol/commands/notification.ts'
import type { NgReply, ReplyTo } from '../protocol/commands/replies.ts'
import { COOKIE_LENGTH } from '../protocol/cookie.ts'
import { checkParameters } from '../protocol/vocabulary/check.ts'
import type { NgCommandName } from '../protocol/vocabulary/commands.ts'
import type { NgParameters, ParametersOf } from '../protocol/vocabulary/types.ts'
import { wireParameters } from '../protocol/vocabulary/wire.ts'
import { NgExchange } from './exchange.ts'
import { type CheckedNgOptions, checkNgOptions, type NgClientOptions } from './options.ts'

/** What every command may give. */
export interface NgCallOptions {
  /** Ends the command: it rejects with `ERR_RTPPROXY_ABORTED`, and a late reply is dropped. */
  readonly signal?: AbortSignal | undefined
  /** How long it may take in all, in milliseconds; then it rejects with `ERR_RTPPROXY_TIMEOUT`. Default: the client's. */
  readonly deadlineMs?: number | undefined
}

/** What an offer needs. */
export type OfferParameters = ParametersOf<'offer'>

/** What an answer needs: `from-tag` is the party that offered, `to-tag` the one that answers. */
export type AnswerParameters = ParametersOf<'answer'>

/** What a command about a call needs. */
export type CallParameters = ParametersOf<'query'>

/**
 * One media proxy, spoken to in the NG protocol: no SIP needed. The first command opens the socket; commands may overlap.
 *
 * Every method rejects with an `RtpProxyNgError`: `NgError` when the media proxy refuses (`reason` says why) or is full
 * (`ERR_RTPPROXY_LOAD_LIMIT`), `NodeError` when it does not answer, `ParameterError` when `strict` finds what NG does not know.
 */
export class NgClient extends NgCommands<never, NgCallOptions> {
  readonly url: string
  readonly #options: CheckedNgOptions
  readonly #requests = new OpenRequests(undefined, this)
  readonly #transport: Transport
  readonly #timing: Timing
  #closed = false

  /**
   * @param url `udp:HOST[:PORT]`, `udp6:`, `tcp:`, `ws://`, `wss://`, `http://`, `https://`, `unix:PATH`, or two: `udp:...|tcp:...`.
   * @throws ConfigurationError that names the option or what is wrong with the URL.
   */
  constructor(url: string, options: NgClientOptions = {}) {
    super()
    if (typeof url !== 'string')
      throw new ConfigurationError('ERR_RTPPROXY_URL', 'url', `the URL must be a string, not ${typeof url}`)
    this.url = url
    this.#options = checkNgOptions(options)
    const way = { url, ...parseUrls(url) }
    checkCoding(this.#options.coding, way)
    checkFamily(this.#options.localAddress, way)
    this.#transport = transportTo(way, this.#requests, this.#options)
    const { timeoutMs, attempts, adaptive, dtmf } = this.#options
    if (dtmf !== undefined) this.#requests.onUnasked = notificationsTo(dtmf)
    const measures = adaptive && way.address.transport === 'udp'
    this.#timing = { timeoutMs, attempts, roundTrip: measures ? new RoundTrip() : undefined }
  }

  /** Hands over a party's SDP and gets the one for the other. The result `load limit` is asked for: `ERR_RTPPROXY_LOAD_LIMIT`. */
  offer(parameters: OfferParameters, options?: NgCallOptions): Promise<ReplyTo<'offer'>> {
    return this.command('offer', parameters, options)
  }

  answer(parameters: AnswerParameters, options?: NgCallOptions): Promise<ReplyTo<'answer'>> {
    return this.command('answer', parameters, options)
  }

  /** Ends a call; of one that does not exist the reply has a `warning`. With the flag `fast` it leaves the statistics out. */
  delete(parameters: CallParameters, options?: NgCallOptions): Promise<ReplyTo<'delete'>> {
    return this.command('delete', parameters, options)
  }

  /** All that is known of a call; `callReport` makes sense of it. */
  query(parameters: CallParameters, options?: NgCallOptions): Promise<ReplyTo<'query'>> {
    return this.command('query', parameters, options)
  }

  startRecording(parameters: CallParameters, options?: NgCallOptions): Promise<ReplyTo<'start recording'>> {
    return this.command('start recording', parameters, options)
  }

  /** What the media proxy counts of itself; `nodeReport` makes sense of it. */
  statistics(options?: NgCallOptions): Promise<ReplyTo<'statistics'>> {
    return this.command('statistics', {}, options)
  }

  /** Sends any command, such as one that is not listed here, with the parameters as they are given. */
  request(command: string, parameters: NgParameters = {}, options: NgCallOptions = {}): Promise<NgReply> {
    return new Promise((resolve, reject) => {
      this.#admit(command)
      const wired = wireParameters(command, parameters)
      const { strict } = this.#options
      if (strict) checkParameters(command, wired, strict)
      const body = encodeLarge({ ...wired, command })
      const datagram = Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), body])
      const { signal, deadlineMs = this.#options.deadlineMs } = options
      checkCallOptions(command, signal, deadlineMs)
      const request = { command, node: this.url, datagram, signal, trace: undefined }
      const start = (exchange: NgExchange): void =>
        exchange.start(this.#transport, this.#timing, this.#requests.wheel, deadlineMs)
      if (!commandChannel.hasSubscribers) {
        start(new NgExchange(request, resolve, reject))
        return
      }
      const callId = textOf(wired['call-id'])
      const trace = new CommandTrace({ client: this, name: command, datagram, callId })
      const told = toldOf(trace, resolve, reject)
      trace.begin(() => start(new NgExchange({ ...request, trace }, ...told)))
    })
  }

  #admit(command: string): void {
    const context = { command, node: this.url }
    if (this.#closed)
      throw new NodeError('ERR_RTPPROXY_CLOSED', `${command}: this NgClient is closed`, context)
    if (this.#requests.size >= this.#options.openLimit)
      throw new NodeError(
        'ERR_RTPPROXY_OVERLOAD',
        `${command}: ${this.url} has too many requests open`,
        context,
      )
  }

  override command<Name extends NgCommandName>(
    name: Name,
    parameters?: ParametersOf<Name>,
    options?: NgCallOptions,
  ): Promise<ReplyTo<Name>> {
    const given = askingForLoadLimit(name, parameters === undefined ? {} : parameters)
    // The reply was made by another program: what it lacks shows where it is read.
    return this.request(name, given, options) as Promise<ReplyTo<Name>>
  }

  /** How many commands wait for a reply. */
  get openRequests(): number {
    return this.#requests.size
  }

  /** How many datagrams came in that were no reply to an open command, by reason. */
  get droppedReplies(): Readonly<DroppedReplies> {
    return this.#requests.dropped
  }

  /** Closes the socket; what is still open rejects with `ERR_RTPPROXY_CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#transport.close()
    this.#requests.wheel.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** What becomes of a command that somebody watches: its caller is told, and they are. */
function toldOf(
  trace: CommandTrace,
  resolve: (reply: NgReply) => void,
  reject: (error: unknown) => void,
): [(reply: NgReply) => void, (error: unknown) => void] {
  return [
    (reply) => {
      resolve(reply)
      trace.succeeded('ok')
    },
    (error) => {
      reject(error)
      trace.failed(error)
    },
  ]
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : undefined
}
