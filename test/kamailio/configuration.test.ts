import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import { checkParameters, readConfiguration } from '../../src/kamailio/parameters.ts'

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
    ['a name in doubt', `#!trydefenv A=N\n#!ifdef N\n${modparam('rtpproxy_retr', '1')}#!endif`, '#!ifdef'],
    [
      'a substitution by what the environment holds',
      `#!substdef "!H!$env(H)!"\n${modparam('rtpproxy_sock', '"udp:H:1"')}`,
      '#!substdef',
    ],
    ['variables in modparamx', 'modparamx("rtpproxy-ng", "extra_id_pv", "$var(x)")', 'a variable'],
    ['an expression that may name the module', 'modparam("rtp.*", "rtpproxy_retr", 5)', 'rtp.*'],
    ['a set that is no number', modparam('rtpproxy_sock', '"x == udp:a"'), "'x' is no set id"],
    ['a port that is none', modparam('rtpproxy_sock', '"udp:a:1 udp:b:99999"'), "'99999' is no port"],
    ['a variable there is not', modparam('extra_id_pv', '"$nope(x)"'), 'is not supported'],
    ['a list without parentheses', 'modparam "rtpproxy-ng", "rtpproxy_retr", 5', "expected '('"],
    ['a name defined as nothing', `#!define N\n${modparam('rtpproxy_retr', 'N')}`, 'no value'],
    ['an open condition', '#!ifdef X', 'no #!endif'],
    ['a condition closed twice', '#!ifdef X\n#!endif\n#!endif', 'belongs to no'],
    ['a substitution without a string', '#!subst /a/b/', 'needs a string'],
    ['a name taken from the environment', `#!defenv HOST\n${modparam('rtpproxy_sock', 'HOST')}`, 'HOST'],
    [
      'a substitution by regular expression',
      `#!subst "/10\\.(.*)/\\1/"\n${modparam('rtpproxy_sock', '"udp:10.1.1.1"')}`,
      'the #!subst of line 3',
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

  it.each([
    ['strings that follow each other', '"udp:a:1 "\n\t"udp:b:2"', 'udp:a:1 udp:b:2'],
    ['escapes in double quotes', String.raw`"\"a\\b\x41\101\d\t"`, '"a\\bAA\\d\t'],
    ['a backslash at the end of a line', '"udp:a\\\n:1"', 'udp:a:1'],
    ['no escapes in single quotes', String.raw`'a\n"b'`, 'a\\n"b'],
    ['comment marks in a string', '"/* # // */"', '/* # // */'],
  ])('reads %s as Kamailio does', (_, value, socket) => {
    expect(readConfiguration(modparam('rtpproxy_sock', value))).toEqual({ rtpproxy_sock: [socket] })
  })

  it.each([
    ['7', 7],
    ['0x1F', 31],
    ['017', 15],
    ['101b', 5],
    ['0', 0],
    ['yes', 1],
    ['enable', 1],
    ['off', 0],
  ])('reads the number %s as Kamailio does', (value, number) => {
    const text = modparam('rtpproxy_disable_tout', value)
    expect(readConfiguration(text)).toEqual({ rtpproxy_disable_tout: number })
  })

  it.each(['09', '5s', '0b11', '0x', '1.5', 'YES', '- 5', '"5"', "'5'"])(
    'refuses %s as a number',
    (value) => {
      expect(() => readConfiguration(modparam('rtpproxy_retr', value))).toThrow(ConfigurationError)
    },
  )

  it.each(['rtpproxy-ng', 'RTPPROXY-NG', 'tm|rtpproxy-ng', 'rtpproxy-ng|nathelper'])(
    'knows itself in modparam("%s", ...)',
    (module) => {
      expect(readConfiguration(`modparam("${module}", "rtpproxy_retr", 7)`)).toEqual({ rtpproxy_retr: 7 })
    },
  )

  it.each(['rtpproxy', 'rtpengine', 'my-rtpproxy-ng', 'tm|rtpproxy', 'auth_.*'])(
    'leaves modparam("%s", ...) to others',
    (module) => {
      expect(readConfiguration(`modparam("${module}", "no_parameter_of_ours" 7`)).toEqual({})
    },
  )

  it.each([
    ['trydef keeps a value', '#!define N 3\n#!trydef N 4', 3],
    ['redef changes it', '#!define N 3\n#!redefine N 4', 4],
    ['a value may name another', '#!define M 3\n!!def N M', 3],
    ['a value may carry comments', '#!define N 3 /* three */ # times', 3],
    ['a value may go on in the next line', '#!define N \\\n  3', 3],
    ['a directive need not begin its line', '  route { #!define N 3\n}', 3],
    ['a doubled # makes a comment of a directive', '#!define N 3\n##!redef N 4', 3],
    ['another case does too', '#!define N 3\n#!REDEF N 4', 3],
    ['substdef defines, too', '#!substdef "!N!3!g"', 3],
    ['ifdef and else', '#!ifdef X\n#!define N 4\n#!else\n#!define N 3\n#!endif', 3],
    ['ifndef', '#!ifndef X\n#!define N 3\n#!endif', 3],
    ['ifs in what is left out', '#!ifdef X\n#!ifdef Y\n#!else\n#!endif\n"\n#!endif\n#!define N 3', 3],
    ['comments nest', '#!define N 3\n/* /* */ #!redef N 4\n*/', 3],
    ['what looks like quotes in a variable', `if ($(ru{s.replace,",'}) != $rU) {}\n#!define N 3`, 3],
  ])('preprocesses: %s', (_, text, number) => {
    expect(readConfiguration(`${text}\n${modparam('rtpproxy_retr', 'N')}`)).toEqual({ rtpproxy_retr: number })
  })

  it.each([
    ['everywhere', '#!subst "/HOST/h/g"', 'HOST HOST', 'h h'],
    ['once without g', '#!subst "/HOST/h/"', 'HOST HOST', 'h HOST'],
    ['in any case with i', '#!subst "!host!h!gi"', 'HOST Host', 'h h'],
    ['a quoted name', '#!substdefs "!HOST!h!g"', 'HOST', 'h'],
    ['dots that are escaped', String.raw`#!subst "/10\.1/10.2/"`, '1011 10.1', '1011 10.2'],
    ['dots that are not', '#!subst "/10.1/10.2/"', '10x1', '10.2'],
    ['one behind the other', '#!subst "/A/B/"\n#!subst "/B/C/"', 'A', 'C'],
    ['with $ left alone elsewhere', '#!substdef "!HOST!$env(H)!g"', 'udp:a:1', 'udp:a:1'],
  ])('substitutes in strings: %s', (_, directive, before, after) => {
    const text = `${directive}\n${modparam('rtpproxy_sock', `"${before}"`)}`
    expect(readConfiguration(text)).toEqual({ rtpproxy_sock: [after] })
  })

  it('minds an unknown condition only where it matters', () => {
    const condition = (text: string) => `#!ifexp VERSION > 5\n${text}\n#!else\n#!endif\n`
    const known = modparam('rtpproxy_retr', '7')
    expect(readConfiguration(condition('modparam("tm", "fr_timer", 5)') + known)).toEqual({
      rtpproxy_retr: 7,
    })
    expect(() => readConfiguration(condition(known))).toThrow('the #!ifexp of line 1')
    expect(() => readConfiguration(condition('#!define N 7') + modparam('rtpproxy_retr', 'N'))).toThrow(
      'N, from the #!ifexp of line 1',
    )
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

  it('reads any text or refuses it with a ConfigurationError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          readConfiguration(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
    )
  })

  it('is not led astray by definitions that go in circles', () => {
    const text = `#!define A B\n#!define B A\n${modparam('rtpproxy_retr', 'A')}`
    expect(() => readConfiguration(text)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_CONFIG', line: 3 }),
    )
    const bomb = `${Array.from({ length: 40 }, (_, i) => `#!define A${i} A${i + 1} A${i + 1}`).join('\n')}\n${modparam('rtpproxy_retr', 'A0')}`
    expect(() => readConfiguration(bomb)).toThrow(ConfigurationError)
    const silent = `#!define A31\n${Array.from({ length: 31 }, (_, i) => `#!define A${i} A${i + 1} A${i + 1}`).join('\n')}\nA0`
    expect(() => readConfiguration(silent)).toThrow('too large')
  })

  it('is not blown up by substitutions that feed each other', () => {
    const text = `${'#!subst "/u/uuuuuuuuuuuuuuuu/g"\n'.repeat(30)}${modparam('rtpproxy_sock', '"udp:a:1"')}`
    expect(() => readConfiguration(text)).toThrow(ConfigurationError)
  })

  it('reads long lines and strings', () => {
    const long = 'x \\" '.repeat(300_000)
    expect(
      readConfiguration(`#!define ${long}\n${' '.repeat(2_000_000)}"${long}" ${'a'.repeat(2_000_000)}`),
    ).toEqual({})
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
    ['rtpproxy_tuot', 'rtpproxy_tout'],
    ['rtpproxy_socks', 'rtpproxy_sock'],
    ['rtpproxy_retry', 'rtpproxy_retr'],
    ['extra_id', 'extra_id_pv'],
  ])('guess what %s was to be', (name, known) => {
    expect(() => checkParameters({ [name]: 1 } as never)).toThrow(`did you mean '${known}'?`)
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
