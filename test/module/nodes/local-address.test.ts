import { describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../../src/module/client.ts'
import { NgClient } from '../../../src/ng/client.ts'
import { client, errorOf, invite, proxy } from './scene.ts'

const NODES = {
  4: ['udp:media.example', 'tcp:127.0.0.1:2223', 'http://127.0.0.1/ng', 'udp:127.0.0.1|ws://127.0.0.1'],
  6: ['udp6:media.example', 'tcp:[::1]:2223', 'wss://[::1]/', 'udp6:[::1]|tcp6:media.example'],
  // A name is looked up in the family that is wanted, and a path has none.
  any: ['http://media.example/ng', 'unix:/run/media', '/run/media'],
}

describe('localAddress', () => {
  it('is where every media proxy sees the client', async () => {
    const node = await proxy()
    const way = `${node.url}|tcp:127.0.0.1:${await node.listenTcp()}`
    const { media } = await client({ sockets: way, localAddress: '127.0.0.2' })
    expect((await media.offer(invite())).node).toBe(way)
    await media.query({ 'call-id': 'x' })
    expect([node.overStream, [...node.connections][0]!.remoteAddress]).toEqual([1, '127.0.0.2'])
    await media.close()
    const ng = new NgClient(`tcp:127.0.0.1:${way.split(':').at(-1)}`, { localAddress: '127.0.0.3' })
    expect(await ng.command('ping')).toMatchObject({ result: 'pong' })
    expect([...node.connections].map(({ remoteAddress }) => remoteAddress)).toContain('127.0.0.3')
    await ng.close()
  })

  it('that this host does not have takes no media proxy out of use, and the error says so', async () => {
    const node = await proxy()
    const { media, states } = await client({ sockets: node.url, localAddress: '192.0.2.1' })
    const error = await errorOf(media.offer(invite()))
    expect(error).toMatchObject({
      code: 'ERR_RTPPROXY_NO_NODE',
      cause: {
        code: 'ERR_RTPPROXY_UNREACHABLE',
        message: expect.stringContaining('bind EADDRNOTAVAIL 192.0.2.1'),
      },
    })
    expect([states, media.show()[0]!.state]).toEqual([[], 'up'])
  })

  it.each([
    [4, '127.0.0.2'],
    [6, '::1'],
  ] as const)('of IPv%i goes with media proxies of that family', async (family, localAddress) => {
    for (const url of [...NODES[family], ...NODES.any]) {
      await new NgClient(url, { localAddress }).close()
      await new RtpProxyNg({ sockets: url, localAddress }).close()
    }
    const refusal = { code: 'ERR_RTPPROXY_OPTION', option: 'localAddress' }
    for (const url of NODES[family === 4 ? 6 : 4]) {
      const message = `${url} cannot be reached from ${localAddress}, which is IPv${family}`
      const error = expect.objectContaining({ ...refusal, message })
      expect(() => new NgClient(url, { localAddress })).toThrow(error)
      expect(() => new RtpProxyNg({ sockets: url, localAddress })).toThrow(error)
      const { media } = await client({ localAddress })
      expect(await errorOf(media.setNodes(url))).toMatchObject({ ...refusal, message })
      expect(media.show()).toEqual([])
    }
  })

  it.each(['media.example', 5])('is refused as %s', (localAddress) => {
    const error = expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option: 'localAddress' })
    expect(() => new NgClient('udp:127.0.0.1', { localAddress } as never)).toThrow(error)
    expect(() => new RtpProxyNg({ localAddress } as never)).toThrow(error)
  })
})
