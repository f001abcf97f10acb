import { NodeError } from '../errors.ts'
import { type Carrier, cookieOf, type Message, type Origin } from '../relay/control/message.ts'
import { Request } from '../relay/request.ts'

/** One message that came in. */
export interface ReceivedCommand {
  /** Undefined if the message could not be read, or names none. */
  readonly command: string | undefined
  /** Its keys with hyphens and in small letters (`media-address`, `ice`), `command` left out. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Undefined where there are no cookies. */
  readonly cookie: string | undefined
  readonly transport: Carrier
  /** Its cookie is known: it was sent again, and is answered as before without being carried out. */
  readonly repeated: boolean
}

const MAX_COMMANDS = 10_000

interface Waiter {
  readonly matches: (command: ReceivedCommand) => boolean
  readonly resolve: (command: ReceivedCommand) => void
  readonly fail: (code: 'ERR_RTPPROXY_TIMEOUT' | 'ERR_RTPPROXY_CLOSED', message: string) => void
}

/** What came in, and those who wait for something to come in. */
export class CommandLog {
  readonly commands: ReceivedCommand[] = []
  /** Those that `next` may still hand out. */
  readonly #fresh = new Set<ReceivedCommand>()
  readonly #waiters = new Set<Waiter>()

  add(command: ReceivedCommand): void {
    this.commands.push(command)
    if (this.commands.length > MAX_COMMANDS) this.#fresh.delete(this.commands.shift()!)
    if (command.repeated) return
    const waiter = [...this.#waiters].find(({ matches }) => matches(command))
    if (waiter === undefined) this.#fresh.add(command)
    else waiter.resolve(command)
  }

  /** The first command that matches and that no earlier call got: one that is there, or that comes in time. */
  next(name: string, timeoutMs: number): Promise<ReceivedCommand> {
    const matches = ({ command }: ReceivedCommand): boolean => command === name
    const ready = [...this.#fresh].find(matches)
    if (ready !== undefined) {
      this.#fresh.delete(ready)
      return Promise.resolve(ready)
    }
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        matches,
        resolve: (command) => {
          done()
          resolve(command)
        },
        fail: (code, message) => {
          done()
          reject(new NodeError(code, message, { command: name, node: undefined }))
        },
      }
      const timer = setTimeout(() => {
        waiter.fail('ERR_RTPPROXY_TIMEOUT', `no '${name}' came within ${timeoutMs} ms`)
      }, timeoutMs)
      this.#waiters.add(waiter)
    })
  }

  clear(): void {
    this.commands.length = 0
    this.#fresh.clear()
  }

  /** Tells those who wait that nothing will come. */
  close(): void {
    for (const waiter of this.#waiters) waiter.fail('ERR_RTPPROXY_CLOSED', 'the engine was closed')
  }
}

/** How `message` stands in the log; undefined for one without the cookie it needs, which the engine does not see. */
export function receivedCommand(
  { carrier, bytes, isPlain }: Message,
  knows: (cookie: string) => boolean,
): ReceivedCommand | undefined {
  const cookie = isPlain ? undefined : cookieOf(bytes)
  if (cookie === undefined && !isPlain) return undefined
  const repeated = cookie !== undefined && knows(cookie)
  try {
    const request = new Request(bytes.subarray(cookie === undefined ? 0 : cookie.length + 1))
    return { ...describeRequest(request, { carrier, cookie }), repeated }
  } catch {
    return {
      command: undefined,
      parameters: {},
      cookie: cookie && readable(cookie),
      transport: carrier,
      repeated,
    }
  }
}

/** What a request says, for people to read. */
export function describeRequest(request: Request, { carrier, cookie }: Origin): ReceivedCommand {
  const { command, ...parameters } = Object.fromEntries(request.entries)
  return {
    command: typeof command === 'string' ? readable(command) : undefined,
    parameters: plain(parameters) as Record<string, unknown>,
    cookie: cookie && readable(cookie),
    transport: carrier,
    repeated: false,
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return readable(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [readable(key), plain(item)]))
}

/** Requests hold strings as bytes in latin1. */
function readable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}
