import type { RtpProxyNgError } from '../errors.ts'
import type { Route } from '../module/manage.ts'
import { SipMessage, type SourceAddress } from '../module/message.ts'
import type { PseudoVariableContext, Target } from './pseudo-variable.ts'

/** What the SIP server knows of a message beside its bytes. */
export interface MessageContext {
  /** The route the message is in; only `'failure'`, and for `rtpengine_manage` `'branch-failure'`, change anything. Default: by the message. */
  readonly route?: Route | undefined
  /** Values of `$avp(name)`. */
  readonly avp?: Readonly<Record<string, string | number>> | undefined
  /** The server's own transaction object, the same for a request and its replies. Default: remembered by the module. */
  readonly transaction?: object | undefined
}

/** A SIP message on its way through the module's functions, which change `buffer`. */
export class KamailioMessage implements PseudoVariableContext {
  readonly route: Route | undefined
  readonly transaction: object | undefined
  /** The set chosen with `set_rtp_proxy_set`; 0 until then. */
  set = 0
  /** Whether it was chosen. */
  hasSet = false
  /** Why the last function returned -1; undefined after one that returned 1. */
  error: RtpProxyNgError | undefined
  /** The second set a message goes through, of `set_rtpengine_set`. */
  secondSet: number | undefined
  readonly #avp: Map<string, string>
  readonly #variables = new Map<string, string>()
  #message: SipMessage

  constructor(bytes: Uint8Array, source: SourceAddress, context: MessageContext) {
    this.#message = SipMessage.parse(bytes, source)
    this.route = context.route
    this.transaction = context.transaction
    this.#avp = new Map(Object.entries(context.avp ?? {}).map(([name, value]) => [name, String(value)]))
  }

  /** The message as it is now. */
  get buffer(): Buffer {
    return this.#message.buffer
  }

  get message(): SipMessage {
    return this.#message
  }

  /** Takes the bytes a function made of the message. */
  replace(bytes: Buffer): void {
    if (bytes !== this.#message.buffer) this.#message = SipMessage.parse(bytes, this.#message.source)
  }

  avp(name: string): string | undefined {
    return this.#avp.get(name)
  }

  variable(key: string): string | undefined {
    return this.#variables.get(key)
  }

  /** Gives a variable a value, or (undefined) takes it away. */
  assign(target: Target, value: string | undefined): void {
    const [values, name] = 'avp' in target ? [this.#avp, target.avp] : [this.#variables, target.key]
    if (value === undefined) values.delete(name)
    else values.set(name, value)
  }
}
