import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../src/errors.ts'
import { RtpProxyNg } from '../../../src/module/client.ts'
import { parseWebUrl } from '../../../src/network/web/address.ts'
import { NgClient } from '../../../src/ng/client.ts'

describe('the URL of a node that speaks HTTP or WebSocket', () => {
  it.each([
    ['http:h', 'http', 'http://h/ng', false],
    ['http://h', 'http', 'http://h/ng', false],
    ['http://h/', 'http', 'http://h/ng', false],
    ['HTTP://h:8080/a/ng', 'http', 'http://h:8080/a/ng', false],
    ['https:h:8443', 'http', 'https://h:8443/ng', false],
    ['http://h/ng-plain', 'http', 'http://h/ng-plain', true],
    ['http://[2001:db8::1]:81', 'http', 'http://[2001:db8::1]:81/ng', false],
    ['ws:h', 'websocket', 'ws://h/', false],
    ['wss://h:8443/rtpengine', 'websocket', 'wss://h:8443/rtpengine', false],
    ['ws://127.0.0.1:9911/ng-plain', 'websocket', 'ws://127.0.0.1:9911/ng-plain', true],
  ])('%s is %s at %s', (url, transport, target, plain) => {
    expect(parseWebUrl(url)).toEqual({ transport, url: target, plain })
  })

  it.each([
    ['http:', 'malformed'],
    ['http://', 'malformed'],
    ['http://h:0', 'no port'],
    ['http://h:65536', 'no port'],
    ['http://h:x', 'malformed'],
    ['http://user:password@h', 'authorization'],
    ['http://h/ng?x=1', 'query'],
    ['http://h/ng#x', 'fragment'],
    ['http://[::1', 'malformed'],
    ['http://[zz]', 'no IPv6 address'],
    ['ftp://h', 'malformed'],
    ['http://h\\x', 'malformed'],
    ['http://a b', 'malformed'],
  ])('%s is refused: %s', (url, why) => {
    expect(() => parseWebUrl(url)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_URL', message: expect.stringContaining(why) }),
    )
  })

  it('is read as the standard reads it, or refused, whatever it is', () => {
    const part = fc.oneof(
      fc.webAuthority(),
      fc.domain(),
      fc.string({ maxLength: 12 }),
      fc.constantFrom('[::1]', 'h:80', 'a@b', '%', '..'),
    )
    const path = fc.oneof(
      fc.constant(''),
      fc.webPath(),
      fc.string({ maxLength: 8 }).map((text) => `/${text}`),
    )
    const url = fc.tuple(fc.constantFrom('http:', 'https://', 'ws://', 'wss:', 'WS://'), part, path)
    fc.assert(
      fc.property(url, ([scheme, host, rest]) => {
        const text = `${scheme}${host}${rest}`
        let address: ReturnType<typeof parseWebUrl>
        try {
          address = parseWebUrl(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          return
        }
        const standard = new URL(text.replace(/^(\w+):(?:\/\/)?/, '$1://'))
        const { host: there, protocol, username, search } = new URL(address.url)
        expect([there, protocol, username, search]).toEqual([standard.host, standard.protocol, '', ''])
      }),
      { numRuns: 1000 },
    )
  })
})

describe('headers, TLS options and resolvers that cannot be used', () => {
  it.each([
    ['web', { web: 'x' }],
    ['web.hedders', { web: { hedders: {} } }],
    ['web.headers', { web: { headers: null } }],
    ['web.headers', { web: { headers: { a: 1 } } }],
    ['web.headers', { web: { headers: { 'a b': 'x' } } }],
    ['web.headers', { web: { headers: { authorization: 'Bearer s3cret\r\nx: y' } } }],
    ['web.tls', { web: { tls: null } }],
    ['web.tls', { web: { tls: { ca: 'no PEM', cert: 'no PEM', key: 'no PEM' } } }],
    ['web.tls', { web: { tls: { minVersion: 'TLSv9' } } }],
    ['resolver', { resolver: {} }],
    ['resolver', { resolver: null }],
  ])('are refused by the name of the option: %s', (option, options) => {
    const refused = expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option })
    expect(() => new NgClient('https://127.0.0.1/ng', options as never)).toThrow(refused)
    expect(() => new RtpProxyNg(options as never)).toThrow(refused)
  })

  it('are told without the value of the header, which may be a secret', () => {
    const headers = { authorization: 'Bearer s3cret\n' }
    expect(() => new NgClient('http://127.0.0.1/ng', { web: { headers } })).toThrow(/^((?!s3cret).)*$/)
  })
})

describe('the resolver of an NgClient', () => {
  it('is not asked for addresses, and not waited for longer than its bounds allow', async () => {
    const asked: string[] = []
    const resolver = {
      addresses: async (host: string) => {
        asked.push(host)
        return []
      },
      services: async () => [],
    }
    await using client = new NgClient('tcp:127.0.0.1:1', { resolver })
    await expect(client.ping()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    expect(asked).toEqual([])
    await using named = new NgClient('tcp:media.example:1', { resolver })
    await expect(named.ping()).rejects.toMatchObject({ cause: { code: 'ENODATA' } })
    expect(asked).toEqual(['media.example'])
  })
})
