import { optionError, RtpProxyNgError } from '../errors.ts'
import type { RtpProxyNg } from '../module/client.ts'
import type { SourceAddress } from '../module/message.ts'
import { KamailioMessage, type MessageContext } from './message.ts'
import { compilePseudoVariables, type PseudoVariableFormat } from './pseudo-variable.ts'

/** What a function of a module returns to the script: success or failure. */
export type ReturnCode = 1 | -1

/** Enough for the few formats a script asks for. */
const MAX_FORMATS = 256

/** What the modules have in common: functions on a message that return 1 or -1, and keep the reason. */
export abstract class ScriptModule {
  /** The client below: its events, and everything the module has no name for. */
  readonly client: RtpProxyNg
  readonly #formats = new Map<string, PseudoVariableFormat>()

  constructor(client: RtpProxyNg) {
    this.client = client
  }

  /**
   * A message for the functions of the module.
   *
   * @throws SipError if the bytes are no SIP message: such a message never reaches a script.
   */
  message(bytes: Uint8Array, source: SourceAddress, context: MessageContext = {}): KamailioMessage {
    return new KamailioMessage(bytes, source, context)
  }

  /** Why the last function on this message returned -1; undefined if it returned 1. */
  lastError(msg: KamailioMessage): RtpProxyNgError | undefined {
    return msg.error
  }

  async close(): Promise<void> {
    await this.client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  protected format(name: string): PseudoVariableFormat {
    let format = this.#formats.get(name)
    if (format === undefined) {
      format = compilePseudoVariables(name)
      if (this.#formats.size >= MAX_FORMATS) this.#formats.clear()
      this.#formats.set(name, format)
    }
    return format
  }

  /** Runs a function the way a script sees it: 1, or -1 with the reason kept. Our own mistakes are not hidden. */
  protected async run(msg: KamailioMessage, body: () => Promise<void>): Promise<ReturnCode> {
    if (!(msg instanceof KamailioMessage)) {
      throw optionError('msg', 'the message must come from module.message()')
    }
    try {
      await body()
      msg.error = undefined
      return 1
    } catch (error) {
      if (!(error instanceof RtpProxyNgError)) throw error
      msg.error = error
      return -1
    }
  }
}
