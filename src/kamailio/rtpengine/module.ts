import type { DtmfEvents } from '../../dtmf/events.ts'
import { optionError, SipError } from '../../errors.ts'
import type { OfferOptions } from '../../module/calls.ts'
import { RtpProxyNg } from '../../module/client.ts'
import { SipMessage } from '../../module/message.ts'
import type { RtpProxyNgOptions } from '../../module/options/options.ts'
import type { QueryReply } from '../../module/statistics.ts'
import type { KamailioMessage } from '../message.ts'
import { writable } from '../pseudo-variable.ts'
import type { ReturnCode } from '../script.ts'
import { type DtmfRoute, dtmfEvents, runRoute } from './dtmf.ts'
import { type Flags, RtpengineFunctions, type ViaBranch } from './functions.ts'
import {
  checkRtpengine,
  type ParameterWarning,
  type RtpengineParameters,
  readRtpengineConfiguration,
} from './parameters.ts'
import { qualityValues, totalsText } from './quality.ts'
import { noteStreams, textIn } from './reply-values.ts'
import { type RpcResult, rpc } from './rpc.ts'

/** What the module has no parameter for. */
export interface BeyondRtpengine
  extends Omit<RtpProxyNgOptions, 'sockets' | 'timeoutMs' | 'attempts' | 'disableMs' | 'dtmf'> {
  /** Called for each key pressed in a call, as `event_route[rtpengine:dtmf-event]` is run. */
  readonly onDtmf?: DtmfRoute | undefined
}

/** Kamailio's `rtpengine` module under its own names. Made by `loadRtpengine`. */
export class RtpengineModule extends RtpengineFunctions {
  /** Parameters that were given and change nothing here. */
  readonly warnings: readonly ParameterWarning[]
  /** The keys pressed in calls, from `dtmf_events_sock` and from `tcp:` media proxies. */
  readonly dtmf: DtmfEvents
  readonly #started = performance.now()

  /** @throws ConfigurationError */
  constructor(parameters: RtpengineParameters, { onDtmf, ...beyond }: BeyondRtpengine = {}) {
    const settings = checkRtpengine(parameters)
    const dtmf = dtmfEvents(settings.dtmf)
    super(new RtpProxyNg({ ...settings.options, ...beyond, dtmf }), settings)
    this.warnings = settings.warnings
    this.dtmf = dtmf
    if (onDtmf !== undefined) void runRoute(dtmf, settings.dtmf, onDtmf)
  }

  override async close(): Promise<void> {
    await this.dtmf.close()
    await super.close()
  }

  rtpengine_offer(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.run(msg, () => this.#rewrite(msg, 'offer', flags, viaBranch))
  }

  rtpengine_answer(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { method } = msg.message
      if (method !== undefined && method !== 'ACK' && method !== 'PRACK') {
        const what = `a ${method} request carries no answer; only an ACK or a PRACK does`
        throw new SipError('ERR_RTPPROXY_NOT_APPLICABLE', what)
      }
      await this.#rewrite(msg, 'answer', flags, viaBranch)
    })
  }

  /** A trickle-ICE fragment in an INFO: no SDP comes back. */
  rtpengine_info(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      const { node } = await this.client.trickle(msg.message, options)
      this.write(msg, 'rtp_inst_pvar', node)
    })
  }

  /** Ends the call; fills the `mos_` variables. */
  rtpengine_delete(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.run(msg, () => this.#delete(msg, flags, viaBranch))
  }

  /** The other name of `rtpengine_delete`. */
  rtpengine_destroy(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.rtpengine_delete(msg, flags, viaBranch)
  }

  /** Offers, answers or deletes, whichever the message calls for; for the failure of one branch, nothing. */
  rtpengine_manage(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { route, transaction } = msg
      // The other branches go on; the failure of them all has a route of its own.
      if (route === 'branch-failure') return
      const command = this.client.commandFor(msg.message, { route, transaction, rtpengineFlags: '' })
      if (command === 'delete') await this.#delete(msg, flags, viaBranch)
      else if (command !== undefined) await this.#rewrite(msg, command, flags, viaBranch)
      else {
        const what = msg.message.cseqMethod ?? 'a message without CSeq'
        throw new SipError(
          'ERR_RTPPROXY_NOT_APPLICABLE',
          `rtpengine_manage has nothing to do for this ${what}`,
        )
      }
    })
  }

  /** Fills the `mos_` variables. */
  rtpengine_query(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      this.#fillQuality(msg, await this.ask(msg, 'query', options))
    })
  }

  /** The reply to a query as JSON, in the variable called `variable`: `j` in one line, `jp` indented. */
  async rtpengine_query_v(msg: KamailioMessage, format: string, variable: string): Promise<ReturnCode> {
    const target = writable(variable, 'rtpengine_query_v')
    return this.run(msg, async () => {
      if (!/^j/i.test(format)) {
        const what = `the format is j or jp, not '${format}'`
        throw optionError('rtpengine_query_v', what)
      }
      const reply = await this.ask(msg, 'query', this.#firstLeg(msg))
      const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
      msg.assign(target, JSON.stringify(reply, text, /^jp/i.test(format) ? 2 : undefined))
    })
  }

  /** Puts the length in milliseconds into `media_duration`; -1 if it is not known. */
  play_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      const { duration } = await this.ask(msg, 'play media', options)
      this.write(msg, 'media_duration', String(duration ?? -1))
    })
  }

  /**
   * Asks for a copy of the media: the SDP to offer and the tag of the new leg go into the variables called `sdp` and `toTag`; with the flag
   * `siprec`, who sends what goes into `streams`, as `$xavp(streams[N]=>tag)` and `$xavp(streams[N]=>label[M])`.
   */
  async rtpengine_subscribe_request(
    msg: KamailioMessage,
    flags: Flags,
    sdp: string | null | undefined,
    toTag: string | null | undefined,
    streams?: string | null,
    viaBranch?: ViaBranch,
  ): Promise<ReturnCode> {
    const target = (name: string | null | undefined) =>
      name ? writable(name, 'rtpengine_subscribe_request') : undefined
    const [sdpTarget, tagTarget] = [target(sdp), target(toTag)]
    return this.run(msg, async () => {
      const reply = await this.ask(msg, 'subscribe request', this.#firstLeg(msg, flags, viaBranch))
      if (sdpTarget !== undefined) msg.assign(sdpTarget, textIn(reply, 'sdp', 'subscribe request'))
      if (tagTarget !== undefined) msg.assign(tagTarget, textIn(reply, 'to-tag', 'subscribe request'))
      if (streams) noteStreams(msg, streams, reply['tag-medias'])
    })
  }

  /** The answer of who receives the copy, in the body of this message or in `read_sdp_pv`. */
  rtpengine_subscribe_answer(
    msg: KamailioMessage,
    flags?: Flags,
    viaBranch?: ViaBranch,
  ): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      const sdp = this.#givenSdp(msg) ?? msg.message.sdp
      if (sdp === undefined)
        throw new SipError('ERR_RTPPROXY_NO_SDP', 'the SIP message has no SDP that answers the subscription')
      await this.ask(msg, 'subscribe answer', { ...options, sdp })
    })
  }

  /**
   * A pseudo-variable: `$rtpstat` and `$rtpestat` ask the media proxy for the call's totals. Null when it has no value.
   *
   * @throws ConfigurationError for a variable that is not supported.
   */
  async pv(msg: KamailioMessage, name: string): Promise<string | null> {
    if (name !== '$rtpstat' && name !== '$rtpestat') return this.format(name).evaluate(msg)
    let text: string | null = null
    await this.run(msg, async () => {
      text = totalsText(await this.ask(msg, 'query', this.#firstLeg(msg)))
    })
    return text
  }

  /** A management command, `rtpengine.show` and so on: what Kamailio's RPC interface would answer. */
  rpc(command: string, ...args: readonly string[]): Promise<RpcResult> {
    return rpc(this.client, (performance.now() - this.#started) / 1000, command, args)
  }

  async #delete(msg: KamailioMessage, flags: Flags, viaBranch: ViaBranch): Promise<void> {
    let failure: unknown
    for (const options of this.legs(msg, flags, viaBranch)) {
      try {
        // Nobody waits for the delete at a media proxy that is out of order, unless its figures are wanted.
        if (this.#wantsQuality) this.#fillQuality(msg, await this.ask(msg, 'delete', options))
        else this.write(msg, 'rtp_inst_pvar', (await this.client.destroy(msg.message, options)).node)
      } catch (error) {
        // The call ends in the other set all the same.
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  #fillQuality(msg: KamailioMessage, reply: QueryReply): void {
    const { formats, targets } = this.settings
    const label = (name: string) => {
      const format = formats.get(name)
      return format === undefined ? undefined : (this.format(format).evaluate(msg) ?? undefined)
    }
    const labels = { A: label('mos_A_label_pv'), B: label('mos_B_label_pv') }
    for (const [parameter, value] of qualityValues(reply, targets.keys(), labels))
      this.write(msg, parameter, value)
  }

  get #wantsQuality(): boolean {
    return [...this.settings.targets.keys()].some((name) => name.startsWith('mos_'))
  }

  /** For what has one result, whatever the sets. */
  #firstLeg(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): OfferOptions {
    return this.legs(msg, flags, viaBranch)[0]!
  }

  /** The SDP that `read_sdp_pv` has. */
  #givenSdp(msg: KamailioMessage): string | undefined {
    const format = this.settings.formats.get('read_sdp_pv')
    return format === undefined ? undefined : (this.format(format).evaluate(msg) ?? undefined)
  }

  /** Sends the SDP through each of the sets, and puts what comes back where it is wanted. */
  async #rewrite(
    msg: KamailioMessage,
    command: 'offer' | 'answer',
    flags: Flags,
    viaBranch: ViaBranch,
  ): Promise<void> {
    const { targets, writesBoth } = this.settings
    const legs = this.legs(msg, flags, viaBranch)
    // An answer goes back the way the offer came: each media proxy stands between the same two neighbours.
    if (command === 'answer') legs.reverse()
    const given = this.#givenSdp(msg)
    const written = targets.get('write_sdp_pv')
    if (given === undefined && written === undefined) return this.#rewriteMessage(msg, command, legs)
    let sdp = given ?? msg.message.sdp
    for (const options of legs)
      sdp = textIn(await this.ask(msg, command, { ...options, sdp }), 'sdp', command)
    if (written !== undefined) msg.assign(written, String(sdp))
    if (written === undefined || writesBoth) msg.replace(msg.message.withSdp(Buffer.from(String(sdp))).buffer)
  }

  /** The message is left as it is until the last set has answered. */
  async #rewriteMessage(
    msg: KamailioMessage,
    command: 'offer' | 'answer',
    legs: readonly OfferOptions[],
  ): Promise<void> {
    let { buffer } = msg
    for (const [i, options] of legs.entries()) {
      const message = i === 0 ? msg.message : SipMessage.parse(buffer, msg.message.source)
      const result = await this.client[command](message, options)
      this.write(msg, 'rtp_inst_pvar', result.node)
      buffer = result.message
    }
    msg.replace(buffer)
  }
}

/**
 * Loads the module and pings its media proxies.
 *
 * @param parameters the `modparam` values as an object, or the text of a kamailio.cfg, whose `modparam("rtpengine", ...)` lines
 * are taken. What has nothing to apply to is in `warnings`, and given to `process.emitWarning`.
 * @param beyond options of `RtpProxyNg` that the module has no parameter for.
 * @throws ConfigurationError that names the parameter, and the line in a text.
 */
export async function loadRtpengine(
  parameters: RtpengineParameters | string,
  beyond: BeyondRtpengine = {},
): Promise<RtpengineModule> {
  const given = typeof parameters === 'string' ? readRtpengineConfiguration(parameters) : parameters
  const module = new RtpengineModule(given, beyond)
  for (const { message } of module.warnings) process.emitWarning(message, { code: 'RTPPROXY_PARAMETER' })
  try {
    await module.dtmf.start()
    await module.client.start()
  } catch (error) {
    await module.close()
    throw error
  }
  return module
}
