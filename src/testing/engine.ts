import { optionError, RtpProxyNgError } from '../errors.ts'
import { listen } from '../relay/control/listener.ts'
import type { Listener } from '../relay/control/message.ts'
import {
  checkOptions,
  type EmbeddedRelayOptions,
  type ListenAddress,
  type RelaySettings,
} from '../relay/options.ts'
import { type FakeCall, fakeCall } from './calls.ts'
import { checkScripted, checkWeather } from './checks.ts'
import { type DtmfEvent, notifyDtmf } from './dtmf.ts'
import { CommandLog, type ReceivedCommand } from './log.ts'
import { Network } from './network/network.ts'
import type { Weather } from './network/weather.ts'
import { EngineProcess } from './process.ts'
import { type Script, type Scripted, type ScriptOptions, Scripts } from './script.ts'
import { parseWebAddress, type WebAddress } from './web/address.ts'
import { listenWeb } from './web/http.ts'

/** What `new FakeRtpEngine` takes: that of `EmbeddedRelay`, and more. */
export interface FakeRtpEngineOptions extends EmbeddedRelayOptions {
  /**
   * That of `EmbeddedRelay`, and `http:ADDRESS:PORT`, and `ws:ADDRESS:PORT`, which takes HTTP as well. Default
   * `udp:127.0.0.1:0`.
   */
  readonly listen?: string | readonly string[]
  /** Decides the weather: an integer of 32 bits. Default 1. */
  readonly seed?: number
}

/**
 * An rtpengine for tests, in this process. It is the embedded relay, and beyond that speaks every transport that rtpengine
 * has, answers its other commands, and does on request what goes wrong in production: errors, silence, loss, a freeze,
 * a crash. What it is told by commands beyond the relay's it only remembers: it records, plays and blocks nothing.
 */
export class FakeRtpEngine {
  readonly #settings: { -readonly [key in keyof RelaySettings]: RelaySettings[key] }
  readonly #scripts = new Scripts()
  readonly #log = new CommandLog()
  readonly #network: Network
  readonly #failures: unknown[] = []
  /** Where it listens; with the ports that it got once it has listened. */
  #addresses: readonly (ListenAddress | WebAddress)[]
  #urls: readonly string[] = []
  #run: EngineProcess | undefined
  /** Ends with the start, stop or close that was asked for last. */
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /** @throws ConfigurationError that names the option or URL that is wrong. */
  constructor({ listen: urls = 'udp:127.0.0.1:0', seed = 1, ...options }: FakeRtpEngineOptions = {}) {
    if (!Number.isInteger(seed)) {
      throw optionError('seed', `seed must be a whole number, not ${seed}`)
    }
    this.#addresses = [urls]
      .flat()
      .map((url) => parseWebAddress(url) ?? checkOptions({ listen: url }).listen[0]!)
    this.#settings = { ...checkOptions(options) }
    this.#network = new Network({ receive: (message) => this.#run?.receive(message) }, seed)
  }

  /** Where it listens, ports filled in: strings that `sockets` of `RtpProxyNg` takes. Empty before the first `start`. */
  get urls(): readonly string[] {
    return this.#urls
  }

  /** The messages that came in, in order: the last 10,000, those that were sent again too, pings too. */
  get commands(): readonly ReceivedCommand[] {
    return this.#log.commands
  }

  /** The calls as they stand. */
  get calls(): FakeCall[] {
    return [...(this.#run?.commands.calls.values() ?? [])].map(fakeCall)
  }

  /** How many calls there may be: option `maxSessions`, or 0 for none. The next one is over the load limit. */
  get loadLimit(): number {
    return this.#settings.maxSessions
  }

  set loadLimit(calls: number) {
    this.#settings.maxSessions = calls === 0 ? 0 : checkOptions({ maxSessions: calls }).maxSessions
  }

  /**
   * Starts it, or starts it again at the same ports.
   *
   * @throws ConfigurationError `ERR_RTPPROXY_URL` if it cannot listen, `ERR_RTPPROXY_OPTION` if `ws:` needs the package `ws`.
   * @throws RtpProxyNgError `ERR_RTPPROXY_CLOSED` after `close`.
   */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isClosed) throw new RtpProxyNgError('ERR_RTPPROXY_CLOSED', 'the engine is closed')
      if (this.#run !== undefined) return
      // The first says what went wrong; the others may follow from it.
      const fail = (error: unknown): void => {
        if (this.#failures.length === 0) this.#failures.push(error)
      }
      const run = new EngineProcess(this.#settings, this.#scripts, this.#log, fail)
      try {
        await run.listen(this.#addresses, (address) => this.#open(address, fail))
      } catch (error) {
        await run.stop()
        throw error
      }
      this.#run = run
      this.#urls = run.listeners.map(({ url }) => url)
      this.#addresses = this.#addresses.map((address, index) =>
        address.carrier === 'unix' ? address : { ...address, port: run.listeners[index]!.port },
      )
    })
  }

  #open(address: ListenAddress | WebAddress, fail: (error: unknown) => void): Promise<Listener> {
    return isWeb(address) ? listenWeb(address, this.#network) : listen(address, this.#network, fail)
  }

  /** Ends it as a crash does: calls, cookies and connections are gone, and nobody is told. `start` starts it again. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const run = this.#run
      this.#run = undefined
      this.#network.clear()
      await run?.stop()
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /**
   * Has commands answered differently: those of a name, or what a function decides for each. Scripts are asked in the order
   * they were set in, and the first that has an answer counts. Returns what takes the script away again.
   *
   * @throws ConfigurationError that names what is wrong; of what a function returns, `close` rejects with it.
   */
  script(command: string, scripted: Scripted, options?: ScriptOptions): () => void
  script(script: Script, options?: ScriptOptions): () => void
  script(
    which: string | Script,
    scripted: Scripted | ScriptOptions = {},
    options: ScriptOptions = {},
  ): () => void {
    if (typeof which === 'function') return this.#scripts.add(which, scripted as ScriptOptions)
    if (typeof which !== 'string')
      throw optionError('script', 'script takes the name of a command, or a function')
    checkScripted(scripted)
    const script: Script = ({ command }) => (command === which ? (scripted as Scripted) : undefined)
    return this.#scripts.add(script, options)
  }

  /**
   * Changes what happens to datagrams from the next one on; `{}` is fair weather. Streams are not affected.
   *
   * @throws ConfigurationError that names what is wrong.
   */
  weather(weather: Weather): void {
    checkWeather(weather)
    this.#network.weather = weather
  }

  /**
   * The first command of this name that no earlier `received` got: one that came already, or else comes in time. One that
   * is sent again does not count.
   *
   * @throws NodeError `ERR_RTPPROXY_TIMEOUT` after `timeoutMs` (default 5000), `ERR_RTPPROXY_CLOSED` when the engine is closed.
   */
  received(
    command: string,
    { timeoutMs = 5000 }: { readonly timeoutMs?: number } = {},
  ): Promise<ReceivedCommand> {
    return this.#log.next(command, timeoutMs)
  }

  /** Forgets the commands that came in. */
  forget(): void {
    this.#log.clear()
  }

  /** Stands still, as under SIGSTOP: its sockets are open, but nothing is read, done or sent. */
  freeze(): void {
    this.#network.freeze()
  }

  /** Goes on with all that has come in meanwhile, as under SIGCONT: up to 1,000 messages. */
  thaw(): void {
    this.#network.thaw()
  }

  /**
   * Tells of a DTMF digit as if it had come in by RTP: to every TCP connection, and as JSON by UDP to the `dtmf-log-dest`
   * of the call.
   *
   * @throws RangeError when there is no such digit, call or tag.
   */
  dtmf(event: DtmfEvent): Promise<void> {
    return notifyDtmf(this.#run, event)
  }

  /**
   * Stops it for good; nothing of it is left. Safe to call twice.
   *
   * @throws what a script threw meanwhile, so that an assertion in a script makes its test fail.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.stop()
    this.#log.close()
    const failures = this.#failures.splice(0)
    if (failures.length > 0) throw failures[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function isWeb(address: ListenAddress | WebAddress): address is WebAddress {
  return address.carrier === 'http' || address.carrier === 'websocket'
}
