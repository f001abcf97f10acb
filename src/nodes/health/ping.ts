import { readReply } from '../../core/ng.ts'
import { NgError, type RtpProxyNgError } from '../../errors.ts'
import type { Exchange, ExchangeFailure } from '../../network/transport.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import { failureError } from '../dispatch/failure.ts'

const PING = Buffer.from('d7:command4:pinge')

/** One ping: resolves with `pong`, rejects with anything else. */
export class PingExchange implements Exchange {
  readonly datagram = Buffer.concat([Buffer.alloc(COOKIE_LENGTH + 1), PING])
  readonly #url: string
  readonly #resolve: () => void
  readonly #reject: (error: RtpProxyNgError) => void

  constructor(url: string, resolve: () => void, reject: (error: RtpProxyNgError) => void) {
    this.#url = url
    this.#resolve = resolve
    this.#reject = reject
  }

  replied(bytes: Buffer, offset: number): void {
    const context = { command: 'ping', node: this.#url }
    try {
      const reply = readReply(bytes, offset, 'ping', this.#url)
      if (reply.result === 'pong') this.#resolve()
      else
        this.#reject(new NgError('ERR_RTPPROXY_REPLY', `${this.#url} did not answer ping with pong`, context))
    } catch (error) {
      this.#reject(error as RtpProxyNgError)
    }
  }

  failed(failure: ExchangeFailure): void {
    this.#reject(failureError(failure, 'ping', this.#url))
  }
}
