import { loadRtpengine, type RtpengineModule } from '../../../src/kamailio/rtpengine/module.ts'
import type { RtpengineParameters } from '../../../src/kamailio/rtpengine/parameters.ts'
import { ScriptedProxy } from '../../media-proxy.ts'
import { Kamailio } from './kamailio.ts'

/** Kamailio's module and `loadRtpengine` with the same parameters, each with a media proxy of its own. */
export class Both {
  readonly theirs = new ScriptedProxy()
  readonly ours = new ScriptedProxy()
  #kamailio: Kamailio | undefined
  #module: RtpengineModule | undefined

  get kamailio(): Kamailio {
    return this.#kamailio!
  }

  get module(): RtpengineModule {
    return this.#module!
  }

  /** @param variables AVPs whose values are wanted of Kamailio. */
  async start(
    functions: readonly string[],
    parameters: Readonly<Record<string, string>>,
    variables?: readonly string[],
  ): Promise<void> {
    const [theirs, ours] = [await this.theirs.listenUdp(), await this.ours.listenUdp()]
    const own = { rtpengine_sock: `0 == udp:127.0.0.1:${theirs}`, ...parameters }
    this.#kamailio = await Kamailio.start(functions, own, variables)
    const same: RtpengineParameters = { rtpengine_sock: [`0 == udp:127.0.0.1:${ours}`], ...parameters }
    this.#module = await loadRtpengine(same)
  }

  async stop(): Promise<void> {
    await this.#kamailio?.stop()
    await this.#module?.close()
    await this.theirs.close()
    await this.ours.close()
  }
}
