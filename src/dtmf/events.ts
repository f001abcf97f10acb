import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { type DtmfEvent, dtmfEventOf } from './event.ts'
import { type CheckedDtmfOptions, checkDtmfOptions, type DtmfEventsOptions } from './options.ts'
import { DtmfReader } from './reader.ts'
import { Repeats } from './repeats.ts'

export type { DtmfEvent } from './event.ts'
export type { DtmfEventsOptions } from './options.ts'

export interface DtmfCounters {
  /** All that came in, by UDP or `feed`. */
  readonly received: number
  /** Of those: not the data of a DTMF event. */
  readonly malformed: number
  /** Of those: datagrams from an address that is not in `from`. */
  readonly refused: number
  /** Of those: copies of an event that another source had brought. */
  readonly repeated: number
  /** Events that a reader lost because it did not keep up. */
  readonly dropped: number
}

export interface DtmfReaderOptions {
  /** Ends the iteration when aborted, as `break` does. */
  readonly signal?: AbortSignal | undefined
}

/** Longest datagram read. An event takes some 300 bytes; readers may keep a thousand of them. */
const MOST_BYTES = 16_384

/**
 * The keys pressed in the calls of one or more rtpengines, to be read with `for await`. They come as datagrams (rtpengine's
 * `--dtmf-log-dest`, or the key `dtmf-log-dest` of a command) or over TCP control connections (`--dtmf-log-ng-tcp`) through
 * `feed`; an event that comes both ways is read once.
 *
 * Each reader sees every event from the moment it was made, whether it waits for one or not. A reader that is made and never
 * read keeps at most `queueLimit` events, until `close`.
 */
export class DtmfEvents implements AsyncIterable<DtmfEvent>, AsyncDisposable {
  readonly #options: CheckedDtmfOptions
  readonly #repeats: Repeats
  readonly #readers = new Set<DtmfReader>()
  readonly #counters = { received: 0, malformed: 0, refused: 0, repeated: 0, dropped: 0 }
  #socket: Socket | undefined
  #starting: Promise<void> | undefined
  #url: string | undefined
  #closed = false

  /** @throws ConfigurationError that names the option that cannot be used. */
  constructor(options: DtmfEventsOptions = {}) {
    this.#options = checkDtmfOptions(options)
    this.#repeats = new Repeats(this.#options.repeatMs)
  }

  get counters(): DtmfCounters {
    return { ...this.#counters }
  }

  /** What to give rtpengine as `dtmf-log-dest`: `ADDRESS:PORT`. Undefined while not listening. */
  get url(): string | undefined {
    return this.#url
  }

  /** Opens the listener, if one is asked for. Rejects with the system's error if the port cannot be had. */
  start(): Promise<void> {
    this.#starting ??= this.#listen()
    return this.#starting
  }

  async #listen(): Promise<void> {
    const { listen } = this.#options
    if (listen === undefined || this.#closed) return
    const socket = createSocket({
      type: listen.family === 4 ? 'udp4' : 'udp6',
      ipv6Only: listen.family === 6,
    })
    this.#socket = socket
    socket.on('message', this.#datagram)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.once('close', resolve)
        socket.bind({ port: listen.port, address: listen.host }, resolve)
      })
    } catch (error) {
      this.#starting = undefined
      this.#socket = undefined
      socket.close()
      throw error
    }
    if (this.#closed) return
    // A failed read loses one datagram; the socket goes on.
    socket.on('error', () => {})
    const { port } = socket.address()
    this.#url = `${listen.family === 4 ? listen.host : `[${listen.host}]`}:${port}`
  }

  readonly #datagram = (bytes: Buffer, { address }: RemoteInfo): void => {
    const { from } = this.#options
    const host = address.split('%', 1)[0]!
    if (from !== undefined && !from.check(host, host.includes(':') ? 'ipv6' : 'ipv4')) {
      this.#counters.received++
      this.#counters.refused++
    } else this.feed(parsed(bytes), host)
  }

  /**
   * An event that came over a TCP control connection: the decoded `data` of `{notify: 'onDTMF', data}`, its strings as text.
   * Anything else is counted as malformed.
   *
   * @param source tells the connections apart: each brings every event, so with several each needs its own. Any value.
   */
  feed(value: unknown, source: unknown = this): void {
    if (this.#closed) return
    this.#counters.received++
    const event = dtmfEventOf(value)
    if (event === undefined) this.#counters.malformed++
    else if (this.#repeats.isRepeated(event, source, performance.now())) this.#counters.repeated++
    else for (const reader of this.#readers) reader.push(event)
  }

  /** The events of one call; a reader as `[Symbol.asyncIterator]()` gives, for this call alone. */
  of(callId: string, options: DtmfReaderOptions = {}): AsyncIterableIterator<DtmfEvent, undefined> {
    return this.#read(callId, options.signal)
  }

  /** The events of all calls, from here on. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DtmfEvent, undefined> {
    return this.#read(undefined, undefined)
  }

  #read(callId: string | undefined, signal: AbortSignal | undefined): DtmfReader {
    const reader = new DtmfReader({
      callId,
      queueLimit: this.#options.queueLimit,
      signal,
      onDrop: () => {
        this.#counters.dropped++
      },
      onGone: (gone) => this.#readers.delete(gone),
    })
    if (this.#closed) reader.end()
    else if (!reader.ended) this.#readers.add(reader)
    return reader
  }

  /** Stops listening and ends the readers, once they have read what is in their queues. */
  async close(): Promise<void> {
    this.#closed = true
    this.#url = undefined
    for (const reader of this.#readers) reader.end()
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    await new Promise<void>((resolve) => socket.close(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function parsed(bytes: Buffer): unknown {
  if (bytes.length > MOST_BYTES) return undefined
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
