import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SipProxy } from '../../examples/sip-proxy/proxy.js'
import { freePort } from '../free-port.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

let caller: Socket
let callee: Socket
let media: ScriptedProxy
let proxy: SipProxy

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

beforeEach(async () => {
  caller = await bound()
  callee = await bound()
  media = new ScriptedProxy()
  proxy = new SipProxy({ sockets: `udp:127.0.0.1:${await media.listenUdp()}` })
  await proxy.start()
})
afterEach(async () => {
  for (const socket of [caller, callee])
    await new Promise((resolve) => socket.close(() => resolve(undefined)))
  await proxy.close()
  await media.close()
})

function request(
  method: string,
  { hops = 70, uri = `sip:bob@127.0.0.1:${callee.address().port}`, sdp = '', extra = '' } = {},
): string {
  const type = sdp && 'Content-Type: application/sdp\r\n'
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${caller.address().port};rport;branch=z9hG4bKcaller\r\n` +
    `Max-Forwards: ${hops}\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: call\r\nCSeq: 1 ${method}\r\n${extra}` +
    `${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
  )
}

/** Sends `text` to the proxy and gives what arrives at `at`. */
async function through(from: Socket, text: string, at: Socket): Promise<string> {
  const arrived = once(at, 'message') as Promise<[Buffer]>
  from.send(text, proxy.port, '127.0.0.1')
  return (await arrived)[0].toString()
}

describe('the example proxy', () => {
  it('puts itself into Via and Record-Route, the media proxy into the SDP, and takes its Via off the reply', async () => {
    const invite = await through(caller, request('INVITE', { sdp: SDP }), callee)
    const own = `127.0.0.1:${proxy.port}`
    expect(invite).toMatch(
      new RegExp(
        `^INVITE .*\\r\\nVia: SIP/2.0/UDP ${own};branch=z9hG4bK[0-9a-f]{24}\\r\\nRecord-Route: <sip:${own};lr>\\r\\n`,
      ),
    )
    expect(invite).toContain(`;rport=${caller.address().port};branch=z9hG4bKcaller;received=127.0.0.1\r\n`)
    expect(invite).toContain('Max-Forwards: 69\r\n')
    expect(invite).toContain('c=IN IP4 203.0.113.9\r\n')
    const vias = invite.split('\r\n').filter((line) => line.startsWith('Via:'))
    const answer = `SIP/2.0 200 OK\r\n${vias.join('\r\n')}\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>;tag=t\r\nCall-ID: call\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`
    const ok = await through(callee, answer, caller)
    expect(ok).toMatch(/^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;rport=/)
    expect(ok.match(/^Via:/gm)).toHaveLength(1)
    expect(ok).toContain('m=audio 30000 RTP/AVP 0\r\n')
  })

  it('gives a CANCEL the branch of its INVITE, and a retransmission the same again', async () => {
    const branch = (text: string) => /;branch=(z9hG4bK[0-9a-f]{24})/.exec(text)?.[1]
    const first = branch(await through(caller, request('INVITE', { sdp: SDP }), callee))
    expect(branch(await through(caller, request('INVITE', { sdp: SDP }), callee))).toBe(first)
    expect(branch(await through(caller, request('CANCEL'), callee))).toBe(first)
    expect(branch(await through(caller, request('BYE'), callee))).not.toBe(first)
  })

  it('names the media proxy in its Record-Route, so that the proxy that takes its place finds it', async () => {
    const one = new ScriptedProxy()
    const other = new ScriptedProxy()
    const first = `udp:127.0.0.1:${await one.listenUdp()}`
    const second = `udp:127.0.0.1:${await other.listenUdp()}`
    const options = { media: { tokenKey: 'sixteen bytes or more' } }
    // All weight lies on one node before the change, and on the other after it.
    const before = new SipProxy({ sockets: `${first} ${second}=0`, ...options })
    await before.start()
    const { port } = before
    const arrived = once(callee, 'message') as Promise<[Buffer]>
    caller.send(request('INVITE', { sdp: SDP }), port, '127.0.0.1')
    const record = /Record-Route: (<sip:[\w-]{28}@127\.0\.0\.1:\d+;lr>)/.exec(String((await arrived)[0]))?.[1]
    expect(record).toBeDefined()
    await before.close()
    const after = new SipProxy({ sockets: `${first}=0 ${second}`, port, ...options })
    await after.start()
    const passed = once(callee, 'message')
    caller.send(request('BYE', { extra: `Route: ${record}\r\n` }), port, '127.0.0.1')
    await passed
    expect(
      one.payloads.map((payload) => /7:command[0-9]:(offer|delete)e/.exec(String(payload))?.[1]),
    ).toEqual(['offer', 'delete'])
    expect(other.payloads).toEqual([])
    for (const opened of [after, one, other]) await opened.close()
  })

  it('follows the Route behind its own', async () => {
    const extra = `Route: <sip:127.0.0.1:${proxy.port};lr>, <sip:127.0.0.1:${callee.address().port};lr>\r\n`
    const bye = await through(caller, request('BYE', { uri: 'sip:bob@elsewhere.invalid', extra }), callee)
    expect(bye).toContain(`Route: <sip:127.0.0.1:${callee.address().port};lr>\r\n`)
    expect(bye).not.toContain(`<sip:127.0.0.1:${proxy.port};lr>\r\n`)
  })

  it.each([
    ['483 Too Many Hops', 'when the hops are used up', () => request('INVITE', { hops: 0, sdp: SDP })],
    [
      '404 Not Found',
      'when it cannot tell where to',
      () => request('INVITE', { uri: 'sip:bob@elsewhere.invalid', sdp: SDP }),
    ],
  ])('answers %s %s', async (status, _, text) => {
    const reply = await through(caller, text(), caller)
    expect(reply).toMatch(new RegExp(`^SIP/2\\.0 ${status}\\r\\nVia: .*\\r\\n`))
    expect(reply).toMatch(/\r\nTo: <sip:b@c>;tag=[0-9a-f]{8}\r\n/)
  })

  it('refuses a call that gets no media, and lets other requests pass', async () => {
    media.script = scripts.error
    expect(await through(caller, request('INVITE', { sdp: SDP }), caller)).toMatch(/^SIP\/2\.0 488 /)
    expect(await through(caller, request('BYE'), callee)).toMatch(/^BYE /)
    const lonely = new SipProxy({ sockets: `udp:127.0.0.1:${await freePort()}` })
    await lonely.start()
    const arrived = once(caller, 'message') as Promise<[Buffer]>
    caller.send(request('INVITE', { sdp: SDP }), lonely.port, '127.0.0.1')
    expect((await arrived)[0].toString()).toMatch(/^SIP\/2\.0 500 Media Proxy Unavailable\r\n/)
    await lonely.close()
  })

  it('drops what is no SIP and what has nowhere to go, and goes on', async () => {
    for (const bytes of ['\r\n\r\n', 'garbage', 'SIP/2.0 200 OK\r\n\r\n'])
      caller.send(bytes, proxy.port, '127.0.0.1')
    expect(await through(caller, request('OPTIONS'), callee)).toMatch(/^OPTIONS /)
    expect(proxy.counters.dropped).toBe(2)
  })
})
