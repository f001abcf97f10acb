import { readReply } from '../../core/ng.ts'
import { NgError, type RtpProxyNgError } from '../../errors.ts'
import type { Exchange, ExchangeFailure, Timing, Transport } from '../../network/transport.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import { failureError } from '../dispatch/failure.ts'
import { CommandTrace, commandChannel } from '../dispatch/trace.ts'

const PING = Buffer.from('d7:command4:pinge')

/** What became of a ping: `error` unless the node answered `pong`, and `failure` if it did not answer at all. */
export interface PingResult {
  readonly error?: RtpProxyNgError
  readonly failure?: ExchangeFailure['kind']
}

/** One ping. */
export class PingExchange implements Exchange {
  readonly datagram = Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), PING])
  readonly #url: string
  readonly #done: (result: PingResult) => void
  #trace: CommandTrace | undefined

  constructor(url: string, done: (result: PingResult) => void) {
    this.#url = url
    this.#done = done
  }

  start(
    transport: Transport,
    timing: Timing,
    owner: { readonly client: object; readonly set: number },
  ): void {
    if (!commandChannel.hasSubscribers) {
      transport.send(this, timing)
      return
    }
    const trace = new CommandTrace({ ...owner, name: 'ping', datagram: this.datagram })
    this.#trace = trace
    trace.begin(() => {
      trace.sent(this.#url, true)
      transport.send(this, timing)
    })
  }

  unanswered(): boolean {
    this.#trace?.sent(this.#url, false)
    return true
  }

  replied(bytes: Buffer, offset: number): void {
    this.#trace?.replied(bytes, offset)
    const context = { command: 'ping', node: this.#url }
    try {
      const { result } = readReply(bytes, offset, 'ping', this.#url)
      const text = `${this.#url} did not answer ping with pong`
      this.#end(result === 'pong' ? {} : { error: new NgError('ERR_RTPPROXY_REPLY', text, context) })
    } catch (error) {
      this.#end({ error: error as RtpProxyNgError })
    }
  }

  failed(failure: ExchangeFailure): void {
    this.#end({ error: failureError(failure, 'ping', this.#url), failure: failure.kind })
  }

  #end(result: PingResult): void {
    if (result.error === undefined) this.#trace?.succeeded('ok')
    else this.#trace?.failed(result.error)
    this.#done(result)
  }
}
