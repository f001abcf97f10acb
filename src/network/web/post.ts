import type { ClientRequest, IncomingMessage } from 'node:http'
import type { ExchangeFailure } from '../transport.ts'
import { failureOf } from './failure.ts'

/** Most bytes of a reply. */
const MAX_BODY = 1 << 20
/** How much of an unwelcome answer its error shows. */
const SHOWN_CHARACTERS = 200

/** What became of a POST: one of `replied` and `failed`, unless it was abandoned, then `closed`. */
export interface PostOutcome {
  /** With status 200. */
  replied(body: Buffer): void
  /** @param isBroken whether the connection ended before the reply was whole: one that was kept may have gone stale, a proxy restarted. */
  failed(failure: ExchangeFailure, isBroken: boolean): void
  closed(): void
}

/** Sends `body` as that of `request`, and listens to what comes back. */
export class Post {
  readonly #request: ClientRequest
  readonly #outcome: PostOutcome
  #isOver = false

  constructor(request: ClientRequest, body: Buffer, outcome: PostOutcome) {
    this.#request = request
    this.#outcome = outcome
    request.on('response', (response) => this.#read(response))
    request.on('error', (cause) => this.#fail(cause))
    request.on('close', () => {
      this.#fail(Object.assign(new Error('connection closed without a reply'), { code: 'ECONNRESET' }))
      outcome.closed()
    })
    request.end(body)
  }

  #read(response: IncomingMessage): void {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= MAX_BODY) chunks.push(chunk)
      else this.#request.destroy(new Error(`a reply of more than ${MAX_BODY} bytes`))
    })
    response.on('error', (cause) => this.#fail(cause))
    response.on('end', () => {
      const body = Buffer.concat(chunks)
      if (response.statusCode !== 200) this.#fail(statusError(response, body))
      else if (this.#end()) this.#outcome.replied(body)
    })
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    return true
  }

  #fail(cause: NodeJS.ErrnoException): void {
    if (!this.#end()) return
    this.#outcome.failed(failureOf(cause), cause.code === 'ECONNRESET' || cause.code === 'EPIPE')
  }

  /** Nobody waits for it any more. Its connection, unless it is done with it, goes as well. */
  abandon(): void {
    if (this.#end()) this.#request.destroy()
  }
}

function statusError({ statusCode, statusMessage }: IncomingMessage, body: Buffer): Error {
  // One line, whatever the peer has written: it goes into messages and logs.
  const text = body
    .toString('utf8', 0, 4 * SHOWN_CHARACTERS)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .slice(0, SHOWN_CHARACTERS)
  return new Error(`HTTP status ${`${statusCode} ${statusMessage}`.trim()}: ${text.trim()}`)
}
