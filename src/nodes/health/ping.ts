import { readReply } from '../../core/ng.ts'
import { NgError, type RtpProxyNgError } from '../../errors.ts'
import type { Exchange, ExchangeFailure } from '../../network/transport.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import { failureError } from '../dispatch/failure.ts'

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

  constructor(url: string, done: (result: PingResult) => void) {
    this.#url = url
    this.#done = done
  }

  replied(bytes: Buffer, offset: number): void {
    const context = { command: 'ping', node: this.#url }
    try {
      const { result } = readReply(bytes, offset, 'ping', this.#url)
      const text = `${this.#url} did not answer ping with pong`
      this.#done(result === 'pong' ? {} : { error: new NgError('ERR_RTPPROXY_REPLY', text, context) })
    } catch (error) {
      this.#done({ error: error as RtpProxyNgError })
    }
  }

  failed(failure: ExchangeFailure): void {
    this.#done({ error: failureError(failure, 'ping', this.#url), failure: failure.kind })
  }
}
