import type { DtmfEvents } from '../../dtmf/events.ts'
import { SipError } from '../../errors.ts'
import { RtpProxyNg } from '../../module/client.ts'
import type { RtpProxyNgOptions } from '../../module/options.ts'
import type { QueryReply } from '../../module/statistics.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
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
    return this.run(msg, () => this.#rewrite(msg, 'answer', flags, viaBranch))
  }

  /** A trickle-ICE fragment in an INFO: no SDP comes back. */
  rtpengine_info(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      await this.client.trickle(msg.message, options)
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

  /** Offers, answers or deletes, whichever the message calls for. */
  rtpengine_manage(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { route, transaction } = msg
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
      this.#fillQuality(msg, await this.client.query(msg.message, options))
    })
  }

  /** The reply to a query as JSON, in the variable called `variable`: `j` in one line, `jp` indented. */
  rtpengine_query_v(msg: KamailioMessage, format: 'j' | 'jp', variable: string): Promise<ReturnCode> {
    const target = writable(variable, 'rtpengine_query_v')
    return this.run(msg, async () => {
      const reply = await this.client.query(msg.message, this.options(msg, '', undefined))
      const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
      msg.assign(target, JSON.stringify(reply, text, format === 'jp' ? 2 : undefined))
    })
  }

  /** Puts the length in milliseconds into `media_duration`; -1 if it is not known. */
  play_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.each(msg, flags, undefined, async (options) => {
      const { duration } = await this.client.playMedia(msg.message, options)
      this.write(msg, 'media_duration', String(duration ?? -1))
    })
  }

  /**
   * Asks for a copy of the media: the SDP to offer and the tag of the new leg go into the variables called `sdp` and `toTag`; with the flag
   * `siprec`, who sends what goes into `streams`, as `$xavp(streams[N]=>tag)` and `$xavp(streams[N]=>label[M])`.
   */
  rtpengine_subscribe_request(
    msg: KamailioMessage,
    flags: Flags,
    sdp: string,
    toTag: string,
    streams: string,
    viaBranch?: ViaBranch,
  ): Promise<ReturnCode> {
    const targets = {
      sdp: writable(sdp, 'rtpengine_subscribe_request'),
      toTag: writable(toTag, 'rtpengine_subscribe_request'),
    }
    return this.run(msg, async () => {
      const reply = await this.client.subscribeRequest(msg.message, this.options(msg, flags, viaBranch))
      msg.assign(targets.sdp, reply.sdp)
      msg.assign(targets.toTag, reply['to-tag'])
      noteStreams(msg, streams, reply['tag-medias'])
    })
  }

  /** The answer of who receives the copy, in the body of this message. */
  rtpengine_subscribe_answer(
    msg: KamailioMessage,
    flags?: Flags,
    viaBranch?: ViaBranch,
  ): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      const { sdp } = msg.message
      if (sdp === undefined)
        throw new SipError('ERR_RTPPROXY_NO_SDP', 'the SIP message has no SDP that answers the subscription')
      await this.client.subscribeAnswer(msg.message, { ...options, sdp })
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
      text = totalsText(await this.client.query(msg.message, this.options(msg, '', undefined)))
    })
    return text
  }

  /** A management command, `rtpengine.show` and so on: what Kamailio's RPC interface would answer. */
  rpc(command: string, ...args: readonly string[]): Promise<RpcResult> {
    return rpc(this.client, command, args)
  }

  async #delete(msg: KamailioMessage, flags: Flags, viaBranch: ViaBranch): Promise<void> {
    for (const options of this.legs(msg, flags, viaBranch)) {
      // Nobody waits for the delete at a media proxy that is out of order, unless its figures are wanted.
      if (!this.#wantsQuality) await this.client.destroy(msg.message, options)
      else this.#fillQuality(msg, await this.client.command('delete', msg.message, options))
    }
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

  /** Sends the SDP through each of the sets, and puts what comes back where it is wanted. */
  async #rewrite(
    msg: KamailioMessage,
    command: 'offer' | 'answer',
    flags: Flags,
    viaBranch: ViaBranch,
  ): Promise<void> {
    const { formats, targets, writesBoth } = this.settings
    const read = formats.get('read_sdp_pv')
    const written = targets.get('write_sdp_pv')
    let given = read === undefined ? undefined : (this.format(read).evaluate(msg) ?? undefined)
    for (const options of this.legs(msg, flags, viaBranch)) {
      if (given === undefined && written === undefined) {
        const { message, node } = await this.client[command](msg.message, options)
        msg.replace(message)
        this.write(msg, 'rtp_inst_pvar', node)
        continue
      }
      const sdp = given ?? msg.message.sdp
      const reply = await this.client.command(command, msg.message, { ...options, sdp })
      given = reply.sdp
      this.write(msg, 'rtp_inst_pvar', this.client.nodeOf(msg.message.callId ?? ''))
    }
    if (given === undefined) return
    if (written !== undefined) msg.assign(written, given)
    if (written === undefined || writesBoth) msg.replace(msg.message.withSdp(Buffer.from(given)).buffer)
  }
}

function noteStreams(msg: KamailioMessage, name: string, parties: unknown): void {
  if (!Array.isArray(parties)) return
  const root = /^(?:\$xavp\()?([A-Za-z0-9_.-]+)\)?$/.exec(name.trim())?.[1] ?? name
  parties.forEach((party: NgParameters, i) => {
    const { tag, medias } = party
    msg.assign({ key: `xavp:${root}[${i}]=>tag` }, tag === undefined ? undefined : String(tag))
    if (!Array.isArray(medias)) return
    medias.forEach((media, j) => {
      const { label } = media as NgParameters
      msg.assign({ key: `xavp:${root}[${i}]=>label[${j}]` }, label === undefined ? undefined : String(label))
    })
  })
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
