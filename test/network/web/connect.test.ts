import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { BoundedResolver, type NameResolver } from '../../../src/network/names.ts'
import type { WebWay } from '../../../src/network/web/connect.ts'
import { certificate, echo, exchange, http, WebPeer, WebSocketPeer, webSocket } from './scene.ts'

/** A resolver that knows what it is told, and keeps what it is asked: `4 name`. */
function resolver(known: Record<string, string | Error | unknown>) {
  const asked: string[] = []
  const source: NameResolver = {
    addresses: async (host, family) => {
      asked.push(`${family} ${host}`)
      const answer =
        known[`${family} ${host}`] ?? Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
      if (typeof answer !== 'string') throw answer
      return answer.split(' ')
    },
    services: () => expect.unreachable(),
  }
  return { asked, names: new BoundedResolver(source) }
}

const KINDS = ['http', 'https', 'ws', 'wss'] as const
type Kind = (typeof KINDS)[number]
const NAME = 'media.example'

/** What the last peer heard of the name it was asked for by. */
interface Heard {
  host?: string | undefined
  servername?: string | false | null | undefined
}

async function peer(kind: Kind, tls: { key: string; cert: string } | undefined, heard: Heard, host?: string) {
  const note = (request: IncomingMessage): void => {
    heard.host = request.headers.host
    heard.servername = (request.socket as TLSSocket).servername
  }
  if (kind.startsWith('http')) {
    const made = new WebPeer((request, response) => {
      note(request)
      request.pipe(response)
    }, tls)
    return made.listen(0, host)
  }
  const made = new WebSocketPeer((message, socket, number) => {
    note(made.upgrades[number - 1]!)
    echo(message, socket, number)
  }, tls)
  return made.listen(0, host)
}

/** A node that answers, and the way to it by its name. */
async function scene(
  kind: Kind,
  { address = NAME, host, ...way }: WebWay & { address?: string; host?: string },
) {
  const tls = kind.endsWith('s') && kind !== 'ws' ? await certificate(NAME) : undefined
  const heard: Heard = {}
  const node: WebPeer = await peer(kind, tls, heard, host)
  return {
    node,
    heard,
    transport: to(kind, `${address}:${node.port}`, { ...way, ...(tls && { tls: { ca: tls.cert } }) }),
  }
}

function to(kind: Kind, where: string, way: WebWay) {
  const url = `${kind}://${where}/ng`
  return kind.startsWith('http') ? http(url, way).transport : webSocket(url, {}, way).transport
}

describe.each(KINDS)('a name behind %s:', (kind) => {
  it('is asked of the resolver, and stays the name that certificate and Host are about', async () => {
    const { asked, names } = resolver({ [`4 ${NAME}`]: '127.0.0.1' })
    const { transport, node, heard } = await scene(kind, { resolver: names })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(asked).toEqual([`4 ${NAME}`, `6 ${NAME}`])
    expect(heard.host).toBe(`${NAME}:${node.port}`)
    if (heard.servername !== undefined) expect(heard.servername).toBe(NAME)
    expect(heard.servername === undefined).toBe(kind === 'http' || kind === 'ws')
  })

  it('leads to its IPv6 address where it has no other', async () => {
    const { asked, names } = resolver({ [`6 ${NAME}`]: '::1' })
    const { transport } = await scene(kind, { resolver: names, host: '::1' })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(asked).toEqual([`4 ${NAME}`, `6 ${NAME}`])
  })

  it.each([
    ['127.0.0.1', '::1', '::1'],
    ['127.0.0.1 127.0.0.3', '::1', '127.0.0.3'],
    ['127.0.0.3 127.0.0.1', '::1', '127.0.0.3'],
  ])('leads from %s and %s to the one that somebody listens on: %s', async (four, six, host) => {
    const { names } = resolver({ [`4 ${NAME}`]: four, [`6 ${NAME}`]: six })
    const { transport } = await scene(kind, { resolver: names, host })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
  })

  it('is refused where nobody listens on any of its addresses', async () => {
    const { names } = resolver({ [`4 ${NAME}`]: '127.0.0.1', [`6 ${NAME}`]: '::1' })
    const { node } = await scene(kind, { resolver: names })
    const { port } = node
    await node.close()
    expect(await exchange(to(kind, `${NAME}:${port}`, { resolver: names }), 'de')).toEqual({
      failure: 'refused',
      why: `connect ECONNREFUSED 127.0.0.1:${port}`,
    })
  })

  it.each([
    ['that does not exist', undefined, 'no such name'],
    ['that a resolver of its own kind fails for', new Error('down for maintenance'), 'down for maintenance'],
    ['that it fails for without an error', 'nothing to say'.split(' '), 'nothing,to,say'],
    ['that nobody answers for', Object.assign(new Error('late'), { code: 'ETIMEOUT' }), 'late'],
  ])('%s cannot be reached, as over TCP', async (_, failure, why) => {
    const { asked, names } = resolver({ [`4 ${NAME}`]: failure })
    const transport = to(kind, `${NAME}:9`, { resolver: names })
    expect(await exchange(transport, 'de')).toEqual({ failure: 'unreachable', why })
    expect(asked).toEqual([`4 ${NAME}`, `6 ${NAME}`])
  })

  it('that leads to another name cannot be reached', async () => {
    const { names } = resolver({ [`4 ${NAME}`]: 'other.example', [`6 ${NAME}`]: 'other.example' })
    const transport = to(kind, `${NAME}:9`, { resolver: names })
    expect(await exchange(transport, 'de')).toEqual({
      failure: 'unreachable',
      why: `${NAME} has no address`,
    })
  })

  it('that is still being looked up holds no close up, and does no harm when it is found', async () => {
    const asked: ((addresses: string[]) => void)[] = []
    const addresses = () => new Promise<string[]>((resolve) => void asked.push(resolve))
    const names: NameResolver = { addresses, services: () => expect.unreachable() }
    const { transport, node } = await scene(kind, { resolver: names })
    const sent = exchange(transport, 'de')
    await expect.poll(() => asked, { interval: 1 }).toHaveLength(2)
    await transport.close()
    expect(await sent).toMatchObject({ failure: 'closed' })
    for (const answer of asked) answer(['127.0.0.1'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(node.connections).toBe(0)
  })

  it('is not asked for where there is an address', async () => {
    const { asked, names } = resolver({})
    const { transport } = await scene(kind, { resolver: names, address: '127.0.0.1' })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(asked).toEqual([])
  })

  it('is looked up in the family of localAddress, from where the connection comes', async () => {
    const { asked, names } = resolver({ [`4 ${NAME}`]: '127.0.0.1', [`6 ${NAME}`]: '::1' })
    const { transport, node } = await scene(kind, { resolver: names, localAddress: '127.0.0.2' })
    expect(await exchange(transport, 'de')).toEqual({ reply: 'de' })
    expect(node.sources).toEqual(['127.0.0.2'])
    const other = await scene(kind, { resolver: names, localAddress: '::1', host: '::1' })
    expect(await exchange(other.transport, 'de')).toEqual({ reply: 'de' })
    expect(asked).toEqual([`4 ${NAME}`, `6 ${NAME}`])
  })

  it('is not reached from an address this host does not have, which says nothing of the node', async () => {
    const { names } = resolver({ [`4 ${NAME}`]: '127.0.0.1' })
    const { transport } = await scene(kind, { resolver: names, localAddress: '192.0.2.1' })
    const why = 'bind EADDRNOTAVAIL 192.0.2.1'
    expect(await exchange(transport, 'de')).toEqual({ failure: 'local', why })
  })
})
