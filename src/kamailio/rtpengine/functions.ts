import { NgError, NodeError } from '../../errors.ts'
import type { OfferOptions } from '../../module/calls.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { QueryReply } from '../../module/statistics.ts'
import type { ViaBranchChoice } from '../../protocol/rtpengine-flags/flags.ts'
import type { NgCommandName } from '../../protocol/vocabulary/commands.ts'
import type { KamailioMessage } from '../message.ts'
import { type ReturnCode, ScriptModule } from '../script.ts'
import type { CheckedRtpengine } from './parameters.ts'

export type Flags = string | null | undefined
/** The second argument of most functions: rtpengine reads the flags itself, and this is `via-branch`. */
export type ViaBranch = ViaBranchChoice | null | undefined

/** The functions that send a command and want to know no more than whether it was done. */
export abstract class RtpengineFunctions extends ScriptModule {
  protected readonly settings: CheckedRtpengine

  constructor(client: RtpProxyNg, settings: CheckedRtpengine) {
    super(client)
    this.settings = settings
  }

  /**
   * `set_rtpengine_set(setid[, setid])`: for this message only; with two, everything goes through both in a row, and answers back. A set
   * there is not leaves the message on the default one.
   */
  set_rtpengine_set(
    msg: KamailioMessage,
    set: number | string,
    second?: number | string | null,
  ): Promise<ReturnCode> {
    return this.run(msg, async () => {
      msg.hasSet = false
      const ids = [set, second ?? set].map((id) => this.#setId(id))
      msg.set = ids[0]!
      msg.secondSet = ids[1] === ids[0] ? undefined : ids[1]
      msg.hasSet = true
    })
  }

  rtpengine_connect(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'connect', flags, viaBranch)
  }

  start_recording(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'start recording', flags, viaBranch)
  }

  stop_recording(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'stop recording', flags, viaBranch)
  }

  block_dtmf(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'block DTMF', flags, viaBranch)
  }

  unblock_dtmf(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'unblock DTMF', flags, viaBranch)
  }

  block_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'block media', flags, viaBranch)
  }

  unblock_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'unblock media', flags, viaBranch)
  }

  silence_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'silence media', flags, viaBranch)
  }

  unsilence_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'unsilence media', flags, viaBranch)
  }

  start_forwarding(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'start forwarding', flags, viaBranch)
  }

  stop_forwarding(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'stop forwarding', flags, viaBranch)
  }

  stop_media(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'stop media', flags, viaBranch)
  }

  play_dtmf(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'play DTMF', flags, viaBranch)
  }

  rtpengine_unsubscribe(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'unsubscribe', flags, viaBranch)
  }

  /** An error names its media proxy as well. */
  protected override async run(msg: KamailioMessage, body: () => Promise<void>): Promise<ReturnCode> {
    const code = await super.run(msg, body)
    if (msg.error instanceof NgError && msg.error.node !== undefined)
      this.write(msg, 'rtp_inst_pvar', msg.error.node)
    return code
  }

  protected simple(
    msg: KamailioMessage,
    command: NgCommandName,
    flags: Flags,
    viaBranch: ViaBranch,
  ): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      await this.ask(msg, command, options)
    })
  }

  /** Sends a command of the message, and notes who answered. */
  protected async ask(
    msg: KamailioMessage,
    command: NgCommandName,
    options: OfferOptions,
  ): Promise<QueryReply> {
    const { node, reply } = await this.client.ask(command, msg.message, options)
    this.write(msg, 'rtp_inst_pvar', node)
    return reply
  }

  /** Runs a command on each of the sets the message goes through. */
  protected each(
    msg: KamailioMessage,
    flags: Flags,
    viaBranch: ViaBranch,
    body: (options: OfferOptions) => Promise<void>,
  ): Promise<ReturnCode> {
    return this.run(msg, async () => {
      for (const options of this.legs(msg, flags, viaBranch)) await body(options)
    })
  }

  /** The options for each of the sets in a row. */
  protected legs(msg: KamailioMessage, flags: Flags, viaBranch: ViaBranch): OfferOptions[] {
    const extra = this.settings.formats.get('extra_id_pv')
    return this.#setsOf(msg).map((set) => ({
      set,
      // A call that is in two sets has a media proxy in each, and one in another set is no place for it.
      leg: String(set),
      rtpengineFlags: flags ?? '',
      extraId: extra === undefined ? null : this.format(extra).evaluate(msg),
      ...(viaBranch && { flagGrammar: 'rtpengine', viaBranch }),
    }))
  }

  /** By `setid_avp`, which goes before what was chosen for the message, else `setid_default`. */
  #setsOf(msg: KamailioMessage): number[] {
    const avp = this.settings.formats.get('setid_avp')
    const value = avp === undefined ? null : this.format(avp).evaluate(msg)
    if (value !== null) return [this.#setId(value)]
    if (!msg.hasSet) return [this.settings.defaultSet]
    return msg.secondSet === undefined ? [msg.set] : [msg.set, msg.secondSet]
  }

  #setId(set: number | string): number {
    const id = typeof set === 'string' && /^[0-9]+$/.test(set.trim()) ? Number(set) : set
    if (typeof id === 'number' && this.client.hasSet(id)) return id
    const context = { command: 'set_rtpengine_set', node: undefined }
    throw new NodeError('ERR_RTPPROXY_SET', `there is no media proxy set ${set}`, context)
  }

  protected write(msg: KamailioMessage, parameter: string, value: string | undefined): void {
    const target = this.settings.targets.get(parameter)
    if (target !== undefined) msg.assign(target, value)
  }
}
