import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlagError } from '../../../src/errors.ts'
import type { RtpengineFlags } from '../../../src/protocol/rtpengine-flags/flags.ts'
import { parseKamailioFlags, printKamailioFlags } from '../../../src/protocol/rtpengine-flags/kamailio.ts'
import { parseOpenSipsFlags, printOpenSipsFlags } from '../../../src/protocol/rtpengine-flags/opensips.ts'

const GRAMMARS = [
  ['Kamailio', parseKamailioFlags, printKamailioFlags],
  ['OpenSIPS', parseOpenSipsFlags, printOpenSipsFlags],
] as const

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._/-]{0,11}$/)
const known = fc.constantFrom(
  'trust-address',
  'replace-origin',
  'replace-session-connection',
  'codec-strip-PCMA',
  'codec-transcode-opus',
  'transcode-G722',
  'ICE=remove',
  'RTP/SAVPF',
  'SRTP',
  'AVPF',
  'DTLS=passive',
  'rtcp-mux-demux',
  'SDES-off',
  'T.38-decode',
  'to-tag',
  'to-tag=x',
  'from-tag=y',
  'call-id=z',
  'via-branch=1',
  'via-branch=auto',
  'via-branch=extra',
  'via-branch-param=abc',
  'received-from=192.0.2.1',
  'force-answer',
  'directional',
  'TOS=184',
  'delete-delay=3',
  'repacketize=40',
  'label=a',
  'address-family=IP4',
  'media-address=192.0.2.9',
  'in-iface=pub out-iface=priv',
  'direction=pub direction=priv',
  'from-tags-a',
  'codec=[strip=[PCMA GSM] mask=all]',
  'flags=[a b]',
  'x=[a..b c--d]',
)
const item = fc.oneof(
  known,
  word,
  fc.tuple(word, word).map(([key, value]) => `${key}=${value}`),
)
const strings = fc.array(item, { maxLength: 8 }).map((items) => items.join(' '))

function parsed(parse: typeof parseKamailioFlags, text: string): RtpengineFlags | undefined {
  try {
    return parse(text, 'offer')
  } catch (error) {
    expect(error).toBeInstanceOf(FlagError)
    const { offset, flags } = error as FlagError
    expect(flags).toBe(text)
    expect(offset).toBeGreaterThanOrEqual(0)
    expect(offset).toBeLessThanOrEqual(text.length)
    return undefined
  }
}

/** Whether a list has a text that OpenSIPS cannot say: in brackets `..` stands for a space and `--` for `=`. */
function isUnsayable(value: unknown, isListed = false): boolean {
  if (typeof value === 'string') return isListed && /\.\.|--/.test(value)
  return Object.values(Object(value)).some((item) => isUnsayable(item, true))
}

describe.each(GRAMMARS)('flags of %s', (grammar, parse, print) => {
  it('are printed as a text that says the same', () => {
    let printed = 0
    fc.assert(
      fc.property(strings, (text) => {
        const flags = parsed(parse, text)
        if (flags === undefined) return
        let again: string
        try {
          again = print(flags)
        } catch (error) {
          expect(error).toBeInstanceOf(FlagError)
          const hasUnsayable = Object.values(flags.parameters).some((value) => isUnsayable(value))
          expect([grammar, hasUnsayable]).toEqual(['OpenSIPS', true])
          return
        }
        printed++
        // The order of pairs says nothing; toEqual does not look at it.
        expect(parse(again, 'offer')).toEqual(flags)
      }),
      { numRuns: 1000 },
    )
    expect(printed).toBeGreaterThan(100)
  })

  it('are read or refused with the place, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 60, unit: 'binary' }),
      fc.string({ maxLength: 60, unit: fc.constantFrom(...'a=[] -.1') }),
    )
    fc.assert(
      fc.property(text, (given) => void parsed(parse, given)),
      { numRuns: 2000 },
    )
  })

  it('cannot have a key that reaches a prototype', () => {
    const { parameters } = parse('__proto__=x constructor=y', 'offer')
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype)
    expect(Object.keys(parameters)).toEqual(['__proto__', 'constructor'])
  })

  it('are refused when they are longer than any module takes, at once', () => {
    expect(() => parse('a '.repeat(10_000), 'offer')).toThrow(FlagError)
  })

  it('are frozen, since one string is read once for all calls', () => {
    const flags = parse('a b=c replace-origin', 'offer')
    expect(Object.isFrozen(flags)).toBe(true)
    expect(Object.isFrozen(flags.parameters.replace)).toBe(true)
  })
})

const flagsOf = (changes: Partial<RtpengineFlags>): RtpengineFlags => ({
  ...parseKamailioFlags('', 'offer'),
  ...changes,
})

describe('what a grammar cannot say', () => {
  it.each<[string, Partial<RtpengineFlags>, string]>([
    ['a nested dictionary', { parameters: { x: { a: 'b' } } }, 'x'],
    ['a text with a space', { parameters: { label: 'a b' } }, 'label'],
    ['an integer that is text there', { parameters: { x: 5 } }, 'x'],
    ['a direction without its flag', { directional: true }, 'directional'],
    ['a branch of another module', { viaBranch: { value: 'x' } }, 'via-branch-param'],
    ['no branch', { viaBranch: 'none' }, 'via-branch'],
    ['an address that is none', { receivedFrom: 'nowhere' }, 'received-from'],
  ])('is named: %s in the flags of Kamailio', (_, changes, name) => {
    expect(() =>
      printKamailioFlags(flagsOf({ ...changes, parameters: { ICE: 'remove', ...changes.parameters } })),
    ).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_FLAG',
        message: expect.stringContaining(`cannot say ${name} as it is`),
      }),
    )
  })

  it.each<[string, Partial<RtpengineFlags>, string]>([
    ['a branch it does not know', { viaBranch: 'next' }, 'via-branch'],
    ['a list with ..', { parameters: { x: ['a..b'] } }, 'x'],
    ['an integer that is text there', { parameters: { x: 5 } }, 'x'],
  ])('is named: %s in the flags of OpenSIPS', (_, changes, name) => {
    expect(() => printOpenSipsFlags(flagsOf(changes))).toThrow(`cannot say ${name} as it is`)
  })

  it('is pointed at', () => {
    const flags = flagsOf({ parameters: { ICE: 'remove', label: 'a b' } })
    expect(() => printKamailioFlags(flags)).toThrow(
      expect.objectContaining({ flags: 'ICE=remove label=a b', offset: 11 }),
    )
  })
})

describe('flags of one module in the grammar of the other', () => {
  it('are printed, where both can say them', () => {
    const text =
      'trust-address ICE=remove RTP/SAVPF direction=pub direction=priv codec-strip-PCMA via-branch=auto'
    const flags = parseKamailioFlags(text, 'offer')
    const printed = printOpenSipsFlags(flags)
    expect(parseOpenSipsFlags(printed, 'offer')).toEqual(flags)
    expect(printed).toContain('codec=[strip=[PCMA]]')
  })
})
