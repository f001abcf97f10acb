import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ManagementServer, managementServer } from '../../src/management/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { invite } from '../diagnostics/scene.ts'
import { command } from './command.ts'

const TOKEN = 'a token of 24 characters'

let engine: FakeRtpEngine
let url: string
let media: RtpProxyNg
let server: ManagementServer
let at: string[]
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  url = engine.urls[0]!
  media = new RtpProxyNg({ sockets: url })
  await media.start()
  server = await managementServer(media)
  at = ['--management', server.url]
})
afterEach(async () => {
  await server.close()
  await media.close()
  await engine.close()
})

describe('steering a running SIP server', () => {
  it('shows its media proxies', async () => {
    await media.offer(invite())
    const { code, out } = await command('show', ...at)
    expect(code).toBe(0)
    expect(out).toMatch(/^set +media proxy +state +weight +calls +open\n/)
    expect(out).toMatch(new RegExp(`^0 +${url} +up +1 +1 +0$`, 'm'))
    expect(JSON.parse((await command('show', '--json', ...at)).out)).toMatchObject([{ url, state: 'up' }])
  })

  it('disables and enables, and fails while no media proxy takes calls', async () => {
    expect((await command('disable', url, ...at)).out).toContain('disabled')
    expect(media.show()[0]?.state).toBe('disabled')
    expect((await command('show', ...at)).code).toBe(1)
    expect((await command('enable', url, ...at)).code).toBe(0)
    expect(media.show()[0]?.state).toBe('up')
  })

  it('enables one that is back with --probe, and fails for one that is not', async () => {
    media.enable(url, false)
    expect((await command('enable', url, '--probe', ...at)).code).toBe(0)
    expect(media.show()[0]?.state).toBe('up')
    media.enable(url, false)
    await engine.stop()
    const { code, out } = await command('enable', url, '--probe', ...at)
    expect([code, out]).toEqual([1, expect.stringContaining('disabled')])
    await engine.start()
  })

  it('drains, and waits for the last call if it is told to', async () => {
    await media.offer(invite())
    expect((await command('drain', url, ...at)).out).toContain('draining')
    const drained = command('drain', url, '--wait', ...at)
    const first = await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])
    expect(first).toBe('waits')
    await media.destroy(invite())
    const { code, out } = await drained
    expect(code).toBe(0)
    expect(out).toMatch(/draining +1 +0 +0$/m)
  })

  it('says so when it is enabled while one waits', async () => {
    await media.offer(invite())
    const drained = command('drain', url, '--wait', ...at)
    await expect.poll(() => media.show()[0]?.state).toBe('draining')
    media.enable(url, true)
    const { code, err } = await drained
    expect([code, err]).toEqual([1, expect.stringContaining('is not draining any more')])
  })

  it('goes over a UNIX socket as well', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cli-'))
    await using unix = await managementServer(media, { listen: `unix:${directory}/management` })
    expect((await command('show', '--management', unix.url)).code).toBe(0)
    rmSync(directory, { recursive: true })
  })

  it('gives the token, and says when it is wanted', async () => {
    await using closed = await managementServer(media, { token: TOKEN })
    const without = await command('show', '--management', closed.url)
    expect(without.code).toBe(1)
    expect(without.err).toContain('wants a token')
    expect((await command('show', '--management', closed.url, '--token', TOKEN)).code).toBe(0)
  })

  it.each([
    ['enable', /unknown|no media proxy/i],
    ['drain', /unknown|no media proxy/i],
  ])('fails for a media proxy nobody knows: %s', async (name, message) => {
    const { code, err } = await command(name, 'udp:nowhere', ...at)
    expect(code).toBe(1)
    expect(err).toMatch(message)
  })

  it('goes below a path, where a proxy has put it', async () => {
    let asked = ''
    const proxy: Server = createServer(({ url }, response) => {
      asked = url!
      response.end('{"jsonrpc":"2.0","id":1,"result":[{"state":"up"}]}')
    })
    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)))
    const { port } = proxy.address() as AddressInfo
    for (const [path, wanted] of [
      ['', '/rpc'],
      ['/', '/rpc'],
      ['/media', '/media/rpc'],
      ['/media/', '/media/rpc'],
    ]) {
      expect((await command('show', '--management', `http://127.0.0.1:${port}${path}`)).code).toBe(0)
      expect(asked).toBe(wanted)
    }
    await new Promise((resolve) => proxy.close(resolve))
  })

  it('says so when there is no answer', async () => {
    const silent: Server = createServer(() => undefined)
    await new Promise((resolve) => silent.listen(0, '127.0.0.1', () => resolve(undefined)))
    const { port } = silent.address() as AddressInfo
    const soon = AbortSignal.timeout.bind(AbortSignal)
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => soon(50))
    const { code, err } = await command('show', '--management', `http://127.0.0.1:${port}`)
    timeout.mockRestore()
    expect([code, err]).toEqual([1, expect.stringContaining('cannot be reached: no answer in 10 s')])
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })

  it('fails where nobody listens', async () => {
    await server.close()
    const { code, err } = await command('show', ...at)
    expect(code).toBe(1)
    expect(err).toContain(`${server.url} cannot be reached: ECONNREFUSED`)
  })

  it.each([
    ['a page', (text: string) => text, /is no management server \(status 200\)/],
    ['an error', () => '{"error":{"message":"go away"}}', /: go away/],
    ['nothing at all', () => '{}', /: status 200/],
  ])('fails when something else answers: %s', async (_, answer, message) => {
    const other: Server = createServer((__, response) => response.end(answer('<html>')))
    await new Promise((resolve) => other.listen(0, '127.0.0.1', () => resolve(undefined)))
    const { port } = other.address() as AddressInfo
    const { code, err } = await command('show', '--management', `http://127.0.0.1:${port}`)
    expect(code).toBe(1)
    expect(err).toMatch(message)
    await new Promise((resolve) => other.close(resolve))
  })
})
