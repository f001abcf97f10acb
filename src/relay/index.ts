/**
 * A small media proxy for development, demonstrations and tests.
 *
 * @module rtpproxy-ng/relay
 */

import { EventEmitter } from 'node:events'
import { RtpProxyNgError } from '../errors.ts'
import { Commands } from './commands.ts'
import { Answers } from './control/answers.ts'
import { closeAll, listen, listenAll } from './control/listener.ts'
import type { Listener } from './control/message.ts'
import { checkOptions, type EmbeddedRelayOptions, type RelaySettings } from './options.ts'
import { type RelayCall, snapshot } from './snapshot.ts'

export type { EmbeddedRelayOptions } from './options.ts'
export type { RelayCall } from './snapshot.ts'

/** Events of `EmbeddedRelay`. */
export interface EmbeddedRelayEvents {
  'call:created': [call: RelayCall]
  /** After its ports are free again, whatever the reason. */
  'call:deleted': [call: RelayCall]
  /** It was idle for too long; `call:deleted` follows. */
  'call:timeout': [call: RelayCall]
  /** A command failed for a reason that is not its sender's; it was answered with an error. */
  'command:failed': [error: unknown]
}

/** How often idle calls are looked for, in milliseconds: a quarter of the timeout, but not needlessly often. */
const SWEEP_MS = { least: 10, most: 5000 }

/**
 * A small media proxy in this process. It speaks the NG protocol as rtpengine does (`ping`, `offer`, `answer`, `delete`,
 * `query`, `list`; bencode or JSON) and relays RTP and RTCP, so that one can develop, demonstrate and test without
 * installing anything. Parties behind NAT are found by their first packet, and strangers kept out after that, unless
 * a command has the flag `asymmetric`.
 *
 * It carries packets and never looks into them: no SRTP, DTLS or ICE of its own (`ICE=remove` strips it, anything else
 * passes through), no change of `transport-protocol` or `rtcp-mux`, no transcoding, recording, playing or DTMF. Commands
 * for those are answered `Unrecognized command`, keys for them are ignored. Every packet passes through the event loop of
 * this thread. Production wants rtpengine.
 */
export class EmbeddedRelay extends EventEmitter<EmbeddedRelayEvents> {
  readonly #settings: RelaySettings
  readonly #commands: Commands
  readonly #answers: Answers
  #listeners: readonly Listener[] = []
  #urls: readonly string[] = []
  #sweep: NodeJS.Timeout | undefined
  #started: Promise<void> | undefined
  #closed: Promise<void> | undefined

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor(options: EmbeddedRelayOptions = {}) {
    super()
    this.#settings = checkOptions(options)
    this.#commands = new Commands(this.#settings, {
      created: (call) => this.emit('call:created', snapshot(call)),
      deleted: (call) => this.emit('call:deleted', snapshot(call)),
      timedOut: (call) => this.emit('call:timeout', snapshot(call)),
    })
    this.#answers = new Answers(
      (request) => this.#commands.execute(request),
      (error) => this.emit('command:failed', error),
    )
  }

  /** Where it listens, ports filled in: strings that `sockets` of `RtpProxyNg` takes. Empty before `start`. */
  get urls(): readonly string[] {
    return this.#urls
  }

  /** The calls as they stand now. */
  get calls(): RelayCall[] {
    return [...this.#commands.calls.values()].map(snapshot)
  }

  /**
   * Opens the control sockets.
   *
   * @throws ConfigurationError `ERR_RTPPROXY_URL` if one cannot be opened; none is open then.
   * @throws RtpProxyNgError `ERR_RTPPROXY_CLOSED` after `close`.
   */
  async start(): Promise<void> {
    if (this.#closed !== undefined) throw new RtpProxyNgError('ERR_RTPPROXY_CLOSED', 'the relay is closed')
    this.#started ??= this.#open()
    return this.#started
  }

  async #open(): Promise<void> {
    this.#listeners = await listenAll(this.#settings.listen, (address) =>
      listen(address, this.#answers, (error) => this.emit('command:failed', error)),
    )
    this.#urls = this.#listeners.map(({ url }) => url)
    const { idleTimeoutMs, silentTimeoutMs } = this.#settings
    const quarter = Math.min(idleTimeoutMs, silentTimeoutMs) / 4
    this.#sweep = setInterval(
      () => void this.#commands.expire(),
      Math.min(Math.max(quarter, SWEEP_MS.least), SWEEP_MS.most),
    ).unref()
  }

  /** Ends every call and closes every socket. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    // A start that failed has told its own caller.
    await this.#started?.catch(() => undefined)
    clearInterval(this.#sweep)
    await closeAll(this.#listeners)
    await this.#commands.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
