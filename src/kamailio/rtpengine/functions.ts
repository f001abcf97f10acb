import { NodeError } from '../../errors.ts'
import type { OfferOptions } from '../../module/calls.ts'
import type { RtpProxyNg } from '../../module/client.ts'
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

  /** `set_rtpengine_set(setid[, setid])`: for this message only; with two, everything goes through both in a row. */
  set_rtpengine_set(
    msg: KamailioMessage,
    set: number | string,
    second?: number | string,
  ): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const ids = [set, second].filter((id) => id !== undefined).map((id) => this.#setId(id))
      msg.set = ids[0]!
      msg.secondSet = ids[1] === ids[0] ? undefined : ids[1]
      msg.hasSet = true
    })
  }

  rtpengine_connect(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'connect', flags, viaBranch)
  }

  start_recording(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'start recording', flags)
  }

  stop_recording(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'stop recording', flags)
  }

  block_dtmf(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'block DTMF', flags)
  }

  unblock_dtmf(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'unblock DTMF', flags)
  }

  block_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'block media', flags)
  }

  unblock_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'unblock media', flags)
  }

  silence_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'silence media', flags)
  }

  unsilence_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'unsilence media', flags)
  }

  start_forwarding(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'start forwarding', flags)
  }

  stop_forwarding(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'stop forwarding', flags)
  }

  stop_media(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'stop media', flags)
  }

  play_dtmf(msg: KamailioMessage, flags?: Flags): Promise<ReturnCode> {
    return this.simple(msg, 'play DTMF', flags)
  }

  rtpengine_unsubscribe(msg: KamailioMessage, flags?: Flags, viaBranch?: ViaBranch): Promise<ReturnCode> {
    return this.simple(msg, 'unsubscribe', flags, viaBranch)
  }

  protected simple(
    msg: KamailioMessage,
    command: NgCommandName,
    flags: Flags,
    viaBranch?: ViaBranch,
  ): Promise<ReturnCode> {
    return this.each(msg, flags, viaBranch, async (options) => {
      await this.client.command(command, msg.message, options)
    })
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
    const first = this.options(msg, flags, viaBranch)
    const second = msg.secondSet
    return second === undefined ? [first] : [first, { ...first, ...inSet(second) }]
  }

  protected options(msg: KamailioMessage, flags: Flags, viaBranch: ViaBranch): OfferOptions {
    const { formats } = this.settings
    const extra = formats.get('extra_id_pv')
    return {
      ...inSet(this.#setOf(msg)),
      rtpengineFlags: flags ?? '',
      extraId: extra === undefined ? null : this.format(extra).evaluate(msg),
      ...(viaBranch && { flagGrammar: 'rtpengine', viaBranch }),
    }
  }

  /** What was chosen for the message, else by `setid_avp`, else `setid_default`. */
  #setOf(msg: KamailioMessage): number {
    if (msg.hasSet) return msg.set
    const avp = this.settings.formats.get('setid_avp')
    const value = avp === undefined ? null : this.format(avp).evaluate(msg)
    return value === null ? this.settings.defaultSet : this.#setId(value)
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

/** A call that is in two sets has a media proxy in each, and one in another set is no place for it. */
function inSet(set: number): { set: number; leg: string } {
  return { set, leg: String(set) }
}
