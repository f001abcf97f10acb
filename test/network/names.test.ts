import { afterEach, describe, expect, it } from 'vitest'
import { BoundedResolver, type NameResolver, systemNames } from '../../src/network/names.ts'
import { DnsServer } from '../dns-server.ts'

const servers: DnsServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function nameServer(): Promise<DnsServer> {
  const server = new DnsServer()
  await server.listen()
  servers.push(server)
  return server
}

/** A resolver whose questions each test answers itself. */
function scripted() {
  const questions: { name: string; answer: (found: string[]) => void; fail: (cause: Error) => void }[] = []
  const ask = (name: string) =>
    new Promise<never>((resolve, reject) => {
      questions.push({ name, answer: (found) => resolve(found as never), fail: reject })
    })
  const source: NameResolver = { addresses: (host, family) => ask(`${host} ${family}`), services: ask }
  return { source, questions }
}

describe('the system', () => {
  it('knows the names of this host', async () => {
    expect(await systemNames.addresses('localhost', 4)).toContain('127.0.0.1')
  })

  it('says so when there is no such name', async () => {
    await expect(systemNames.addresses('no-such-host.invalid', 4)).rejects.toMatchObject({
      syscall: 'getaddrinfo',
    })
  })
})

describe('a name server', () => {
  it('gives the records of a service, all of them', async () => {
    const server = await nameServer()
    server.service('_ng._udp.example.com', 'a.example.com', 2223, 10, 60)
    server.service('_ng._udp.example.com', 'b.example.com', 2224, 20, 0)
    const records = await server.resolver().services('_ng._udp.example.com')
    expect(records).toHaveLength(2)
    expect(records).toEqual(
      expect.arrayContaining([
        { host: 'a.example.com', port: 2223, priority: 10, weight: 60 },
        { host: 'b.example.com', port: 2224, priority: 20, weight: 0 },
      ]),
    )
  })

  it('gives the addresses of a host by family', async () => {
    const server = await nameServer()
    server.host('a.example.com', '192.0.2.1', '192.0.2.2', '2001:db8::1')
    const resolver = server.resolver()
    expect([...(await resolver.addresses('a.example.com', 4))].sort()).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await resolver.addresses('a.example.com', 6)).toEqual(['2001:db8::1'])
    await expect(resolver.addresses('b.example.com', 4)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('that is silent is waited for no longer than the limit', async () => {
    const server = await nameServer()
    server.silent = true
    await expect(server.resolver(30).services('_ng._udp.example.com')).rejects.toMatchObject({
      code: 'ETIMEOUT',
      message: 'no answer for _ng._udp.example.com within 30 ms',
    })
  })
})

describe('a question', () => {
  it('is not asked for an IP address, which stands for itself in its family only', async () => {
    const { source, questions } = scripted()
    const resolver = new BoundedResolver(source)
    expect(await resolver.addresses('192.0.2.1', 4)).toEqual(['192.0.2.1'])
    expect(await resolver.addresses('2001:db8::1', 6)).toEqual(['2001:db8::1'])
    await expect(resolver.addresses('192.0.2.1', 6)).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(questions).toEqual([])
  })

  it('is asked once for all who wait, by name and family, and anew for those who come later', async () => {
    const { source, questions } = scripted()
    const resolver = new BoundedResolver(source)
    const answers = [resolver.addresses('a', 4), resolver.addresses('a', 4), resolver.addresses('a', 6)]
    expect(questions.map(({ name }) => name)).toEqual(['a 4', 'a 6'])
    questions[0]!.answer(['192.0.2.1'])
    questions[1]!.answer(['2001:db8::1'])
    expect(await Promise.all(answers)).toEqual([['192.0.2.1'], ['192.0.2.1'], ['2001:db8::1']])
    const later = resolver.addresses('a', 4)
    expect(questions).toHaveLength(3)
    questions[2]!.answer(['192.0.2.2'])
    expect(await later).toEqual(['192.0.2.2'])
  })

  it('fails for all who wait, and is asked anew afterwards', async () => {
    const { source, questions } = scripted()
    const resolver = new BoundedResolver(source)
    const outcomes = Promise.allSettled([resolver.services('_a'), resolver.services('_a')])
    questions[0]!.fail(new Error('SERVFAIL'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    void resolver.services('_a').catch(() => undefined)
    expect(questions).toHaveLength(2)
  })

  it('that nobody answered in time is not asked a second time while the first is open', async () => {
    const { source, questions } = scripted()
    const resolver = new BoundedResolver(source, 5)
    await expect(resolver.addresses('a', 4)).rejects.toMatchObject({ code: 'ETIMEOUT' })
    const second = resolver.addresses('a', 4)
    questions[0]!.answer(['192.0.2.1'])
    expect(await second).toEqual(['192.0.2.1'])
    expect(questions).toHaveLength(1)
  })

  it('answered with nothing has failed', async () => {
    const { source, questions } = scripted()
    const answer = new BoundedResolver(source).addresses('a', 4)
    questions[0]!.answer([])
    await expect(answer).rejects.toMatchObject({ code: 'ENODATA' })
  })
})
