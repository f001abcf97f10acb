import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { parseSdp } from '../../src/core/sdp.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TcpTransport } from '../../src/network/tcp.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { freePort } from '../free-port.ts'
import { findProgram } from './program.ts'

/** An rtpengine that listens on TCP only. */
class TcpEngine {
  readonly #child: ChildProcess
  readonly #directory = mkdtempSync(join(tmpdir(), 'rtpengine-'))
  log = ''

  constructor(port: number) {
    this.#child = spawn(
      'rtpengine',
      [
        '--foreground',
        '--log-stderr',
        '--log-level=4',
        '--table=-1',
        '--config-file=none',
        '--interface=127.0.0.1',
        `--listen-tcp-ng=127.0.0.1:${port}`,
        '--port-min=26000',
        '--port-max=26999',
        '--delete-delay=0',
        `--pidfile=${join(this.#directory, 'pid')}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    this.#child.stderr!.on('data', (text) => {
      this.log += text
    })
  }

  /** Stops it in its tracks, as a host without time for it does, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill(signal)
      await exit
    }
    rmSync(this.#directory, { recursive: true })
  }
}

const sdp = (attributes: number) =>
  `${[
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    ...Array.from({ length: attributes }, (_, i) => `a=x-padding-${i}:${'x'.repeat(100)}`),
  ].join('\r\n')}\r\n`

function message(startLine: string, callId: string, cseq: string, body = ''): SipMessage {
  const head = [
    startLine,
    'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKtcp',
    'From: <sip:a@example.com>;tag=from',
    `To: <sip:b@example.com>${startLine.startsWith('INVITE') ? '' : ';tag=to'}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ]
  return SipMessage.parse(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`), { address: '127.0.0.1' })
}

const invite = (callId: string, attributes = 0) =>
  message('INVITE sip:b@example.com SIP/2.0', callId, '1 INVITE', sdp(attributes))
const ok = (callId: string) => message('SIP/2.0 200 OK', callId, '1 INVITE', sdp(0))
const bye = (callId: string) => message('BYE sip:b@example.com SIP/2.0', callId, '2 BYE')

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('a real rtpengine over TCP', () => {
  let engine: TcpEngine
  let port: number
  let url: string

  /** Pings until it answers. */
  const ready = () =>
    vi.waitFor(
      async () => {
        await using media = new RtpProxyNg({ sockets: url, timeoutMs: 500, attempts: 1 })
        await media.start()
        expect(media.show()[0]!.disabled, engine.log).toBe(false)
      },
      { timeout: 10_000, interval: 50 },
    )

  beforeAll(async () => {
    port = await freePort()
    url = `tcp:127.0.0.1:${port}`
    engine = new TcpEngine(port)
    await ready()
  })
  afterAll(() => engine?.stop())
  afterEach(() => vi.restoreAllMocks())

  it('takes a call through offer, answer, query and delete', async () => {
    await using media = new RtpProxyNg({ sockets: url })
    await media.start()
    const offer = await media.offer(invite('tcp'), { flags: 'co' })
    const answer = await media.answer(ok('tcp'), { flags: 'co' })
    expect([offer.node, answer.node]).toEqual([url, url])
    expect(parseSdp(offer.sdp).mediaDescriptions[0]!.port).toBeGreaterThanOrEqual(26000)
    expect(await media.query(bye('tcp'))).toMatchObject({ result: 'ok' })
    expect(await media.destroy(bye('tcp'))).toMatchObject({ warning: undefined })
    await expect(media.query(bye('tcp'))).rejects.toMatchObject({ reason: 'Unknown call-id' })
  })

  it.each([
    ['', 200, 1],
    ['', 100, 200],
    [' when it has no time for them at first', 200, 1],
    [' when it has no time for them at first', 100, 200],
  ])(
    'takes%s %d offers with SDP of %d00 bytes and more at once, and finds none of them cut',
    async (when, count, attributes) => {
      await using media = new RtpProxyNg({ sockets: url, timeoutMs: 5000 })
      await media.start()
      const calls = Array.from({ length: count }, (_, i) => `burst-${when.length}-${attributes}-${i}`)
      if (when !== '') engine.freeze()
      const writes = vi.spyOn(Socket.prototype, 'write')
      const offers = Promise.all(
        calls.map((callId) => media.offer(invite(callId, attributes), { flags: 'co' })),
      )
      if (when !== '') {
        // Until the system takes no more.
        for (let seen = -1; seen !== writes.mock.calls.length; ) {
          seen = writes.mock.calls.length
          for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
        }
        engine.thaw()
      }
      await offers
      const deletes = await Promise.all(calls.map((callId) => media.destroy(bye(callId))))
      expect(deletes.filter(({ warning }) => warning !== undefined)).toEqual([])
      // What it says when it closes a connection because of an incomplete message.
      expect(engine.log).not.toContain('Buffer length exceeded')
    },
  )

  it('executes a request once that is sent again over a new connection, since its reply was lost', async () => {
    await using media = new RtpProxyNg({ sockets: url })
    await media.start()
    await media.offer(invite('once'))
    const requests = new OpenRequests()
    const tcp = new TcpTransport(url, { host: '127.0.0.1', port }, requests)
    const lost: string[] = []
    vi.spyOn(requests, 'receive').mockImplementationOnce((_, reply) => lost.push(`${reply}`) > 0)
    const reply = await new Promise<string>((resolve, reject) => {
      const command = 'd7:call-id4:once7:command6:delete8:from-tag4:frome'
      const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}${command}`)
      const replied = (bytes: Buffer) => resolve(`${bytes}`)
      tcp.send({ datagram, replied, failed: reject }, { timeoutMs: 100, attempts: 20 })
    })
    await tcp.close()
    expect(lost).toEqual([reply])
    expect(reply).not.toContain('not found')
    expect((await media.destroy(bye('once'))).warning).toContain('not found')
  })

  it('is found again after it was restarted, by the next command', async () => {
    await using media = new RtpProxyNg({ sockets: url, disableMs: 1 })
    await media.start()
    await media.offer(invite('before'))
    await engine.stop('SIGKILL')
    await expect(media.offer(invite('meanwhile'))).rejects.toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
    engine = new TcpEngine(port)
    await ready()
    expect((await media.offer(invite('after'))).node).toBe(url)
    await media.destroy(bye('after'))
  })
})
