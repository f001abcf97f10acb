import { describe, expect, it } from 'vitest'
import { command } from './command.ts'

const COMMANDS = [
  ...['demo', 'ping', 'show', 'enable', 'disable', 'drain', 'offer', 'decode', 'bench', 'relay', 'check'],
]

describe('the command line', () => {
  it('says what there is, and with which exit codes', async () => {
    const { code, out } = await command('--help')
    expect(code).toBe(0)
    for (const name of [...COMMANDS, 'completion']) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(out).toContain('Exit codes: 0 all is well')
  })

  it.each(COMMANDS)('has examples in the help of each command: %s', async (name) => {
    const { code, out } = await command(name, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Examples:\\n  .*rtpproxy-ng ${name}`))
  })

  it('says its version', async () => {
    expect((await command('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['ping'], /missing required argument 'url'/],
    [['ping', '--nonsense', 'x'], /unknown option '--nonsense'/],
    [['ping', '--count', '0', 'x'], /--count must be a whole number from 1 to 10000000, not '0'/],
    [['ping', 'udp:'], /ERR_RTPPROXY_URL/],
    [['show'], /required option '--management <url>' not specified/],
    [['show', '--management', 'ftp://x'], /--management must be http:\/\/HOST:PORT or unix:PATH/],
    [['offer', '/no/such/file'], /cannot read \/no\/such\/file: there is no such file/],
    [['decode', '/dev/zero'], /\/dev\/zero has more than 67108864 bytes/],
    [['check', '/dev/zero'], /\/dev\/zero has more than 2097152 bytes/],
    [['offer', '/'], /cannot read \/: it is a folder/],
    [['offer', '--as', 'dance', 'x'], /Allowed choices are offer, answer, delete, query/],
    [['decode', '--hex', 'abc'], /pairs of hexadecimal digits/],
    [['relay', '--ports', 'many'], /--ports must be MIN-MAX/],
    [['completion', 'dos'], /Allowed choices are bash, zsh, fish, powershell/],
  ])('ends with 2 when it is used wrongly: %j', async (args, message) => {
    const { code, out, err } = await command(...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
    expect(out).toBe('')
  })

  it.each([
    [['ping', '--json'], "missing required argument 'url'"],
    [['--json', 'nonsense'], "unknown command 'nonsense'"],
    [['--json'], 'a command is missing: --help has them'],
    [['show', '--json', '--management', 'ftp://x'], /^--management must be/],
  ])('tells programs in JSON what they ask for wrongly: %j', async (args, message) => {
    const { code, out, err } = await command(...args)
    expect([code, out]).toEqual([2, ''])
    expect(JSON.parse(err)).toEqual({
      error: { code: 'ERR_RTPPROXY_USAGE', message: expect.stringMatching(message) },
    })
  })

  it('tells programs of failures in JSON', async () => {
    const { code, err } = await command('decode', '--json', '--hex', '6431')
    expect(code).toBe(1)
    expect(JSON.parse(err)).toEqual({ error: { code: 'ERR_RTPPROXY_BENCODE', message: expect.any(String) } })
  })
})

describe('decode', () => {
  it.each([
    ['64313a6169316565', { a: 1 }],
    ['0x64 0x31:3a,61 69 31 65 65', { a: 1 }],
    ['315f3220 64343a70696e6730 3a 65', { cookie: '1_2', message: { ping: '' } }],
    ['343a ff00ff00', 'base64:/wD/AA=='],
    ['69 39303037313939323534373430393933 65', '9007199254740993'],
    ['6c 69 31 65 34 3a 73 70 61 6d 65 0d 0a', [1, 'spam']],
  ])('makes JSON of %s', async (hex, value) => {
    const { code, out } = await command('decode', '--hex', hex)
    expect(JSON.parse(out)).toEqual(value)
    expect(code).toBe(0)
  })

  it('takes what rtpengine takes when it is told to', async () => {
    const hex = Buffer.from('d7:command4:ping').toString('hex')
    expect((await command('decode', '--hex', hex)).code).toBe(1)
    expect(JSON.parse((await command('decode', '--tolerant', '--hex', hex)).out)).toEqual({ command: 'ping' })
  })
})
