import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'
import { MAX_DATAGRAM } from './udp.ts'

/** After so many unanswered datagrams the stream is asked as well: the reply may be too large for the path. */
const SENDS_BEFORE_STREAM = 2

/**
 * Two ways to one node: a datagram socket, and a stream for what does not fit into datagrams. rtpengine keeps one table of answered
 * cookies for all its sockets, so that a request that goes both ways is executed once, and the first reply counts.
 *
 * A request goes over the stream alone if it, or the reply that is expected, is too large for a datagram; and over both when
 * datagrams stay without an answer, or cannot be sent.
 */
export class PairedTransport implements Transport {
  readonly url: string
  readonly #datagrams: Transport
  readonly #stream: Transport

  constructor(url: string, datagrams: Transport, stream: Transport) {
    this.url = url
    this.#datagrams = datagrams
    this.#stream = stream
  }

  send(exchange: Exchange, timing: Timing): OpenRequest {
    if (exchange.expectsLarge || exchange.datagram.length > MAX_DATAGRAM) {
      const { timeoutMs, attempts } = timing
      return this.#stream.send(exchange, { timeoutMs, attempts })
    }
    return new PairedRequest(exchange, timing, this.#datagrams, this.#stream)
  }

  async refresh(): Promise<void> {
    await Promise.all([this.#datagrams.refresh?.(), this.#stream.refresh?.()])
  }

  async close(): Promise<void> {
    await Promise.all([this.#datagrams.close(), this.#stream.close()])
  }
}

/** One request, as datagrams first. It has failed when both ways have. */
class PairedRequest implements OpenRequest {
  readonly #exchange: Exchange
  readonly #timing: Timing
  readonly #stream: Transport
  #overDatagrams: OpenRequest | undefined
  #overStream: OpenRequest | undefined
  /** What the first of the two ways has failed with. */
  #failure: ExchangeFailure | undefined
  readonly #startedAt = performance.now()

  constructor(exchange: Exchange, timing: Timing, datagrams: Transport, stream: Transport) {
    this.#exchange = exchange
    this.#timing = timing
    this.#stream = stream
    this.#overDatagrams = datagrams.send(
      {
        datagram: exchange.datagram,
        replied: (bytes, offset) => {
          this.#overStream?.cancel()
          exchange.replied(bytes, offset)
        },
        failed: (failure) => {
          this.#overDatagrams = undefined
          this.#datagramsFailed(failure)
        },
        unanswered: (sends) => {
          const goesOn = exchange.unanswered?.(sends) ?? true
          if (goesOn && sends >= SENDS_BEFORE_STREAM) this.#useStream()
          return goesOn
        },
      },
      timing,
    )
  }

  #datagramsFailed(failure: ExchangeFailure): void {
    if (this.#failure !== undefined || failure.kind === 'closed') this.#fail(failure)
    else {
      this.#failure = failure
      this.#useStream()
    }
  }

  #useStream(): void {
    if (this.#overStream !== undefined) return
    const { timeoutMs, attempts } = this.#timing
    const leftMs = Math.max(timeoutMs, timeoutMs * attempts - (performance.now() - this.#startedAt))
    const exchange: Exchange = {
      datagram: this.#exchange.datagram,
      keepsCookie: true,
      replied: (bytes, offset) => {
        this.#overDatagrams?.cancel()
        this.#exchange.replied(bytes, offset)
      },
      failed: (failure) => {
        if (failure.kind === 'closed') this.#fail(failure)
        else if (this.#overDatagrams === undefined) this.#fail(this.#failure!)
        else this.#failure = failure
      },
    }
    this.#overStream = this.#stream.send(exchange, { timeoutMs, attempts: Math.ceil(leftMs / timeoutMs) })
  }

  /** Both ways have failed. What the datagrams met says more of the node: a stream may have been shut by a firewall. */
  #fail(failure: ExchangeFailure): void {
    this.#overDatagrams?.cancel()
    this.#overStream?.cancel()
    this.#exchange.failed(failure)
  }

  cancel(): void {
    this.#overDatagrams?.cancel()
    this.#overStream?.cancel()
  }
}
