import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type BencodeInput, decode, encode } from '../../src/core/bencode.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { freePort } from '../free-port.ts'
import { Datagrams, http, Stream } from '../testing/clients.ts'
import { findProgram } from './program.ts'

/** How long to wait before a request counts as not answered, in milliseconds. */
const SILENCE_MS = 150

const SDP = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 5004 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', ''],
].join('\r\n')

/** Bytes behind the cookie that are no well-formed command, or hardly. */
const MALFORMED = [
  ...[
    '',
    ' ',
    'zzz',
    'd',
    'de',
    'le',
    'i5e',
    '4:abcd',
    'd3:abc',
    'd1:ai5',
    'd1:ai5e',
    'd1:ae',
    'd1:ad1:bi1e',
  ],
  ...[
    'd7:command4:pi',
    'd7:command4:ping',
    'd7:command4:pinge',
    'd7:command4:pingejunk',
    ' d7:command4:pinge',
  ],
  ...['d7:command4:Pinge', 'd7:command0:e', 'd7:commandi1ee', 'd7:commandl4:pingee', 'd7:commandd1:ai1eee'],
  ...['d7:command4:ping1:xle', 'd1:xle7:command4:ping', 'd1:z1:x7:command4:pinge', 'd7:command04:pinge'],
  ...['d7:command4:ping1:xi007ee', 'di1ei2ee', 'd01:a1:be', 'd7:command4:ping1:xie', 'd4:ping7:commande'],
]
const MALFORMED_JSON = ['{', '{}', '[]', '"x"', '{"command":1}', '{"command":"nope"}', '{"command":"ping"} x']

type Command = Readonly<Record<string, BencodeInput>>

const call = { 'call-id': 'CALL' }
const from = { ...call, 'from-tag': 'f' }
const both = { ...from, 'to-tag': 't' }
const SELECTIONS: Command[] = [
  {},
  { 'from-tag': 'f' },
  { 'from-tag': 'none' },
  { 'from-tag': 'none', flags: ['directional'] },
  { label: 'none' },
  { address: '127.0.0.1' },
  { address: '127.0.0.9' },
  { address: 'nowhere' },
]
const SWITCHES = [
  ...['block media', 'unblock media', 'block DTMF', 'unblock DTMF', 'silence media', 'unsilence media'],
  ...['start forwarding', 'stop forwarding'],
]
const ON_CALLS = [
  ...SWITCHES,
  ...['play media', 'stop media', 'play DTMF', 'start recording', 'stop recording', 'query', 'delete'],
  ...['subscribe answer', 'unsubscribe', 'answer'],
]

/** One call from before it begins until after its end. CALL stands for a Call-ID of its own. */
const COMMANDS: Command[] = [
  ...['nonsense', 'ping', 'offer', 'publish', 'subscribe request', ...ON_CALLS].map((command) => ({
    command,
  })),
  ...ON_CALLS.map((command) => ({ command, 'call-id': 'none', 'from-tag': 'f', 'to-tag': 't', sdp: SDP })),
  { command: 'offer', sdp: SDP },
  { command: 'offer', ...call, sdp: SDP },
  { command: 'offer', ...from },
  { command: 'answer', ...from, sdp: SDP },
  { command: 'offer', ...from, sdp: 'nonsense' },
  { command: 'offer', ...from, sdp: SDP },
  { command: 'query', ...call },
  { command: 'play media', ...call },
  { command: 'answer', ...both, sdp: SDP },
  { command: 'stop media', ...from },
  { command: 'offer', ...from, sdp: SDP },
  { command: 'query', ...both },
  ...SWITCHES.flatMap((command) => SELECTIONS.map((selection) => ({ command, ...call, ...selection }))),
  ...['start recording', 'start recording', 'stop recording', 'stop recording'].map((command) => ({
    command,
    ...call,
  })),
  ...['play media', 'play DTMF', 'stop media'].flatMap((command) =>
    SELECTIONS.filter((selection) => Object.values(selection)[0] !== 'f' && !('address' in selection)).map(
      (selection) => ({ command, ...call, ...selection }),
    ),
  ),
  { command: 'play media', ...from },
  { command: 'play DTMF', ...from },
  { command: 'play DTMF', ...from, code: 'Z' },
  { command: 'play DTMF', ...from, code: 99 },
  { command: 'subscribe request', ...call, 'from-tag': 'none' },
  { command: 'subscribe request', ...from, 'to-tag': 's' },
  { command: 'subscribe answer', ...call, sdp: SDP },
  { command: 'subscribe answer', ...call, 'to-tag': 's' },
  { command: 'subscribe answer', ...call, 'to-tag': 'none', sdp: SDP },
  { command: 'subscribe answer', ...call, 'to-tag': 's', sdp: SDP },
  { command: 'unsubscribe', ...call },
  { command: 'unsubscribe', ...call, 'to-tag': 's' },
  { command: 'delete', 'call-id': 'none', flags: ['fatal'] },
  { command: 'delete', ...from },
  { command: 'delete', ...from },
  { command: 'query', ...call },
  { command: 'list', limit: -1 },
  { command: 'list', limit: 0 },
]

/** Asked in the middle of the call: where 10.5.3 is older than the fake, or has media where the fake has none. */
const DIFFERENCES: readonly { command: Command; real: string; fake: string }[] = [
  {
    command: { command: 'subscribe request', ...call },
    ...{ real: 'No monologues matched', fake: 'No medias found (no monologues matched)' },
  },
  {
    command: { command: 'subscribe request', 'call-id': 'none' },
    ...{ real: 'Unknown call-ID', fake: 'Unknown call-ID(s)' },
  },
  { command: { command: 'pause recording', ...call }, real: 'Unrecognized command', fake: 'ok' },
  { command: { command: 'connect', ...both }, real: 'Unrecognized command', fake: 'ok' },
  { command: { command: 'create' }, real: 'Unrecognized command', fake: 'ok' },
  {
    command: { command: 'create answer' },
    ...{ real: 'Unrecognized command', fake: 'No SDP body in message' },
  },
  { command: { command: 'publish', sdp: SDP }, real: 'No call-id in message', fake: 'ok' },
  {
    command: { command: 'publish', 'call-id': 'published', sdp: SDP },
    ...{ real: 'No from-tag in message', fake: 'ok' },
  },
  {
    command: { command: 'play media', ...from, file: '/none.wav' },
    ...{ real: 'Failed to start media playback from file', fake: 'ok' },
  },
  {
    command: { command: 'play DTMF', ...from, code: '5' },
    ...{ real: 'No SSRC context present for DTMF injection', fake: 'ok' },
  },
]

interface Comparable {
  readonly result: unknown
  readonly reason: unknown
  readonly warning: unknown
  readonly keys: readonly string[]
}

/** What a client can tell one reply from another by. */
function comparable(reply: string | undefined): Comparable | string | undefined {
  if (reply === undefined) return undefined
  const payload = reply.slice(reply.indexOf(' ') + 1)
  if (payload[0] !== 'd' && payload[0] !== '{') return payload
  const dictionary = (
    payload[0] === '{' ? JSON.parse(payload) : decode(Buffer.from(payload, 'latin1'), 'latin1')
  ) as Record<string, unknown>
  const keys = Object.keys(dictionary).filter((key) => key !== 'recordings')
  const { result, 'error-reason': reason, warning } = dictionary
  return { result, reason, warning, keys: keys.sort() }
}

/** A real rtpengine that listens for everything. */
class RealEngine {
  readonly urls: readonly string[]
  readonly #child: ChildProcess
  readonly #directory = mkdtempSync(join(tmpdir(), 'rtpengine-'))

  constructor(udp: number, tcp: number, web: number) {
    this.urls = [`udp:127.0.0.1:${udp}`, `tcp:127.0.0.1:${tcp}`, `http://127.0.0.1:${web}/ng`]
    this.#child = spawn(
      'rtpengine',
      [
        ...['--foreground', '--log-stderr', '--log-level=4', '--table=-1', '--config-file=none'],
        ...['--interface=127.0.0.1', '--delete-delay=0', '--port-min=28000', '--port-max=28999'],
        ...[
          `--listen-ng=127.0.0.1:${udp}`,
          `--listen-tcp-ng=127.0.0.1:${tcp}`,
          `--listen-http=127.0.0.1:${web}`,
        ],
        `--pidfile=${join(this.#directory, 'pid')}`,
      ],
      { stdio: 'ignore' },
    )
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exit
    }
    rmSync(this.#directory, { recursive: true })
  }
}

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('the fake and a real rtpengine', () => {
  let real: RealEngine
  let fake: FakeRtpEngine
  let sequence = 0

  beforeAll(async () => {
    real = new RealEngine(await freePort(), await freePort(), await freePort())
    fake = new FakeRtpEngine({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0', 'http:127.0.0.1:0'] })
    await fake.start()
    const ping = real.urls[2]!.replace('/ng', '/ping')
    await vi.waitFor(async () => expect((await http(ping, '', { method: 'GET' }))?.status).toBe(200), {
      timeout: 10_000,
    })
  })
  afterAll(async () => {
    await fake?.close()
    await real?.stop()
  })

  /**
   * What `reply` gives, or undefined if there is none: some time is over, and a ping that was sent then is answered. Were it the
   * time alone, whoever stood still meanwhile would have heard nothing.
   */
  async function unlessSilent<T>([url]: readonly string[], reply: Promise<T>): Promise<T | undefined> {
    const over = new AbortController()
    const silence = async (): Promise<undefined> => {
      await delay(SILENCE_MS, undefined, { signal: over.signal })
      const client = new Datagrams(url!)
      await client.ask('silent d7:command4:pinge')
      client.close()
    }
    try {
      return await Promise.race([reply, silence().catch(() => undefined)])
    } finally {
      over.abort()
    }
  }

  const askers: Record<string, (urls: readonly string[], message: string) => Promise<string | undefined>> = {
    udp: async (urls, message) => {
      const client = new Datagrams(urls[0]!)
      client.send(Buffer.from(message, 'latin1'))
      const reply = await unlessSilent(urls, client.replies(1))
      client.close()
      return reply?.[0]
    },
    tcp: async (urls, message) => {
      const client = new Stream(urls[1]!)
      await client.write(Buffer.from(message, 'latin1'))
      const { connection } = client
      await unlessSilent(urls, Promise.race([once(connection, 'data'), once(connection, 'close')]))
      const reply = client.closed ? 'closed' : client.received
      client.close()
      return reply === '' ? undefined : reply
    },
    http: async ([, , url], message) => {
      const reply = await http(url!, message)
      return reply && (reply.status === 200 ? reply.body : `${reply.status} ${reply.body}`)
    },
  }

  /** What both say to a message, by one transport. */
  async function replies(transport: string, payload: string): Promise<[unknown, unknown]> {
    const message = `${transport}-${++sequence} ${payload}`
    const ask = askers[transport]!
    const [one, other] = await Promise.all([ask(real.urls, message), ask(fake.urls, message)])
    return [comparable(one), comparable(other)]
  }

  it.each(['udp', 'tcp', 'http'])('say the same to what is malformed, by %s', async (transport) => {
    const payloads = transport === 'tcp' ? MALFORMED : [...MALFORMED, ...MALFORMED_JSON]
    for (const payload of payloads) {
      const [one, other] = await replies(transport, payload)
      expect.soft(other, payload).toEqual(one)
    }
  })

  /** In bencode, with a Call-ID for this transport. */
  const encoded = (command: Command, transport: string): string => {
    const id = `call-${transport}`
    return encode(command).toString('latin1').replace('4:CALL', `${id.length}:${id}`)
  }

  it.each(['udp', 'tcp', 'http'])('say the same to the commands of a call, by %s', async (transport) => {
    for (const command of COMMANDS) {
      const [one, other] = await replies(transport, encoded(command, transport))
      expect.soft(other, JSON.stringify(command)).toEqual(one)
    }
  })

  it.each(['udp', 'tcp', 'http'])('differ where 10.5.3 is older, or has media, by %s', async (transport) => {
    const told = (reply: unknown): unknown => {
      const { result, reason } = reply as Comparable
      return result === 'error' ? reason : result
    }
    await replies(transport, encoded({ command: 'offer', ...from, sdp: SDP }, transport))
    await replies(transport, encoded({ command: 'answer', ...both, sdp: SDP }, transport))
    for (const { command, real, fake } of DIFFERENCES) {
      const both = await replies(transport, encoded(command, transport))
      expect.soft(both.map(told), JSON.stringify(command)).toEqual([real, fake])
    }
  })

  it('say the same to a message that comes in two, by TCP', async () => {
    const message = `d1:a3000:${'.'.repeat(3000)}7:command4:pinge`
    for (const length of [1024, 1025]) {
      const said = [real, fake].map(async ({ urls }) => {
        const client = new Stream(urls[1]!)
        const whole = `cut-${length} ${message}`
        await client.write(whole.slice(0, length))
        await unlessSilent(urls, once(client.connection, 'close'))
        if (!client.closed) {
          await client.write(whole.slice(length))
          await client.until('e')
        }
        client.close()
        return client.received
      })
      expect(await Promise.all(said)).toEqual(
        Array(2).fill(length === 1024 ? 'cut-1024 d6:result4:ponge' : ''),
      )
    }
  })

  it.each([
    [
      'a charset',
      `x1 d7:command4:pinge`,
      { headers: { 'content-type': 'application/x-rtpengine-ng; charset=utf-8' } },
    ],
    ['capitals', `x2 d7:command4:pinge`, { headers: { 'content-type': 'Application/X-Rtpengine-NG' } }],
    ['JSON', `x3 {"command":"ping"}`, { headers: { 'content-type': 'application/json' } }],
    ['chunks', `x4 d7:command4:pinge`, { headers: { 'transfer-encoding': 'chunked' } }],
    ['GET', '', { method: 'GET' }],
    ['PUT', `x5 d7:command4:pinge`, { method: 'PUT' }],
    ['no cookie', 'd7:command4:pinge', {}],
    ['a space for a cookie', ' d7:command4:pinge', {}],
    ['nothing', '', {}],
  ])('say the same to an HTTP request with %s', async (_, body, options) => {
    const [one, other] = await Promise.all([real, fake].map(({ urls }) => http(urls[2]!, body, options)))
    // Which type stands in the reply is not told apart by letter case.
    expect({ ...other, type: other?.type?.toLowerCase() }).toEqual({ ...one, type: one?.type?.toLowerCase() })
  })

  it.each(['/ping', '/', '/ng/', '/nothing', '/ng?x=1'])('say the same to a GET of %s', async (path) => {
    const said = [real, fake].map(({ urls }) => http(new URL(path, urls[2]).href, '', { method: 'GET' }))
    const [one, other] = await Promise.all(said)
    expect(other).toEqual(one)
  })
})
