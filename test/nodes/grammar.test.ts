import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import { parseSockets, parseUrl } from '../../src/nodes/grammar.ts'

describe('the grammar of rtpproxy_sock', () => {
  it.each([
    ['udp:localhost:12221', { transport: 'udp', family: 4, host: 'localhost', port: 12221 }],
    ['UDP:10.0.0.1', { transport: 'udp', family: 4, host: '10.0.0.1', port: 22222 }],
    ['udp:10.0.0.1:', { transport: 'udp', family: 4, host: '10.0.0.1', port: 22222 }],
    ['udp6:[::1]:2223', { transport: 'udp', family: 6, host: '::1', port: 2223 }],
    ['udp6:[::1]', { transport: 'udp', family: 6, host: '::1', port: 22222 }],
    ['udp6:fe80::1:2223', { transport: 'udp', family: 6, host: 'fe80::1', port: 2223 }],
    ['udp6:host.example', { transport: 'udp', family: 6, host: 'host.example', port: 22222 }],
    ['tcp:host.example:2223', { transport: 'tcp', family: 4, host: 'host.example', port: 2223 }],
    ['TCP:[::1]', { transport: 'tcp', family: 6, host: '::1', port: 22222 }],
    ['tcp6:host.example', { transport: 'tcp', family: 6, host: 'host.example', port: 22222 }],
    ['unix:/run/ng.sock', { transport: 'unix', path: '/run/ng.sock' }],
    ['/run/ng.sock', { transport: 'unix', path: '/run/ng.sock' }],
  ])('reads %s', (url, address) => {
    expect(parseUrl(url)).toEqual(address)
  })

  it.each([
    'udp:',
    'udp::2223',
    'udp:h:0',
    'udp:h:65536',
    'udp:h:12a',
    'udp:[::1]:1',
    'udp6:[::1',
    'udp6:[x]:1',
    'tcp:[x]:1',
    'tcp4:h:1',
    'sctp:h:1',
    'unix:',
  ])('refuses %s by name', (url) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_URL', message: expect.stringContaining(url) }),
    )
  })

  it('takes UNIX paths as long as the kernel does, counted in bytes', () => {
    const longest = `/run/${'é'.repeat(51)}`
    expect(parseUrl(`unix:${longest}`)).toEqual({ transport: 'unix', path: longest })
    for (const url of [`unix:${longest}x`, `${longest}x`])
      expect(() => parseUrl(url)).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_URL' }))
  })

  it('reads set ids and weights, adds to a set named again, and counts nodes as written', () => {
    const sets = parseSockets(['udp:a:1=2  udp:b:2', ' 7==udp:c:3=0', '', '  ', '0 ==\tudp:d:4'])
    expect(
      sets.map(({ id, nodes }) => [id, nodes.map(({ url, weight, index }) => [url, weight, index])]),
    ).toEqual([
      [
        0,
        [
          ['udp:a:1', 2, 0],
          ['udp:b:2', 1, 1],
          ['udp:d:4', 1, 3],
        ],
      ],
      [7, [['udp:c:3', 0, 2]]],
    ])
  })

  it.each([
    '1 ==',
    '1 ==  ',
    'x == udp:a:1',
    '== udp:a:1',
    '-1 == udp:a:1',
    '4294967296 == udp:a',
    'udp:a:1=x',
    'udp:a:1=',
  ])("refuses '%s'", (text) => {
    expect(() => parseSockets([text])).toThrow(ConfigurationError)
  })

  it.each([
    'udp:h:1|',
    'udp:h:1 |',
    'udp:h:1||tcp:h:1',
    '|tcp:h:1',
    'udp:h:1|unix:/run/ng.sock',
    'udp:h:1 | unix:/run/ng.sock',
    'udp:h:1 | tcp:h:1 |',
    'udp:h:1|tcp:h:1|tcp:g:1',
    'tcp:h:1|udp:h:1',
  ])("refuses '%s' for what it is: no two URLs of one media proxy", (text) => {
    expect(() => parseSockets([text])).toThrow(/two URLs of one media proxy are one of udp:/)
  })

  it('says where the weight of two URLs belongs', () => {
    expect(() => parseSockets(['udp:h:1=2|tcp:h:1'])).toThrow(/behind the second URL/)
    expect(parseSockets(['udp:h:1 | tcp:h:1=2'])[0]!.nodes).toMatchObject([
      { url: 'udp:h:1|tcp:h:1', weight: 2 },
    ])
  })

  it('leaves paths their own signs', () => {
    const urls = ['unix:/run/a|b', '/run/a|b', 'ws://h/a|b', 'ws://h:1/path=3']
    expect(parseSockets([urls.join(' ')])[0]!.nodes.map(({ url, weight }) => [url, weight])).toEqual([
      ['unix:/run/a|b', 1],
      ['/run/a|b', 1],
      ['ws://h/a|b', 1],
      ['ws://h:1/path', 3],
    ])
  })

  it('reads anything or refuses it with a ConfigurationError', () => {
    const word = fc.constantFrom(
      'udp:',
      'udp6:',
      'unix:',
      '[',
      ']',
      '::1',
      ':',
      '=',
      '==',
      '|',
      'tcp:',
      'ws:',
      ' ',
      '1',
      'h',
      '/',
      '\t',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          parseSockets([words.join('')])
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
    )
  })
})
