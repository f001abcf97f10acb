import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MessageCommand } from '../../../src/core/ng.ts'
import { FlagError } from '../../../src/errors.ts'
import { type FlagPlan, flagPlan } from '../../../src/module/request/flags.ts'

const COMMANDS = ['offer', 'answer', 'delete'] as const
const LETTERS = [...'123bairwfxoclteizZ+-sSpPAIERWFXOCLT09 q']

/** The table of the manual, one rule after the other; undefined for what must be refused. */
function reference(flags: string, command: MessageCommand, isRequest: boolean): FlagPlan | undefined {
  const lists: Record<string, string[]> = { direction: [], flags: [], replace: [] }
  const values: Record<string, [string, string[]]> = {
    a: ['flags', ['asymmetric', 'trust-address']],
    r: ['flags', ['trust-address']],
    w: ['flags', ['symmetric']],
    f: ['flags', ['force']],
    x: ['flags', ['auto-bridge']],
    i: ['direction', ['internal']],
    e: ['direction', ['external']],
    o: ['replace', ['origin']],
    c: ['replace', ['session-connection']],
  }
  let pairs = ''
  let branch: FlagPlan['branch'] = 0
  let t = false
  let secure = false
  let feedback = false
  const tokens = flags.match(/[zZ][0-9]*|[\s\S]/g) ?? []
  let now = command
  for (const token of tokens) {
    const low = token.toLowerCase()
    if (token === '1') branch = 1
    else if (token === '2') branch = 2
    else if (token === '3') branch = isRequest ? 1 : 2
    else if (low === 'b') branch = 3
    else if (low === 't') t = true
    else if (low === 'l') {
      if (now !== 'offer') return undefined
      now = 'answer'
    } else if (low[0] === 'z') {
      const number = Number(token.slice(1))
      if (number > 0x7fffffff) return undefined
      if (number > 0) pairs += `11:repacketizei${number}e`
    } else if (token === '+') pairs += '3:ICE5:force'
    else if (token === '-') pairs += '3:ICE6:remove'
    else if (low === 's') secure = token === 'S'
    else if (low === 'p') feedback = token === 'P'
    else if (low in values) lists[values[low]![0]]!.push(...values[low]![1])
    else return undefined
  }
  if (command !== 'delete') {
    for (const [name, list] of Object.entries(lists)) {
      if (list.length > 0)
        pairs += `${name.length}:${name}l${list.map((value) => `${value.length}:${value}`).join('')}e`
    }
  }
  if (/[sp]/i.test(flags)) {
    const protocol = `RTP/${secure ? 'S' : ''}AVP${feedback ? 'F' : ''}`
    pairs += `18:transport-protocol${protocol.length}:${protocol}`
  }
  return { command: now, pairs: Buffer.from(pairs), branch, t }
}

describe('the flag string', () => {
  it('becomes what the table of flags says, for any string', () => {
    const flags = fc
      .array(fc.constantFrom(...LETTERS, 'z20', 'z0', 'Z007'), { maxLength: 8 })
      .map((list) => list.join(''))
    fc.assert(
      fc.property(flags, fc.constantFrom(...COMMANDS), fc.boolean(), (text, command, isRequest) => {
        let plan: FlagPlan | undefined
        try {
          plan = flagPlan(text, command, isRequest)
        } catch (error) {
          expect(error).toBeInstanceOf(FlagError)
        }
        expect(plan).toEqual(reference(text, command, isRequest))
      }),
      { numRuns: 3000 },
    )
  })

  it('reads the digits of z and nothing more', () => {
    expect(flagPlan('z20r', 'offer', true).pairs.toString()).toBe(
      '11:repacketizei20e5:flagsl13:trust-addresse',
    )
    expect(flagPlan('zr', 'offer', true).pairs.toString()).toBe('5:flagsl13:trust-addresse')
  })

  it.each([
    ['roq', 2],
    ['r o', 1],
    ['é', 0],
    ['coniec', 2],
    ['0', 0],
  ])('says which flag of %j is wrong, and where', (flags, offset) => {
    expect(() => flagPlan(flags, 'offer', true)).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_FLAG',
        flags,
        offset,
        message: expect.stringContaining(`'${flags[offset]}'`),
      }),
    )
  })

  it('refuses a second l, and l where there is no offer', () => {
    for (const [flags, command] of [
      ['ll', 'offer'],
      ['l', 'answer'],
      ['L', 'delete'],
    ] as const) {
      expect(() => flagPlan(flags, command, true), flags).toThrow(FlagError)
    }
    expect(flagPlan('l', 'offer', true).command).toBe('answer')
  })

  it('refuses one of absurd length', () => {
    expect(() => flagPlan('r'.repeat(1025), 'offer', true)).toThrow(FlagError)
  })
})
