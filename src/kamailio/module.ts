import { NodeError, SipError } from '../errors.ts'
import { enableText, showText } from '../management/text.ts'
import { RtpProxyNg } from '../module/client.ts'
import type { RtpProxyNgOptions } from '../module/options/options.ts'
import type { KamailioMessage } from './message.ts'
import { checkParameters, type ModuleParametersInput, readConfiguration } from './parameters.ts'
import { compilePseudoVariables, type PseudoVariableFormat } from './pseudo-variable.ts'
import { type ReturnCode, ScriptModule } from './script.ts'

/** What the module has no parameter for: everything of `RtpProxyNg` beyond it, off unless asked for. */
export type BeyondModule = Omit<
  RtpProxyNgOptions,
  'sockets' | 'timeoutMs' | 'attempts' | 'disableMs' | 'extraId'
>

/** Kamailio's `rtpproxy-ng` under its own names. Made by `loadModule`. */
export class KamailioModule extends ScriptModule {
  readonly #extraId: PseudoVariableFormat | undefined

  /** @throws ConfigurationError */
  constructor(input: ModuleParametersInput, beyond: BeyondModule = {}) {
    const parameters = checkParameters(input)
    const format = parameters.extra_id_pv
    const client = new RtpProxyNg({
      // The module balances every command by itself.
      affinity: false,
      ...beyond,
      sockets: parameters.rtpproxy_sock,
      timeoutMs: parameters.rtpproxy_tout * 1000,
      attempts: parameters.rtpproxy_retr,
      disableMs: parameters.rtpproxy_disable_tout * 1000,
    })
    super(client)
    this.#extraId = format ? compilePseudoVariables(format) : undefined
  }

  /** `rtpproxy_offer([flags[, ip_address]])` */
  rtpproxy_offer(msg: KamailioMessage, flags?: string | null, ip?: string | null): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { message } = await this.client.offer(msg.message, this.#options(msg, flags, ip))
      msg.replace(message)
    })
  }

  /** `rtpproxy_answer([flags[, ip_address]])` */
  rtpproxy_answer(msg: KamailioMessage, flags?: string | null, ip?: string | null): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { message } = await this.client.answer(msg.message, this.#options(msg, flags, ip))
      msg.replace(message)
    })
  }

  /** `rtpproxy_destroy([flags])` */
  rtpproxy_destroy(msg: KamailioMessage, flags?: string | null): Promise<ReturnCode> {
    return this.run(msg, async () => {
      await this.client.destroy(msg.message, this.#options(msg, flags))
    })
  }

  /** `unforce_rtp_proxy([flags])`, the older name of `rtpproxy_destroy`. */
  unforce_rtp_proxy(msg: KamailioMessage, flags?: string | null): Promise<ReturnCode> {
    return this.rtpproxy_destroy(msg, flags)
  }

  /** `rtpproxy_manage([flags[, ip_address]])` */
  rtpproxy_manage(msg: KamailioMessage, flags?: string | null, ip?: string | null): Promise<ReturnCode> {
    return this.run(msg, async () => {
      const { command, message } = await this.client.manage(msg.message, {
        ...this.#options(msg, flags, ip),
        route: msg.route,
        transaction: msg.transaction,
      })
      if (command === null) {
        const what = msg.message.cseqMethod ?? 'a message without CSeq'
        throw new SipError(
          'ERR_RTPPROXY_NOT_APPLICABLE',
          `rtpproxy_manage has nothing to do for this ${what}`,
        )
      }
      msg.replace(message)
    })
  }

  /** `start_recording()` */
  start_recording(msg: KamailioMessage): Promise<ReturnCode> {
    return this.run(msg, async () => {
      await this.client.startRecording(msg.message, { set: msg.set })
    })
  }

  /** `set_rtp_proxy_set(setid)`: for this message only. An unknown set leaves the message on set 0. */
  set_rtp_proxy_set(msg: KamailioMessage, set: number | string): Promise<ReturnCode> {
    return this.run(msg, async () => {
      msg.set = 0
      const id = typeof set === 'string' && /^[0-9]+$/.test(set.trim()) ? Number(set) : set
      if (typeof id !== 'number' || !this.client.hasSet(id)) {
        const context = { command: 'set_rtp_proxy_set', node: undefined }
        throw new NodeError('ERR_RTPPROXY_SET', `there is no media proxy set ${set}`, context)
      }
      msg.set = id
    })
  }

  /**
   * A pseudo-variable: `$rtpstat`, or any that `extra_id_pv` takes. Null when it has no value; `lastError` says why.
   *
   * @throws ConfigurationError for a variable that is not supported.
   */
  async pv(msg: KamailioMessage, name: string): Promise<string | null> {
    if (name !== '$rtpstat') return this.format(name).evaluate(msg)
    let text: string | null = null
    await this.run(msg, async () => {
      text = (await this.client.statistics(msg.message, { set: msg.set })).text
    })
    return text
  }

  /** A management command; returns what the module prints. */
  mi(command: string, ...args: readonly string[]): string {
    if (command === 'nh_show_rtpp') return showText(this.client.show())
    if (command === 'nh_enable_rtpp') return enableText(this.client, args[0], args[1])
    return `500 command '${command}' not available\n\n`
  }

  #options(msg: KamailioMessage, flags?: string | null, ip?: string | null) {
    return {
      set: msg.set,
      flags: flags ?? '',
      // Only flag `b` asks for it.
      extraId: /b/i.test(flags ?? '') ? (this.#extraId?.evaluate(msg) ?? null) : null,
      address: ip || undefined,
    }
  }
}

/**
 * Loads the module and pings its media proxies.
 *
 * @param parameters the `modparam` values as an object, or the text of a kamailio.cfg, whose
 * `modparam("rtpproxy-ng", ...)` lines are taken.
 * @param beyond options of `RtpProxyNg` that the module has no parameter for, such as `affinity`, which is off here by default.
 * @throws ConfigurationError that names the parameter, and the line in a text.
 */
export async function loadModule(
  parameters: ModuleParametersInput | string,
  beyond: BeyondModule = {},
): Promise<KamailioModule> {
  const module = new KamailioModule(
    typeof parameters === 'string' ? readConfiguration(parameters) : parameters,
    beyond,
  )
  await module.client.start()
  return module
}
