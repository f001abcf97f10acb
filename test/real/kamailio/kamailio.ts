import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../free-port.ts'

/**
 * A real Kamailio with its module `rtpengine`. It runs the function that a message names in its header X-Function, with the flags in
 * X-Flags, and sends the message on to where this listens, with the return code in X-Code and the wanted variables in headers of
 * their names.
 */
export class Kamailio {
  /** Where it listens, and where its messages come out. */
  readonly port: number
  readonly peerPort: number
  readonly #peer: Socket
  readonly #child: ChildProcess
  readonly #directory: string
  readonly #waiting = new Map<string, (message: string) => void>()
  #log = ''

  private constructor(port: number, peer: Socket, child: ChildProcess, directory: string) {
    this.port = port
    this.#peer = peer
    this.peerPort = peer.address().port
    this.#child = child
    this.#directory = directory
    child.stderr?.on('data', (text) => {
      this.#log += text
    })
    peer.on('message', (bytes) => {
      const message = bytes.toString('latin1')
      this.#waiting.get(callIdOf(message))?.(message)
    })
  }

  /**
   * @param functions those a message can name.
   * @param parameters those of the module `rtpengine`.
   * @param variables names of AVPs.
   */
  static async start(
    functions: readonly string[],
    parameters: Readonly<Record<string, string | number>>,
    variables: readonly string[] = [],
  ): Promise<Kamailio> {
    const directory = mkdtempSync(join(tmpdir(), 'kamailio-'))
    const port = await freePort()
    const peer = createSocket('udp4')
    peer.bind(0, '127.0.0.1')
    await once(peer, 'listening')
    const file = join(directory, 'kamailio.cfg')
    writeFileSync(file, configuration(port, peer.address().port, { functions, parameters, variables }))
    const child = spawn(
      'kamailio',
      ['-f', file, '-DD', '-E', '-P', join(directory, 'pid'), '-Y', directory, '-m', '64', '-M', '8'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const kamailio = new Kamailio(port, peer, child, directory)
    await kamailio.#ready()
    return kamailio
  }

  async #ready(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (this.#child.exitCode !== null) throw new Error(`kamailio ended: ${this.#log}`)
      const probe =
        `OPTIONS sip:x@127.0.0.1:${this.peerPort} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${this.peerPort};branch=z9hG4bK${tries}\r\n` +
        `From: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: ready-${tries}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n`
      if ((await this.#through(probe, 100)) !== undefined) return
    }
    throw new Error(`kamailio does not answer: ${this.#log}`)
  }

  /** What becomes of a message. Its Call-ID must be its own. */
  async pass(
    message: string,
  ): Promise<{ code: number; body: string; variable(name: string): string | null }> {
    const passed = await this.#through(message, 10_000)
    if (passed === undefined) throw new Error(`kamailio kept ${callIdOf(message)}: ${this.#log}`)
    const end = passed.indexOf('\r\n\r\n')
    const header = (name: string) =>
      new RegExp(`^X-${name}: (.*?)\\s*$`, 'm').exec(passed.slice(0, end + 2))?.[1]
    return {
      code: Number(header('Code')),
      body: passed.slice(end + 4),
      variable: (name) => {
        const value = header(name)
        return value === '<null>' ? null : (value ?? null)
      },
    }
  }

  async #through(message: string, limitMs: number): Promise<string | undefined> {
    const callId = callIdOf(message)
    const passed = new Promise<string>((resolve) => this.#waiting.set(callId, resolve))
    this.#peer.send(Buffer.from(message, 'latin1'), this.port, '127.0.0.1')
    const stop = new AbortController()
    try {
      return await Promise.race([passed, delay(limitMs, undefined, { signal: stop.signal })])
    } finally {
      stop.abort()
      this.#waiting.delete(callId)
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exit
    }
    this.#peer.close()
    rmSync(this.#directory, { recursive: true })
  }
}

const callIdOf = (message: string): string => /^Call-ID: (.*?)\r/m.exec(message)?.[1] ?? ''

interface Wanted {
  readonly functions: readonly string[]
  readonly parameters: Readonly<Record<string, string | number>>
  readonly variables: readonly string[]
}

/** One worker, so that messages are done in turn. */
const configuration = (
  port: number,
  peerPort: number,
  { functions, parameters, variables }: Wanted,
): string => `
debug=0
log_stderror=yes
children=1
auto_aliases=no
disable_tcp=yes
enable_sctp=no
listen=udp:127.0.0.1:${port}
${['tm', 'sl', 'pv', 'textops', 'crypto', 'rtpengine'].map((name) => `loadmodule "${name}.so"`).join('\n')}
${Object.entries(parameters)
  .map(
    ([name, value]) =>
      `modparam("rtpengine", "${name}", ${typeof value === 'string' ? `"${value}"` : value})`,
  )
  .join('\n')}
request_route {
  route(RUN);
  $du = "sip:127.0.0.1:${peerPort}";
  forward();
}
onreply_route { route(RUN); }
route[RUN] {
  $avp(extra) = $hdr(X-Extra);
  $avp(labelA) = "a";
  $avp(labelB) = "b";
  $var(code) = 0;
  switch ($hdr(X-Function)) {
${functions.map((name) => `    case "${name}":\n      ${name}("$hdr(X-Flags)");\n      $var(code) = $rc;\n      break;`).join('\n')}
  }
  append_hf("X-Code: $var(code)\\r\\n");
${variables.map((name) => `  append_hf("X-${name}: $avp(${name})\\r\\n");`).join('\n')}
}
`
