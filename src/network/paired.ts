import { LONGEST_MS } from './requests/round-trip.ts'
import type { Exchange, ExchangeFailure, OpenRequest, Timing, Transport } from './transport.ts'
import { MAX_DATAGRAM } from './udp.ts'

/** After so many unanswered datagrams the stream is asked as well: the reply may be too large for the path. */
const SENDS_BEFORE_STREAM = 2

/** Failures that speak of the way over which a request went, and not of the node. */
const NO_WAY: ReadonlySet<ExchangeFailure['kind']> = new Set(['refused', 'unreachable', 'local'])

/**
 * Two ways to one node: a datagram socket, and a stream for what does not fit into datagrams. rtpengine keeps one table of answered
 * cookies for all its sockets, so that a request that goes both ways is executed once, and the first reply counts.
 *
 * A request that is too large for a datagram goes over the stream alone; one whose reply may be, over the stream unless there is none to be
 * had; any other over both when datagrams stay without an answer, or cannot be sent.
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
    if (exchange.datagram.length > MAX_DATAGRAM) {
      const { timeoutMs, attempts } = timing
      const failed = (failure: ExchangeFailure): void => exchange.failed(ofStream(failure))
      return this.#stream.send(through(exchange, failed), { timeoutMs, attempts })
    }
    if (exchange.expectsLarge) return new LargeRequest(exchange, timing, this.#datagrams, this.#stream)
    return new PairedRequest(exchange, timing, this.#datagrams, this.#stream)
  }

  async refresh(): Promise<void> {
    await Promise.all([this.#datagrams.refresh?.(), this.#stream.refresh?.()])
  }

  async close(): Promise<void> {
    await Promise.all([this.#datagrams.close(), this.#stream.close()])
  }
}

/** The same exchange, for which `failed` decides what a failure means. */
function through(exchange: Exchange, failed: (failure: ExchangeFailure) => void): Exchange {
  return {
    datagram: exchange.datagram,
    replied: (bytes, offset) => exchange.replied(bytes, offset),
    failed,
    unanswered: (sends) => exchange.unanswered?.(sends) ?? true,
  }
}

/** What a failure of the stream says: that there is none says nothing of the node, which may well answer all that fits into datagrams. */
function ofStream(failure: ExchangeFailure): ExchangeFailure {
  return NO_WAY.has(failure.kind) ? { kind: 'local', cause: failure.cause } : failure
}

/** One request whose reply may be too large for a datagram. Where there is no stream it may fit all the same. */
class LargeRequest implements OpenRequest {
  #open: OpenRequest

  constructor(exchange: Exchange, timing: Timing, datagrams: Transport, stream: Transport) {
    const { timeoutMs, attempts } = timing
    const startedAt = performance.now()
    const isForgotten = (): boolean => performance.now() - startedAt >= LONGEST_MS
    const failed = (failure: ExchangeFailure): void => {
      if (!NO_WAY.has(failure.kind) || isForgotten()) {
        exchange.failed(ofStream(failure))
        return
      }
      const again: Exchange = {
        ...through(exchange, (last) => exchange.failed(last)),
        keepsCookie: true,
        unanswered: (sends) => !isForgotten() && (exchange.unanswered?.(sends) ?? true),
      }
      this.#open = datagrams.send(again, timing)
    }
    this.#open = stream.send(through(exchange, failed), { timeoutMs, attempts })
  }

  cancel(): void {
    this.#open.cancel()
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
      if (this.#overStream === undefined) this.#fail(failure)
    }
  }

  #useStream(): void {
    const ageMs = performance.now() - this.#startedAt
    if (this.#overStream !== undefined || ageMs >= LONGEST_MS) return
    const { timeoutMs, attempts } = this.#timing
    const leftMs = Math.max(timeoutMs, timeoutMs * attempts - ageMs)
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
