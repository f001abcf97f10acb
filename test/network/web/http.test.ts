import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'
import { freePort } from '../../free-port.ts'
import { certificate, exchange, http, WebPeer } from './scene.ts'

interface Post {
  readonly body: Buffer
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A node that speaks HTTP, whose answers each test writes itself. */
class HttpPeer extends WebPeer {
  readonly posts: Post[] = []
  answer: (post: Post, number: number) => void

  constructor(answer: (post: Post, number: number) => void, tls?: { key: string; cert: string }) {
    super((request, response) => void this.#take(request, response), tls)
    this.answer = answer
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const post = { body: Buffer.concat(chunks), request, response }
    this.posts.push(post)
    this.answer(post, this.posts.length)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/ng`
  }
}

const echo = ({ body, response }: Post) => void response.end(body)
const peer = (answer: (post: Post, number: number) => void = echo) => new HttpPeer(answer).listen()

describe('HttpTransport', () => {
  it('posts once more, with the same cookie, when the connection ends before the reply is whole', async () => {
    const node = await peer(({ body, response }, number) => {
      if (number > 1) response.end(body)
      else {
        response.writeHead(200, { 'content-length': 100 })
        response.write(body, () => response.destroy())
      }
    })
    const { transport } = http(node.url)
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.posts[0]!.body).toEqual(node.posts[1]!.body)
    node.answer = ({ response }) => response.destroy()
    expect(await exchange(transport, 'de')).toMatchObject({ failure: 'refused' })
    expect(node.posts).toHaveLength(4)
  })

  it('tells what a node answers instead, on one line whatever it wrote', async () => {
    const node = await peer(({ response }) => {
      response.writeHead(503, 'Busy').end('<html>\r\n\u001b[2Jlater\n</html>')
    })
    const { transport } = http(node.url)
    expect(await exchange(transport, 'de')).toEqual({
      failure: 'refused',
      why: 'HTTP status 503 Busy: <html> [2Jlater </html>',
    })
  })

  it('posts the message behind its cookie, as rtpengine wants it', async () => {
    const node = await peer()
    const { transport, requests } = http(node.url)
    expect(await exchange(transport, 'd7:command4:pinge')).toEqual({ reply: 'd7:command4:pinge' })
    const [{ body, request } = { body: Buffer.of(), request: undefined }] = node.posts
    expect([request?.method, request?.url]).toEqual(['POST', '/ng'])
    expect(request?.headers).toMatchObject({
      'content-type': 'application/x-rtpengine-ng',
      'content-length': String(body.length),
    })
    expect(body.length).toBe(COOKIE_LENGTH + 1 + 'd7:command4:pinge'.length)
    expect(requests.size).toBe(0)
  })

  it('keeps its connections for the posts that follow', async () => {
    const node = await peer()
    const { transport } = http(node.url)
    for (let i = 0; i < 20; i++) await exchange(transport, `i${i}e`)
    expect(node.connections).toBe(1)
  })

  it('posts at most 64 at once, and the others in their turn', async () => {
    const waiting: Post[] = []
    const node = await peer((post) => void waiting.push(post))
    const { transport } = http(node.url)
    const bodies = Array.from({ length: 150 }, (_, i) => `d1:ni${i}ee`)
    const outcomes = bodies.map((body) => exchange(transport, body))
    await expect.poll(() => waiting).toHaveLength(64)
    expect(node.connections).toBe(64)
    for (let i = 0; i < bodies.length; i++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(i)
      echo(waiting[i]!)
    }
    expect(await Promise.all(outcomes)).toEqual(bodies.map((reply) => ({ reply })))
    expect(node.connections).toBe(64)
  })

  it('posts again with the same cookie when no reply comes in time, and the first reply counts', async () => {
    const node = await peer((post, number) => {
      if (number === 2) echo(post)
    })
    const { transport, requests } = http(node.url)
    expect(await exchange(transport, 'de', { timeoutMs: 20, attempts: 3 })).toEqual({ reply: 'de' })
    expect(node.posts[0]?.body).toEqual(node.posts[1]?.body)
    await expect.poll(() => node.sockets.size).toBe(1)
    expect(requests.size).toBe(0)
  })

  it('posts again, once, when a connection it had kept was closed meanwhile', async () => {
    const node = await peer(({ request, body, response }, number) => {
      if (number === 2) request.socket.destroy()
      else response.end(body)
    })
    const { transport } = http(node.url)
    expect(await exchange(transport, 'd1:ai1ee')).toEqual({ reply: 'd1:ai1ee' })
    expect(await exchange(transport, 'd1:bi1ee')).toEqual({ reply: 'd1:bi1ee' })
    expect(node.posts).toHaveLength(3)
    expect(node.posts[1]?.body).toEqual(node.posts[2]?.body)
  })

  it('fails when the node closes every connection without a word', async () => {
    const node = await peer(({ request }) => void request.socket.destroy())
    const { transport, requests } = http(node.url)
    expect(await exchange(transport, 'de')).toMatchObject({ failure: 'refused' })
    expect(requests.size).toBe(0)
  })

  it.each([404, 413, 415, 500, 503])('fails with what the node says: status %i', async (status) => {
    const node = await peer(({ response }) => {
      response.statusCode = status
      response.end(`because ${'x'.repeat(1000)}`)
    })
    const { transport } = http(node.url)
    const outcome = await exchange(transport, 'de')
    expect(outcome).toMatchObject({
      failure: 'refused',
      why: expect.stringMatching(`HTTP status ${status} .*: because x`),
    })
    expect(JSON.stringify(outcome).length).toBeLessThan(400)
  })

  it('does not follow the node elsewhere', async () => {
    const other = await peer()
    const node = await peer(({ response }) => {
      response.writeHead(307, { location: other.url })
      response.end()
    })
    const { transport } = http(node.url)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: expect.stringContaining('307'),
    })
    expect(other.posts).toEqual([])
  })

  it('fails when the reply is to another request, or breaks off, or never ends', async () => {
    const node = await peer(({ response }, number) => {
      if (number === 1) response.end('1_2 de')
      else if (number <= 3) {
        response.setHeader('content-length', 100)
        response.write('half')
        setImmediate(() => response.destroy())
      } else {
        const more = () => {
          while (response.write(Buffer.alloc(65_536)));
          response.once('drain', more)
        }
        more()
      }
    })
    const { transport, requests } = http(node.url)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: expect.stringContaining('another request'),
    })
    expect(requests.dropped.foreign).toBe(1)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: 'connection closed without a reply',
    })
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: 'a reply of more than 1048576 bytes',
    })
  })

  it('fails at what is no HTTP at all', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.resume().end('SSH-2.0-OpenSSH_9\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { transport } = http(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'refused',
      why: expect.stringContaining('Parse Error'),
    })
    await transport.close()
    server.close()
  })

  it('fails when nothing listens there, or the name leads nowhere', async () => {
    expect(await exchange(http(`http://127.0.0.1:${await freePort()}`).transport, 'de')).toMatchObject({
      failure: 'refused',
    })
    expect(await exchange(http('http://no-such-host.invalid').transport, 'de')).toMatchObject({
      failure: 'unreachable',
    })
  })

  it('fails with headers that cannot be sent', async () => {
    const node = await peer()
    const { transport } = http(node.url, { headers: { 'x-bad': 'a\r\nb' } })
    expect(await exchange(transport, 'de')).toMatchObject({
      failure: 'local',
      why: expect.stringContaining('x-bad'),
    })
    expect(node.posts).toEqual([])
  })

  it('ends the post of a request that nobody waits for any more', async () => {
    const node = await peer(() => undefined)
    const { transport, requests } = http(node.url)
    expect(await exchange(transport, 'de', { timeoutMs: 20, attempts: 2 })).toMatchObject({
      failure: 'timeout',
    })
    await expect.poll(() => node.sockets.size).toBe(0)
    expect(requests.size).toBe(0)
  })

  it('fails what is open when it is closed, and what comes after', async () => {
    const node = await peer(() => undefined)
    const { transport } = http(node.url)
    const open = exchange(transport, 'de')
    await expect.poll(() => node.posts).toHaveLength(1)
    await transport.close()
    expect(await open).toMatchObject({ failure: 'closed' })
    expect(await exchange(transport, 'de')).toMatchObject({ failure: 'closed' })
    await expect.poll(() => node.sockets.size).toBe(0)
  })
})

describe('HttpTransport without cookies', () => {
  const plain = (node: HttpPeer) => `${node.url}-plain`

  it('posts the message alone, JSON as what it is', async () => {
    const node = await peer()
    const { transport } = http(plain(node))
    expect(await exchange(transport, 'd7:command4:pinge')).toEqual({ reply: 'd7:command4:pinge' })
    expect(await exchange(transport, '{"command":"ping"}')).toEqual({ reply: '{"command":"ping"}' })
    expect(node.posts.map(({ request }) => request.headers['content-type'])).toEqual([
      'application/x-rtpengine-ng',
      'application/json',
    ])
    expect(node.posts.map(({ request }) => request.url)).toEqual(['/ng-plain', '/ng-plain'])
  })

  it('posts once, over a connection of its own, whatever happens', async () => {
    const node = await peer(({ request }, number) => {
      if (number === 1) request.socket.destroy()
    })
    const { transport } = http(plain(node))
    expect(await exchange(transport, 'de', { timeoutMs: 500, attempts: 3 })).toMatchObject({
      failure: 'refused',
    })
    expect(await exchange(transport, 'de', { timeoutMs: 10, attempts: 3 })).toMatchObject({
      failure: 'timeout',
    })
    expect(node.posts).toHaveLength(2)
    expect(node.connections).toBe(2)
  })
})

describe('HttpTransport over TLS', () => {
  let tls: { key: string; cert: string }
  let other: { key: string; cert: string }
  beforeAll(async () => {
    tls = await certificate()
    other = await certificate()
  })
  const url = (node: HttpPeer) => `https://127.0.0.1:${node.port}/ng`

  it('trusts the authority it is given, sends the headers for a proxy in front, and keeps its connection', async () => {
    const node = await new HttpPeer(echo, tls).listen()
    const options = { tls: { ca: tls.cert }, headers: { authorization: 'Bearer secret' } }
    const { transport } = http(url(node), options)
    for (let i = 0; i < 3; i++) expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.posts[0]?.request.headers.authorization).toBe('Bearer secret')
    expect(node.connections).toBe(1)
  })

  it('does not trust anybody else, and says so', async () => {
    const node = await new HttpPeer(echo, tls).listen()
    for (const ca of [undefined, other.cert]) {
      const { transport } = http(url(node), { tls: { ca } })
      expect(await exchange(transport, 'de')).toMatchObject({
        failure: 'refused',
        why: expect.stringMatching(/self.signed certificate/),
      })
    }
    expect(node.posts).toEqual([])
  })
})
