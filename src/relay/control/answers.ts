import { NgError, SdpError } from '../../errors.ts'
import { encodeReply, type Reply, Request } from '../request.ts'
import { cookieOf, type Message, type Origin, type Receiver } from './message.ts'

/** How long an answered cookie is remembered at least, and half of how long at most: as rtpengine does. */
const GENERATION_MS = 30_000
/** Memory for the replies of one generation, and what one takes beside its own bytes. */
const GENERATION_BYTES = 8 * 1024 * 1024
const ENTRY_BYTES = 300
/** Commands under way; more are dropped, and their senders send again. */
const MAX_OPEN = 1000

/** Carries out one command. Undefined: it gets no reply. */
export type Execute = (request: Request, origin: Origin) => Promise<Reply | undefined>

/** The payload of a reply; undefined: none is sent. */
type Payload = Promise<Buffer | undefined>

/** The replies of the last minute by cookie: a command that is sent again gets its reply again and is not done twice. */
class AnsweredCookies {
  #recent = new Map<string, Payload>()
  #older = new Map<string, Payload>()
  #bytes = 0
  #since = performance.now()

  find(cookie: string): Payload | undefined {
    const age = performance.now() - this.#since
    if (age >= GENERATION_MS) this.#turn()
    if (age >= 2 * GENERATION_MS) this.#turn()
    return this.#recent.get(cookie) ?? this.#older.get(cookie)
  }

  add(cookie: string, payload: Payload): void {
    this.#recent.set(cookie, payload)
    void payload.then((bytes) => {
      this.#bytes += (bytes?.length ?? 0) + cookie.length + ENTRY_BYTES
      if (this.#bytes > GENERATION_BYTES) this.#turn()
    })
  }

  #turn(): void {
    this.#older = this.#recent
    this.#recent = new Map()
    this.#bytes = 0
    this.#since = performance.now()
  }
}

/** Reads commands, has them carried out and words the replies: one for all carriers, as cookies count for all of them. */
export class Answers implements Receiver {
  readonly #execute: Execute
  readonly #onFailure: (error: unknown) => void
  readonly #cookies = new AnsweredCookies()
  #open = 0

  /** `onFailure` is told of errors that are neither the client's nor the network's. */
  constructor(execute: Execute, onFailure: (error: unknown) => void) {
    this.#execute = execute
    this.#onFailure = onFailure
  }

  /** Whether a command with this cookie has been seen in the last half minute or more. */
  knows(cookie: string): boolean {
    return this.#cookies.find(cookie) !== undefined
  }

  /** What has no cookie, where there should be one, cannot be answered. */
  receive({ carrier, bytes, isPlain, reply }: Message): void {
    const cookie = isPlain ? undefined : cookieOf(bytes)
    if (cookie === undefined && !isPlain) return
    const head = bytes.subarray(0, cookie === undefined ? 0 : cookie.length + 1)
    const payload = this.#payload(bytes.subarray(head.length), { carrier, cookie })
    void payload?.then((answer) => {
      if (answer !== undefined) reply(Buffer.concat([head, answer]))
    })
  }

  #payload(payload: Buffer, origin: Origin): Payload | undefined {
    const { cookie } = origin
    const known = cookie === undefined ? undefined : this.#cookies.find(cookie)
    if (known !== undefined || this.#open >= MAX_OPEN) return known
    const answer = this.#answer(payload, origin)
    if (cookie !== undefined) this.#cookies.add(cookie, answer)
    return answer
  }

  async #answer(payload: Buffer, origin: Origin): Payload {
    this.#open++
    const isJson = payload[0] === 0x7b
    try {
      const reply = await this.#execute(new Request(payload), origin)
      return reply && encodeReply(reply, isJson)
    } catch (error) {
      return encodeReply(this.#errorReply(error), isJson)
    } finally {
      this.#open--
    }
  }

  #errorReply(error: unknown): Reply {
    if (error instanceof NgError) return { result: 'error', 'error-reason': error.reason }
    if (error instanceof SdpError) return { result: 'error', 'error-reason': 'Failed to parse SDP' }
    this.#onFailure(error)
    return { result: 'error', 'error-reason': 'Internal error' }
  }
}
