import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EmbeddedRelay } from '../../src/relay/index.ts'
import { freePort } from '../free-port.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

let relay: EmbeddedRelay
let phone: Socket
let child: ChildProcess | undefined

beforeEach(async () => {
  relay = new EmbeddedRelay({ listen: 'udp:127.0.0.1:0' })
  await relay.start()
  phone = createSocket('udp4')
  phone.bind(0, '127.0.0.1')
  await once(phone, 'listening')
})
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill()
    await once(child, 'exit')
  }
  await new Promise((resolve) => phone.close(() => resolve(undefined)))
  await relay.close()
})

/** Starts an example and gives the ports it says it listens on, once it has said `lines` of them. */
async function start(example: string, lines: number, ...args: string[]): Promise<number[]> {
  const path = fileURLToPath(new URL(`../../examples/scale/${example}.js`, import.meta.url))
  const next = `127.0.0.1:${phone.address().port}`
  child = spawn(process.execPath, [path, '--rtpengine', relay.urls[0]!, '--next', next, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    const ports = [...said.matchAll(/udp:127\.0\.0\.1:(\d+).*\n/g)].map(([, port]) => Number(port))
    if (ports.length === lines) return ports
  }
  throw new Error(`${example} ended: ${said}`)
}

/** Sends a message to the proxy and gives what it sends on to the phone. */
async function through(port: number, method: string, callId: string, extra = ''): Promise<string> {
  const sdp = method === 'INVITE' ? SDP : ''
  const type = sdp && 'Content-Type: application/sdp\r\n'
  const arrived = once(phone, 'message') as Promise<[Buffer]>
  phone.send(
    `${method} sip:bob@example.invalid SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${phone.address().port};branch=z9hG4bK${callId}\r\n` +
      `From: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n${extra}${type}` +
      `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
    port,
    '127.0.0.1',
  )
  return String((await arrived)[0])
}

const mediaPort = (sip: string): number => Number(/m=audio (\d+)/.exec(sip)?.[1])

describe('the example proxy on several cores', () => {
  it('shares one SIP port between processes, which all find a call by its Record-Route', async () => {
    const listen = `127.0.0.1:${await freePort()}`
    const [port] = await start('cluster', 1, '--listen', listen, '--processes', '2')
    const invite = await through(port!, 'INVITE', 'clustered')
    expect(mediaPort(invite)).not.toBe(4000)
    const record = /Record-Route: (<sip:[\w-]{28}@[^>]+>)/.exec(invite)?.[1]
    expect(record).toBeDefined()
    expect(await through(port!, 'BYE', 'clustered', `Route: ${record}\r\n`)).toMatch(/^BYE /)
    expect(child?.exitCode).toBeNull()
  })

  it('gives each thread a SIP port of its own', async () => {
    const ports = await start('threads', 2, '--listen', '127.0.0.1:0', '--threads', '2')
    expect(new Set(ports).size).toBe(2)
    for (const port of ports)
      expect(mediaPort(await through(port, 'INVITE', `thread-${port}`))).not.toBe(4000)
  })
})
