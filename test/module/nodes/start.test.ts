import { describe, expect, it } from 'vitest'
import type { CallStore } from '../../../src/nodes/affinity/store.ts'
import { DnsServer } from '../../dns-server.ts'
import { freePort } from '../../free-port.ts'
import { scripts } from '../../media-proxy.ts'
import { client, errorOf, invite, proxy } from './scene.ts'

describe('pingAtStart false', () => {
  it('lets all media proxies count as up, unasked, until a command finds otherwise', async () => {
    const good = await proxy()
    const dead = `udp:127.0.0.1:${await freePort()}`
    const { media, states } = await client({ sockets: `${dead} ${good.url}`, pingAtStart: false })
    expect([states, good.pings]).toEqual([[], 0])
    expect(media.show().map(({ state }) => state)).toEqual(['up', 'up'])
    expect((await media.offer(invite())).node).toBe(good.url)
    expect(states).toEqual([`up>down ${dead}`])
  })

  it('asks none of those that setNodes adds either', async () => {
    const [first, added] = [await proxy(), await proxy(scripts.silent)]
    const { media, states } = await client({ sockets: first.url, pingAtStart: false, timeoutMs: 5000 })
    await media.setNodes(`${first.url} ${added.url}`)
    expect([states, first.pings, added.pings]).toEqual([[], 0, 0])
  })

  it('looks names up all the same', async () => {
    const server = new DnsServer()
    await server.listen()
    const node = await proxy()
    server.host('media.example', '127.0.0.1')
    server.service('_ng._udp.example', 'media.example', node.port)
    const { media } = await client({
      sockets: 'udp:_ng._udp.example',
      names: 'srv',
      resolver: server.resolver(),
      pingAtStart: false,
    })
    expect(media.show()).toMatchObject([{ url: node.url, state: 'up' }])
    expect((await media.offer(invite())).node).toBe(node.url)
    expect(node.pings).toBe(0)
    await server.close()
  })

  it('leaves the first ping to pingMs', async () => {
    const silent = await proxy(scripts.silent)
    const options = { sockets: silent.url, timeoutMs: 40, attempts: 1, pingMs: 60 }
    const { states } = await client({ ...options, pingAtStart: false })
    expect(states).toEqual([])
    await expect.poll(() => states).toEqual([`up>down ${silent.url}`])
  })

  it('believes what other SIP proxies report', async () => {
    const node = await proxy()
    const nothing = async () => undefined
    const store: CallStore = {
      find: async () => new Map(),
      keep: nothing,
      forget: nothing,
      report: nothing,
      watch: async (told) => told(node.url, 60_000),
      close: nothing,
    }
    const { media, states } = await client({ sockets: node.url, store, pingAtStart: false })
    expect([states, node.pings]).toEqual([[`up>down ${node.url}`], 0])
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
  })
})

describe('nodesPerCommand', () => {
  it('is how many media proxies a command goes to before it fails', async () => {
    const nodes = [await proxy(), await proxy(), await proxy()]
    const sockets = nodes.map(({ url }) => url).join(' ')
    const { media } = await client({ sockets, nodesPerCommand: 2 })
    for (const node of nodes) node.script = scripts.loadlimit
    expect(await errorOf(media.offer(invite()))).toMatchObject({ code: 'ERR_RTPPROXY_LOAD_LIMIT' })
    expect(nodes.flatMap(({ commands }) => commands)).toHaveLength(2)
  })
})
