import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { OpenRequests } from '../../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../../src/network/requests/timer-wheel.ts'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'
import { freePort } from '../../free-port.ts'
import { type Answer, certificate, echo, exchange, WebSocketPeer, webSocket } from './scene.ts'

const peer = (answer: Answer = echo) => new WebSocketPeer(answer).listen()
const cookieOf = (message: Buffer): string => message.toString('latin1', 0, COOKIE_LENGTH)

describe('WebSocketTransport', () => {
  it('sends a message behind its cookie, and gives the reply to whom it is for', async () => {
    const node = await peer()
    const { transport, requests } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'd7:command4:pinge')).toEqual({ reply: 'd7:command4:pinge' })
    expect(node.protocols).toEqual(['ng.rtpengine.com'])
    expect(requests.size).toBe(0)
  })

  it('has a connection for each of eight requests at once, since rtpengine mixes up those that share one', async () => {
    const waiting: [Buffer, WebSocket][] = []
    const node = await peer((message, socket) => void waiting.push([message, socket]))
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}/`)
    const bodies = Array.from({ length: 30 }, (_, i) => `d1:ni${i}ee`)
    const outcomes = bodies.map((body) => exchange(transport, body))
    await expect.poll(() => waiting).toHaveLength(8)
    expect(new Set(waiting.map(([, socket]) => socket)).size).toBe(8)
    for (let i = 0; i < bodies.length; i++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(i)
      const [message, socket] = waiting[i]!
      socket.send(message)
    }
    expect(await Promise.all(outcomes)).toEqual(bodies.map((reply) => ({ reply })))
    expect(node.connections).toBe(8)
  })

  it('goes over the connection there is as long as one is enough', async () => {
    const node = await peer()
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}/`)
    for (let i = 0; i < 50; i++) expect(await exchange(transport, `i${i}e`)).toEqual({ reply: `i${i}e` })
    expect(node.connections).toBe(1)
  })

  it('makes the connection again after a break, and sends what was open with its cookie', async () => {
    const node = await peer((message, socket, connections) => {
      if (connections === 1) socket.terminate()
      else socket.send(message)
    })
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.connections).toBe(2)
    expect(cookieOf(node.messages[0]!)).toBe(cookieOf(node.messages[1]!))
  })

  it('tries again until the node is back, and then serves what came meanwhile', async () => {
    const node = await peer((_, socket) => socket.terminate())
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`, { firstMs: 1, longestMs: 5 })
    const { port } = node
    const first = exchange(transport, 'd1:ai1ee')
    await expect.poll(() => node.messages.length).toBeGreaterThan(1)
    node.answer = echo
    expect(await first).toEqual({ reply: 'd1:ai1ee' })
    await node.close()
    const back = await new WebSocketPeer(echo).listen(port)
    expect(await exchange(transport, 'd1:bi1ee')).toEqual({ reply: 'd1:bi1ee' })
    expect(back.bodies).toEqual(['d1:bi1ee'])
  })

  it('fails what is open when no connection can be made', async () => {
    const { transport, requests } = webSocket(`ws://127.0.0.1:${await freePort()}`)
    expect(await exchange(transport, 'de')).toMatchObject({ failure: 'refused' })
    expect(requests.size).toBe(0)
  })

  it('fails when the node does not take the upgrade', async () => {
    const node = await peer()
    node.server.removeAllListeners('upgrade')
    node.server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: expect.stringContaining('403'),
    })
  })

  it('fails when the upgrade takes too long', async () => {
    const node = await peer()
    node.server.removeAllListeners('upgrade')
    node.server.on('upgrade', () => undefined)
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`, { connectMs: 20 })
    expect(await exchange(transport, 'de')).toEqual({
      failure: 'unreachable',
      why: 'no connection within 20 ms',
    })
  })

  it('takes a node that sends nothing for broken, once what waits has waited as long as it may', async () => {
    const node = await peer((message, socket, connections) => {
      if (connections > 1) socket.send(message)
    })
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    const outcome = await exchange(transport, 'de', { timeoutMs: 30, attempts: 20 })
    expect(outcome).toEqual({ reply: 'de' })
    expect(node.connections).toBe(2)
  })

  it('does not take a node for broken that answered, because the next request came just when its watch ran out', async () => {
    const node = await peer()
    let now = 0
    const requests = new OpenRequests(new TimerWheel(() => now))
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`, {}, {}, requests)
    await exchange(transport, 'd1:ai1ee')
    now += 6000
    requests.wheel.turn()
    expect(await exchange(transport, 'd1:bi1ee')).toEqual({ reply: 'd1:bi1ee' })
    expect(node.connections).toBe(1)
  })

  it('leaves a connection over which no message came, and says so of what runs out of time for it', async () => {
    const node = await peer((message, socket, connections) => {
      socket.send(connections < 3 ? Buffer.from('garbage') : message)
    })
    const { transport, requests } = webSocket(`ws://127.0.0.1:${node.port}`, { longestMs: 1 })
    expect(await exchange(transport, 'de', { timeoutMs: 60_000, attempts: 1 })).toEqual({ reply: 'de' })
    expect([node.connections, requests.dropped.malformed]).toEqual([3, 2])
    node.answer = (_, socket) => socket.send(Buffer.from('garbage'))
    expect(await exchange(transport, 'de', { timeoutMs: 20, attempts: 2 })).toEqual({
      failure: 'timeout',
      why: 'the peer sent no NG message',
    })
  })

  it('times out after all its attempts without sending again over the same connection', async () => {
    const node = await peer((_, socket) => socket.send(Buffer.from('1_2 d6:result4:ponge')))
    const { transport, requests } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de', { timeoutMs: 20, attempts: 2 })).toMatchObject({
      failure: 'timeout',
    })
    expect(node.messages).toHaveLength(1)
    expect(requests.dropped.foreign).toBe(1)
  })

  it('pings a connection that is silent, and gives up one that does not answer', async () => {
    const node = await peer()
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`, { keepAliveMs: 10, pongMs: 1000 })
    await exchange(transport, 'de')
    await expect.poll(() => node.pings).toBeGreaterThan(1)
    expect(node.sockets.size).toBe(1)
    node.pongs = false
    await expect.poll(() => node.sockets.size).toBe(0)
    node.pongs = true
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.connections).toBe(2)
  })

  it('closes a connection that brings more than a message may have', async () => {
    const node = await peer((message, socket, connections) => {
      socket.send(connections === 1 ? Buffer.alloc((1 << 20) + 1) : message)
    })
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.connections).toBe(2)
  })

  it('drops and counts what is no reply', async () => {
    const node = await peer((message, socket) => {
      for (const noise of [Buffer.alloc(0), Buffer.from('garbage'), Buffer.from(' de')]) socket.send(noise)
      socket.send(message)
      socket.send(message)
    })
    const { transport, requests } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    await expect.poll(() => requests.dropped).toEqual({ malformed: 3, foreign: 0, late: 1 })
    node.answer = echo
    const bodies = Array.from({ length: 20 }, (_, i) => `i${i}e`)
    expect(await Promise.all(bodies.map((body) => exchange(transport, body)))).toHaveLength(20)
  })

  it('takes text for bytes', async () => {
    const node = await peer((message, socket) => socket.send(message.toString('latin1'), { binary: false }))
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'd1:a1:be')).toEqual({ reply: 'd1:a1:be' })
  })

  it('fails what is open when it is closed, and what comes after', async () => {
    const node = await peer(() => undefined)
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    const open = exchange(transport, 'de')
    await expect.poll(() => node.messages).toHaveLength(1)
    await transport.close()
    expect(await open).toMatchObject({ failure: 'closed' })
    expect(await exchange(transport, 'de')).toMatchObject({ failure: 'closed' })
    await expect.poll(() => node.sockets.size).toBe(0)
  })

  it('can be closed while it connects', async () => {
    const node = await peer()
    node.server.removeAllListeners('upgrade')
    node.server.on('upgrade', () => undefined)
    const { transport } = webSocket(`ws://127.0.0.1:${node.port}`)
    const open = exchange(transport, 'de')
    await expect.poll(() => node.sockets.size).toBe(1)
    await transport.close()
    expect(await open).toMatchObject({ failure: 'closed' })
  })

  it('says what to install when the package ws is not there', async () => {
    vi.doMock('ws', () => {
      throw new Error('Cannot find package ws')
    })
    const { transport } = webSocket('ws://127.0.0.1:9')
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'local',
      why: expect.stringContaining('npm install ws'),
    })
    vi.doUnmock('ws')
  })
})

describe('WebSocketTransport without cookies', () => {
  const url = (port: number) => `ws://127.0.0.1:${port}/ng-plain`

  it('sends the message alone, each over a connection that nothing else waits on', async () => {
    const waiting: [Buffer, WebSocket][] = []
    const node = await peer((message, socket) => void waiting.push([message, socket]))
    const { transport } = webSocket(url(node.port))
    const bodies = Array.from({ length: 20 }, (_, i) => `d1:ni${i}ee`)
    const outcomes = bodies.map((body) => exchange(transport, body))
    await expect.poll(() => waiting).toHaveLength(8)
    expect(new Set(waiting.map(([, socket]) => socket)).size).toBe(8)
    for (let i = 0; i < 20; i++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(i)
      const [message, socket] = waiting[i]!
      socket.send(message)
    }
    expect(await Promise.all(outcomes)).toEqual(bodies.map((reply) => ({ reply })))
    expect(node.connections).toBe(8)
    expect(new Set(node.protocols)).toEqual(new Set(['ng-plain.rtpengine.com']))
    expect(node.messages.map(String).sort()).toEqual([...bodies].sort())
  })

  it('never gives the late reply of one to another', async () => {
    let late = (): void => undefined
    const node = await peer((message, socket) => {
      if (String(message).includes('late')) late = () => socket.send(message)
      else socket.send(message)
    })
    const { transport } = webSocket(url(node.port))
    expect(await exchange(transport, 'd1:a4:latee', { timeoutMs: 20, attempts: 1 })).toMatchObject({
      failure: 'timeout',
    })
    late()
    expect(await exchange(transport, 'd1:a2:hie')).toEqual({ reply: 'd1:a2:hie' })
  })

  it('does not send again what may have been executed', async () => {
    const node = await peer((_, socket) => socket.terminate())
    const { transport } = webSocket(url(node.port))
    expect(await exchange(transport, 'de', { timeoutMs: 50, attempts: 5 })).toMatchObject({
      failure: 'refused',
    })
    expect(node.messages).toHaveLength(1)
  })

  it('fails when no connection can be made', async () => {
    const { transport } = webSocket(url(await freePort()))
    const outcomes = await Promise.all([exchange(transport, 'de'), exchange(transport, 'le')])
    expect(outcomes).toMatchObject([{ failure: 'refused' }, { failure: 'refused' }])
  })

  it('gives up a connection over which something comes that nobody asked for', async () => {
    const node = await peer((message, socket) => {
      socket.send(message)
      socket.send('and another thing')
    })
    const { transport, requests } = webSocket(url(node.port))
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    await expect.poll(() => requests.dropped.malformed).toBe(1)
    expect(await exchange(transport, 'le')).toEqual({ reply: 'le' })
  })
})

describe('WebSocketTransport over TLS', () => {
  let tls: { key: string; cert: string }
  beforeAll(async () => {
    tls = await certificate()
  })

  it('trusts the authority it is given, and sends the headers for a proxy in front', async () => {
    const node = await new WebSocketPeer(echo, tls).listen()
    const options = { tls: { ca: tls.cert }, headers: { authorization: 'Bearer secret' } }
    const { transport } = webSocket(`wss://127.0.0.1:${node.port}`, {}, options)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.upgrades[0]?.headers).toMatchObject({ authorization: 'Bearer secret' })
  })

  it('does not trust anybody else, and says so', async () => {
    const node = await new WebSocketPeer(echo, tls).listen()
    const { transport } = webSocket(`wss://127.0.0.1:${node.port}`)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: expect.stringMatching(/self.signed certificate/),
    })
  })
})
