import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type ManagementOptions,
  type ManagementServer,
  managementServer,
} from '../../src/management/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const TOKEN = 'a token of 24 characters'

let engine: FakeRtpEngine
let media: RtpProxyNg
let server: ManagementServer
const open: ManagementServer[] = []
async function start(options: ManagementOptions = {}): Promise<ManagementServer> {
  server = await managementServer(media, options)
  open.push(server)
  return server
}
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  media = new RtpProxyNg({ sockets: `2 == ${engine.urls[0]}=3`, timeoutMs: 1000, attempts: 1 })
  await media.start()
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  await media.close()
  await engine.close()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A request as any program can make it: `fetch` does not let one choose `Host`. */
function ask(
  path: string,
  { method = 'GET', headers = {}, body = '' } = {},
  to = server.url,
): Promise<Answer> {
  const { hostname, port } = to.startsWith('unix:') ? { hostname: '', port: '' } : new URL(to)
  const place = hostname === '' ? { socketPath: to.slice(5) } : { host: hostname, port }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...place, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}
const JSON_TYPE = { 'content-type': 'application/json' }
const rpc = async (method: string, params: unknown = [], headers = {}) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { text } = await ask('/rpc', { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body })
  return JSON.parse(text)
}

describe('the management server', () => {
  it('enables what answers, if that is what is asked for', async () => {
    await start()
    const [url = ''] = engine.urls
    media.enable(url, false)
    engine.freeze()
    expect((await rpc('nh_enable_rtpp', [url, 2])).result).toEqual({ url, enabled: false, nodes: 1 })
    expect(media.show()[0]?.state).toBe('disabled')
    engine.thaw()
    expect((await rpc('nh_enable_rtpp', { url, enabled: 'probe' })).result).toMatchObject({ enabled: true })
    expect(media.show()[0]?.state).toBe('up')
  })

  it('shows, disables, enables and pings media proxies under the names of the module', async () => {
    await start()
    const [url] = engine.urls
    expect((await rpc('nh_show_rtpp')).result).toMatchObject([{ url, set: 2, weight: 3, state: 'up' }])
    expect((await rpc('nh_enable_rtpp', [url, 0])).result).toEqual({ url, enabled: false, nodes: 1 })
    expect(media.show()[0]?.state).toBe('disabled')
    expect((await rpc('nh_enable_rtpp', { url, enabled: true })).result).toMatchObject({ enabled: true })
    expect(media.show()[0]?.state).toBe('up')
    expect((await rpc('nh_ping_rtpp')).result).toEqual([{ url, answered: true, ms: expect.any(Number) }])
    await engine.stop()
    expect((await rpc('nh_ping_rtpp', [url])).result).toMatchObject([{ url, answered: false }])
  })

  it('tells of sets, calls, counters and orphans, and drains', async () => {
    await start()
    const [url] = engine.urls
    await media.command('offer', { 'call-id': 'one', 'from-tag': 'f', sdp: SDP }, { set: 2 })
    expect((await rpc('sets')).result).toEqual([
      { set: 2, nodes: 1, usable: 1, weight: 3, calls: 1, open: 0 },
    ])
    expect((await rpc('calls', [url])).result).toMatchObject([{ callId: 'one' }])
    expect((await rpc('calls', { url, limit: 0 })).result).toEqual([])
    expect((await rpc('counters')).result).toMatchObject({ calls: 1, dropped: { late: 0 } })
    expect((await rpc('orphans')).result).toMatchObject({ orphans: [], calls: 1, complete: true })
    expect((await rpc('drain', [url])).result).toEqual({ url, calls: 1 })
    expect(media.show()[0]?.state).toBe('draining')
  })

  it.each([
    ['nh_enable_rtpp', ['udp:nobody:1', 0], -32000],
    ['nh_ping_rtpp', ['udp:nobody:1'], -32000],
    ['drain', ['udp:nobody:1'], -32000],
    ['calls', ['udp:nobody:1'], -32000],
    ['nh_enable_rtpp', [], -32602],
    ['nh_enable_rtpp', ['x', 'perhaps'], -32602],
    ['calls', [''], -32602],
    ['calls', ['x', -1], -32602],
    ['orphans', [5], -32602],
    ['quit', [], -32601],
  ])('answers %s %j with the error %i', async (method, params, code) => {
    await start()
    expect((await rpc(method, params)).error.code).toBe(code)
  })

  it('takes JSON and nothing else, and no more of it than it may', async () => {
    await start({ bodyLimit: 2000 })
    const post = (headers: object, body: string) =>
      ask('/rpc', { method: 'POST', headers: headers as never, body })
    expect(JSON.parse((await post(JSON_TYPE, 'no json')).text).error.code).toBe(-32700)
    expect((await post({ 'content-type': 'text/plain' }, '{}')).status).toBe(415)
    expect((await post({}, '{}')).status).toBe(415)
    expect((await post(JSON_TYPE, ' '.repeat(3000))).status).toBe(413)
    const note = '{"jsonrpc":"2.0","method":"sets"}'
    expect(await post(JSON_TYPE, note)).toMatchObject({ status: 204, text: '' })
    expect((await ask('/rpc')).status).toBe(404)
    expect((await ask('/nothing')).status).toBe(404)
  })

  it('says whether there is a media proxy for new calls', async () => {
    await start()
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok","usable":1}' })
    media.enable(engine.urls[0]!, false)
    expect((await ask('/healthz')).status).toBe(503)
  })

  it('shows the metrics it is given, and has none otherwise', async () => {
    await start()
    expect((await ask('/metrics')).status).toBe(404)
    await start({ metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'x 1\n' } })
    expect(await ask('/metrics')).toMatchObject({
      status: 200,
      text: 'x 1\n',
      headers: { 'content-type': expect.stringContaining('version=0.0.4') },
    })
  })

  it('turns away who asks too often', async () => {
    await start({ requestsPerMinute: 3 })
    for (let i = 0; i < 3; i++) expect((await ask('/healthz')).status).toBe(200)
    const { status, headers } = await ask('/healthz')
    expect(status).toBe(429)
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  })

  it('turns away who tries one token after the other, or one path', async () => {
    await start({ token: TOKEN, requestsPerMinute: 3 })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) {
      const headers = { ...JSON_TYPE, authorization: `Bearer guess ${i}` }
      statuses.push((await ask('/rpc', { method: 'POST', headers, body: '{}' })).status)
    }
    expect(statuses).toEqual([401, 401, 401, 429])
    await start({ requestsPerMinute: 3 })
    statuses.length = 0
    for (let i = 0; i < 4; i++) statuses.push((await ask(`/${i}`)).status)
    expect(statuses).toEqual([404, 404, 404, 429])
  })

  it('serves a page that may run nothing but its own script', async () => {
    await start()
    const { status, headers, text } = await ask('/')
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    for (const [, file] of text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect(await ask(`/${file}`)).toMatchObject({ status: 200, text: expect.stringMatching(/.{20}/) })
    expect(text).not.toMatch(/https?:/)
  })
})

describe('who is let in', () => {
  it('is, on loopback without a token, any program of this host, but no page of another site', async () => {
    await start()
    const { port } = new URL(server.url)
    expect((await ask('/healthz', { headers: { host: `localhost:${port}` } })).status).toBe(200)
    expect((await ask('/healthz', { headers: { host: `[::1]:${port}` } })).status).toBe(200)
    expect((await ask('/healthz', { headers: { host: 'rebound.example.com' } })).status).toBe(403)
    expect((await ask('/', { headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await rpc('sets', [], { origin: 'null' })).error).toContain('not answered')
    expect((await rpc('sets', [], { origin: server.url, host: `127.0.0.1:${port}` })).result).toHaveLength(1)
  })

  it('is with a token who sends it', async () => {
    await start({ token: TOKEN })
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
    for (const path of ['/events', '/metrics', '/rpc']) {
      expect(await ask(path)).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
      expect((await ask(path, bearer(`${TOKEN}x`))).status).toBe(401)
      expect((await ask(path, { headers: { authorization: `Basic ${TOKEN}` } })).status).toBe(401)
    }
    expect((await rpc('sets')).error).toContain('token')
    expect((await rpc('sets', [], bearer(TOKEN).headers)).result).toHaveLength(1)
    // The page asks for it.
    expect((await ask('/?from=bookmark')).status).toBe(200)
    expect((await ask('/healthz?probe=1')).status).toBe(200)
  })

  it('needs a token anywhere but on loopback', async () => {
    for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:80'])
      await expect(managementServer(media, { listen })).rejects.toMatchObject({
        option: 'listen',
        message: expect.stringContaining('token'),
      })
    await start({ listen: '0.0.0.0:0', token: TOKEN })
    expect(server.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  })

  it('is at a UNIX socket who may open it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'management-'))
    const path = join(directory, 'socket')
    await start({ listen: `unix:${path}` })
    expect(server.url).toBe(`unix:${path}`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await ask('/healthz')).status).toBe(200)
    await server.close()
    rmSync(directory, { recursive: true })
  })

  it('takes the place of a UNIX socket that a killed process has left, and of nothing else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'management-'))
    const path = join(directory, 'socket')
    const left = `require('net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', left])
    expect(statSync(path).isSocket()).toBe(true)
    await start({ listen: `unix:${path}` })
    expect((await ask('/healthz')).status).toBe(200)
    await expect(managementServer(media, { listen: `unix:${path}` })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    expect((await ask('/healthz')).status).toBe(200)
    const file = join(directory, 'file')
    writeFileSync(file, 'precious')
    await expect(managementServer(media, { listen: `unix:${file}` })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    expect(readFileSync(file, 'utf8')).toBe('precious')
    await server.close()
    rmSync(directory, { recursive: true })
  })

  it.each<[ManagementOptions, string]>([
    [{ token: 'short' }, 'token'],
    [{ listen: 'somewhere' }, 'listen'],
    [{ listen: '127.0.0.1:99999' }, 'listen'],
    [{ listen: '::1:80' }, 'listen'],
    [{ bodyLimit: 1 }, 'bodyLimit'],
    [{ requestsPerMinute: 0 }, 'requestsPerMinute'],
    [{ sampleMs: 1.5 }, 'sampleMs'],
    [{ metrics: {} as never }, 'metrics'],
  ])('is nobody with the options %j', async (options, option) => {
    await expect(managementServer(media, options)).rejects.toMatchObject({ option })
  })

  it('rejects with what the system says when the place is taken', async () => {
    await start()
    const { port } = new URL(server.url)
    await expect(managementServer(media, { listen: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })
})

describe('without its packages', () => {
  it('says what to install', async () => {
    vi.doMock('fastify', () => {
      throw new Error('Cannot find package fastify')
    })
    await expect(managementServer(media)).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_OPTION',
      message: expect.stringContaining('npm install fastify @fastify/rate-limit'),
    })
    vi.doUnmock('fastify')
  })
})
