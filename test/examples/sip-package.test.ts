import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { freePort } from '../free-port.ts'

const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`

/** A phone that says what it is told to, and keeps what it hears. */
class Phone {
  readonly heard: string[] = []
  readonly #socket: Socket = createSocket('udp4')
  port = 0

  async open(address: string): Promise<this> {
    this.#socket.on('message', (datagram) => this.heard.push(datagram.toString()))
    this.#socket.bind(0, address)
    await once(this.#socket, 'listening')
    this.port = this.#socket.address().port
    return this
  }

  say(message: string, port: number): void {
    this.#socket.send(message, port, '127.0.0.1')
  }

  /** The first message that matches, now or later. */
  async hears(pattern: RegExp): Promise<string> {
    await expect
      .poll(() => this.heard.find((message) => pattern.test(message)), { timeout: 5000 })
      .toBeDefined()
    return this.heard.find((message) => pattern.test(message))!
  }

  close(): void {
    this.#socket.close()
  }
}

let engine: FakeRtpEngine
let proxy: ChildProcess
let [alice, bob] = [new Phone(), new Phone()]
let port: number
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  ;[alice, bob] = [await new Phone().open('127.0.0.1'), await new Phone().open('127.0.0.2')]
  port = await freePort()
  const args = [
    '--rtpengine',
    engine.urls[0]!,
    '--listen',
    `127.0.0.1:${port}`,
    '--next',
    `127.0.0.2:${bob.port}`,
  ]
  proxy = spawn(process.execPath, ['examples/sip-package/main.js', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(proxy.stdout!, 'data')
})
afterEach(async () => {
  const exit = once(proxy, 'exit')
  proxy.kill('SIGTERM')
  await exit
  alice.close()
  bob.close()
  await engine.close()
})

function request(method: string, cseq: number, toTag: string, sdp = ''): string {
  return [
    `${method} sip:bob@127.0.0.2:${bob.port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${alice.port};branch=z9hG4bK${method}${cseq}`,
    'From: <sip:alice@127.0.0.1>;tag=a',
    `To: <sip:bob@127.0.0.1>${toTag}`,
    'Call-ID: one@127.0.0.1',
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:alice@127.0.0.1:${alice.port}>`,
    'Max-Forwards: 70',
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ].join('\r\n')
}

/** The response to a request as it came. */
function response(to: string, sdp = '', status = '200 OK'): string {
  const head = to.split('\r\n\r\n')[0]!.split('\r\n')
  const copied = head.filter((line) => /^(via|from|call-id|cseq):/i.test(line))
  const toLine = head.find((line) => /^to:/i.test(line))!
  return [
    `SIP/2.0 ${status}`,
    ...copied,
    /tag=/.test(toLine) ? toLine : `${toLine};tag=b`,
    `Contact: <sip:bob@127.0.0.2:${bob.port}>`,
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ].join('\r\n')
}

const portIn = (message: string) => Number(/^m=audio (\d+)/m.exec(message)?.[1])

describe('the example on the package sip', () => {
  it('makes a call whose media goes through the media proxy both ways, and ends it', async () => {
    alice.say(request('INVITE', 1, '', sdpOf(4000)), port)
    const invite = await bob.hears(/^INVITE /)
    expect(portIn(invite)).not.toBe(4000)
    bob.say(response(invite, sdpOf(5000)), port)
    const ok = await alice.hears(/^SIP\/2\.0 200[\s\S]*INVITE/)
    expect(portIn(ok)).not.toBe(5000)
    expect(ok).toContain(`Content-Length: ${ok.split('\r\n\r\n')[1]!.length}`)
    expect(engine.calls).toMatchObject([{ callId: 'one@127.0.0.1' }])
    alice.say(request('ACK', 1, ';tag=b'), port)
    await bob.hears(/^ACK /)
    alice.say(request('BYE', 2, ';tag=b'), port)
    bob.say(response(await bob.hears(/^BYE /)), port)
    await alice.hears(/^SIP\/2\.0 200[\s\S]*BYE/)
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
  })

  it('says at once that a next hop at its own address cannot be, to which the package would throw in the first call', async () => {
    const { startProxy } = await import('../../examples/sip-package/proxy.js')
    const options = { rtpengine: engine.urls[0]!, host: '127.0.0.1', port: 0, next: `127.0.0.1:${port}` }
    await expect(startProxy(options)).rejects.toThrow('next must not be at 127.0.0.1')
  })

  it('ends the media of a call that is cancelled', async () => {
    alice.say(request('INVITE', 1, '', sdpOf(4000)), port)
    const invite = await bob.hears(/^INVITE /)
    bob.say(response(invite, '', '180 Ringing'), port)
    await alice.hears(/^SIP\/2\.0 180/)
    alice.say(request('CANCEL', 1, '').replace('z9hG4bKCANCEL1', 'z9hG4bKINVITE1'), port)
    bob.say(response(await bob.hears(/^CANCEL /)), port)
    bob.say(response(invite, '', '487 Request Terminated'), port)
    await alice.hears(/^SIP\/2\.0 487/)
    await engine.received('delete')
    await expect.poll(() => engine.calls).toEqual([])
  })
})
