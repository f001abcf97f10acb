import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import { readConfiguration } from '../../src/kamailio/configuration.ts'
import { checkParameters } from '../../src/kamailio/parameters.ts'

const file = readFileSync(new URL('./kamailio.cfg', import.meta.url), 'utf8')
const modparam = (name: string, value: string) => `modparam("rtpproxy-ng", "${name}", ${value})`

describe('reading a kamailio.cfg', () => {
  it('takes over what the file tells the module, and nothing else', () => {
    expect(readConfiguration(file)).toEqual({
      rtpproxy_sock: ['udp:192.0.2.40:2223', '2 == udp:10.0.0.2:2223=3 udp:10.0.0.3:2223'],
      rtpproxy_tout: 2,
      rtpproxy_disable_tout: 60,
      rtpproxy_retr: 3,
      extra_id_pv: '$avp(extra_id)',
    })
  })

  it('gives nothing for a file that does not mention the module', () => {
    expect(
      readConfiguration('#!KAMAILIO\nmodparam("rtpengine", "rtpengine_sock", $env(X))\nroute { exit; }'),
    ).toEqual({})
    expect(readConfiguration('')).toEqual({})
  })

  it.each([
    ['a name that is defined nowhere', modparam('rtpproxy_tout', 'TIMEOUT'), 'TIMEOUT'],
    ['an environment variable', modparam('rtpproxy_sock', '"udp:$env(HOST):1"'), '$env(HOST)'],
    ['a variable', modparam('rtpproxy_sock', '$var(x)'), 'variable'],
    ['a name taken from the environment', `#!defenv HOST\n${modparam('rtpproxy_sock', 'HOST')}`, 'HOST'],
    [
      'a substitution by regular expression',
      `#!subst "/10\\.(.*)/\\1/"\n${modparam('rtpproxy_sock', '"udp:10.1.1.1"')}`,
      'substitution',
    ],
    ['an unknown parameter', modparam('rtpproxy_sockt', '"udp:a:1"'), "did you mean 'rtpproxy_sock'"],
    ['a number where a string belongs', modparam('rtpproxy_sock', '5'), 'a string'],
    ['a string where a number belongs', modparam('rtpproxy_retr', '"5"'), 'a number'],
    ['a number out of range', modparam('rtpproxy_retr', '-1'), 'rtpproxy_retr must be'],
    ['a missing parenthesis', 'modparam("rtpproxy-ng", "rtpproxy_retr", 5', "expected ')'"],
    ['a missing value', modparam('rtpproxy_retr', ''), 'no value'],
    ['an open string', 'modparam("rtpproxy-ng', 'not closed'],
    ['an open comment', '/* modparam', 'not closed'],
  ])('refuses %s and says in which line', (_, text, what) => {
    const lines = text.split('\n').length
    expect(() => readConfiguration(`# first\n\n${text}`)).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_CONFIG',
        line: 2 + lines,
        message: expect.stringContaining(what),
      }),
    )
  })

  it('joins neighbouring strings, as Kamailio does', () => {
    expect(readConfiguration(modparam('rtpproxy_sock', '"udp:a:1 " /* and */ "udp:b:2"'))).toEqual({
      rtpproxy_sock: ['udp:a:1 udp:b:2'],
    })
  })

  it('reads the same whatever blanks and comments stand between the tokens', () => {
    const tokens = ['modparam', '(', '"rtpproxy-ng"', ',', '"rtpproxy_retr"', ',', '7', ')']
    const filler = fc.constantFrom(' ', '\t', '\n', '\r\n', '/* x " */', '# y "\n', '// z (\n', '')
    fc.assert(
      fc.property(fc.array(filler, { minLength: 9, maxLength: 9 }), (fillers) => {
        expect(readConfiguration(tokens.map((token, i) => fillers[i] + token).join('') + fillers[8])).toEqual(
          { rtpproxy_retr: 7 },
        )
      }),
    )
  })

  it('reads any mutation of a file or refuses it with a ConfigurationError, and never hangs', () => {
    const piece = fc.constantFrom(
      '"',
      "'",
      '/*',
      '*/',
      '#!',
      '#!ifdef X\n',
      '#!endif\n',
      '#!define A A\n',
      '#!substdef "!u!!"\n',
      '(',
      ')',
      ',',
      '\\',
      '\n',
      '$env(',
      '0x',
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length), fc.nat(5), piece), { maxLength: 4 }),
        (mutations) => {
          let text = file
          for (const [at, removed, inserted] of mutations)
            text = text.slice(0, at) + inserted + text.slice(at + removed)
          try {
            readConfiguration(text)
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigurationError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('is not led astray by definitions that go in circles', () => {
    const text = `#!define A B\n#!define B A\n${modparam('rtpproxy_retr', 'A')}`
    expect(() => readConfiguration(text)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_CONFIG', line: 3 }),
    )
    const bomb = `${Array.from({ length: 40 }, (_, i) => `#!define A${i} A${i + 1} A${i + 1}`).join('\n')}\n${modparam('rtpproxy_retr', 'A0')}`
    expect(() => readConfiguration(bomb)).toThrow(ConfigurationError)
  })
})

describe("the module's parameters", () => {
  it('have the defaults of the module', () => {
    expect(checkParameters({})).toEqual({
      rtpproxy_sock: [],
      rtpproxy_disable_tout: 60,
      rtpproxy_tout: 1,
      rtpproxy_retr: 5,
      extra_id_pv: '',
    })
  })

  it.each([
    [{ rtpproxy_tout: 0 }, 'rtpproxy_tout'],
    [{ rtpproxy_tout: '1' as never }, 'rtpproxy_tout'],
    [{ rtpproxy_retr: 1.5 }, 'rtpproxy_retr'],
    [{ rtpproxy_sock: [5] as never }, 'rtpproxy_sock'],
    [{ extra_id_pv: 5 as never }, 'extra_id_pv'],
    [{ rtpproxy_socks: 'udp:a:1' } as never, 'rtpproxy_socks'],
    [null as never, 'parameters'],
  ])('refuse %j by name', (input, option) => {
    expect(() => checkParameters(input)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option }),
    )
  })
})
