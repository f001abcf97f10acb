import { setTimeout as delay } from 'node:timers/promises'
import { Answers } from '../relay/control/answers.ts'
import { closeAll, listenAll } from '../relay/control/listener.ts'
import type { Listener, Message, Origin, Receiver } from '../relay/control/message.ts'
import type { RelaySettings } from '../relay/options.ts'
import { type Reply, type Request, refusal } from '../relay/request.ts'
import { EngineCommands } from './commands/engine-commands.ts'
import { type CommandLog, describeRequest, receivedCommand } from './log.ts'
import type { Scripts } from './script.ts'

/** How often idle calls are looked for, in milliseconds. */
const SWEEP_MS = 1000

/** One run of the engine, from start to stop: its calls and cookies do not outlive it. */
export class EngineProcess implements Receiver {
  readonly commands: EngineCommands
  readonly #scripts: Scripts
  readonly #log: CommandLog
  readonly #answers: Answers
  readonly #stopped = new AbortController()
  readonly #sweep: NodeJS.Timeout
  #listeners: readonly Listener[] = []

  constructor(
    settings: RelaySettings,
    scripts: Scripts,
    log: CommandLog,
    onFailure: (error: unknown) => void,
  ) {
    this.#scripts = scripts
    this.#log = log
    this.commands = new EngineCommands(settings, {
      created: () => undefined,
      deleted: () => undefined,
      timedOut: () => undefined,
    })
    this.#answers = new Answers((request, origin) => this.#execute(request, origin), onFailure)
    const { idleTimeoutMs, silentTimeoutMs } = settings
    const sweepMs = Math.min(idleTimeoutMs, silentTimeoutMs, SWEEP_MS)
    this.#sweep = setInterval(() => void this.commands.expire(), sweepMs).unref()
  }

  get listeners(): readonly Listener[] {
    return this.#listeners
  }

  async listen<Address>(
    addresses: readonly Address[],
    open: (address: Address) => Promise<Listener>,
  ): Promise<void> {
    this.#listeners = await listenAll(addresses, open)
  }

  receive(message: Message): void {
    const received = receivedCommand(message, (cookie) => this.#answers.knows(cookie))
    this.#answers.receive(message)
    if (received !== undefined) this.#log.add(received)
  }

  async #execute(request: Request, origin: Origin): Promise<Reply | undefined> {
    const scripted = this.#scripts.for(describeRequest(request, origin))
    if (scripted.delayMs !== undefined && !(await this.#waited(scripted.delayMs))) return undefined
    if (scripted.silent === true) return undefined
    if (scripted.error !== undefined) throw refusal(scripted.error)
    if (scripted.reply !== undefined) return scripted.reply
    const reply = await this.commands.execute(request)
    return scripted.silent === 'after' ? undefined : { ...reply, ...scripted.with }
  }

  /** False when the engine was stopped meanwhile. */
  async #waited(ms: number): Promise<boolean> {
    try {
      await delay(ms, undefined, { signal: this.#stopped.signal })
      return true
    } catch {
      return false
    }
  }

  /** Ends it as a crash does: calls, cookies and connections are gone, and nobody is told. */
  async stop(): Promise<void> {
    clearInterval(this.#sweep)
    this.#stopped.abort()
    await closeAll(this.#listeners)
    await this.commands.close()
  }
}
