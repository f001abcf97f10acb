import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { RtpProxyNg } from '../../src/module/client.ts'
import { freePort } from '../free-port.ts'

/** Where a program is, or undefined; the reason why its tests are skipped is printed. */
export function findProgram(name: string, debianPackage: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
  } catch {
    console.warn(`SKIPPED: ${name} is not installed (Debian package ${debianPackage})`)
    return undefined
  }
}

interface Listeners {
  readonly url: string
  readonly tcp: string
  readonly http: string
}

/** A real rtpengine in user space, on free loopback ports. */
export class RtpEngine {
  readonly url: string
  readonly tcpUrl: string
  readonly httpUrl: string
  readonly wsUrl: string
  readonly #child: ChildProcess
  readonly #directory: string
  #log = ''

  private constructor(listeners: Listeners, child: ChildProcess, directory: string) {
    this.url = listeners.url
    this.tcpUrl = `tcp:${listeners.tcp}`
    this.httpUrl = `http://${listeners.http}/ng`
    this.wsUrl = `ws://${listeners.http}`
    this.#child = child
    this.#directory = directory
    child.stderr?.on('data', (text) => {
      this.#log += text
    })
  }

  /**
   * @param media first port of the 4000 it uses for media: no two may share them.
   * @param ngPort where another listened before; default: any free one.
   * @param more further arguments.
   */
  static async start(
    media: number,
    addresses: readonly string[] = ['127.0.0.1'],
    ngPort?: number,
    more: readonly string[] = [],
  ): Promise<RtpEngine> {
    const address = addresses[0]!
    const at = (port: number) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
    const listen = at(ngPort ?? (await freePort(address)))
    const [tcp, http] = [at(await freePort(address)), at(await freePort(address))]
    const directory = mkdtempSync(join(tmpdir(), 'rtpengine-'))
    const child = spawn(
      'rtpengine',
      [
        '--foreground',
        '--log-stderr',
        '--log-level=4',
        '--table=-1',
        '--config-file=none',
        ...addresses.map((one) => `--interface=${one}`),
        `--listen-ng=${listen}`,
        `--listen-tcp-ng=${tcp}`,
        `--listen-http=${http}`,
        `--port-min=${media}`,
        `--port-max=${media + 3999}`,
        '--delete-delay=0',
        `--pidfile=${join(directory, 'pid')}`,
        ...more,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const url = `${address.includes(':') ? 'udp6' : 'udp'}:${listen}`
    const engine = new RtpEngine({ url, tcp, http }, child, directory)
    await engine.#ready()
    return engine
  }

  /** What it has said since it was started. */
  get log(): string {
    return this.#log
  }

  /** Pings until it answers; each refused ping shows at once that it is not yet there. */
  async #ready(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (this.#child.exitCode !== null) throw new Error(`rtpengine ended: ${this.#log}`)
      await using media = new RtpProxyNg({ sockets: this.url, timeoutMs: 200, attempts: 1 })
      await media.start()
      if (media.show()[0]?.disabled === false) return
      await delay(50)
    }
    throw new Error(`rtpengine does not answer: ${this.#log}`)
  }

  /** Ends it without a word to anybody; `stop` cleans up. */
  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  /** Stops it where it stands, or (SIGCONT) lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exit
    }
    rmSync(this.#directory, { recursive: true })
  }
}
