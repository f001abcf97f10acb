import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NodeTokens, type TokenKey } from '../../../src/nodes/affinity/token.ts'

const KEY = 'sixteen bytes of'
const URLS = ['udp:10.0.0.1:2223', 'udp6:[2001:db8::1]:2223', 'unix:/run/ng.sock']
const CALL = 'a84b4c76e66710@pc33.example.com'
const MINUTE = 60_000
const START = 29_000_000 * MINUTE

const at = (now: () => number, key: TokenKey | readonly TokenKey[] = KEY) =>
  new NodeTokens({ key, lifetimeMs: 10 * MINUTE, now })
const tokensAt = (time = START, key?: TokenKey | readonly TokenKey[]) => at(() => time, key)
const none = { forged: 0, stale: 0, unknown: 0 }

describe('node tokens', () => {
  it('name the node of a call, to any process with the key', () => {
    const [one, other] = [tokensAt(), tokensAt()]
    for (const url of URLS) expect(other.read(one.make(url, CALL), CALL, URLS)).toBe(url)
    expect(other.refused).toEqual(none)
  })

  it('are version, minute of expiry, node and signature, in 28 characters', () => {
    const head = Buffer.alloc(11)
    head.writeUInt8(1, 0)
    head.writeUInt32BE(29_000_010, 1)
    createHash('sha256').update(URLS[1]!).digest().copy(head, 5, 0, 6)
    const signature = createHmac('sha256', KEY).update(head).update(CALL).digest().subarray(0, 10)
    expect(tokensAt().make(URLS[1]!, CALL)).toBe(Buffer.concat([head, signature]).toString('base64url'))
  })

  it('consist of characters that need no escape in a SIP URI', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, (url, callId) => {
        const tokens = tokensAt()
        const token = tokens.make(url, callId)
        expect(token).toMatch(/^[A-Za-z0-9_-]{28}$/)
        expect(tokens.read(token, callId, [url])).toBe(url)
      }),
    )
  })

  it('are forged when one character is another, wherever it stands', () => {
    const tokens = tokensAt()
    const token = tokens.make(URLS[0]!, CALL)
    for (let i = 0; i < token.length; i++) {
      const changed = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`
      expect(tokens.read(changed, CALL, URLS)).toBeUndefined()
    }
    expect(tokens.refused).toEqual({ ...none, forged: token.length })
  })

  it('are forged for another call, and by another key', () => {
    const tokens = tokensAt()
    expect(tokens.read(tokens.make(URLS[0]!, CALL), `${CALL}m`, URLS)).toBeUndefined()
    expect(tokens.read(tokensAt(START, 'another key of 16').make(URLS[0]!, CALL), CALL, URLS)).toBeUndefined()
    expect(tokens.refused).toEqual({ ...none, forged: 2 })
  })

  it('have one spelling only', () => {
    const tokens = tokensAt()
    // A token with both characters that base64 spells otherwise.
    const many = Array.from({ length: 1000 }, (_, i) => tokens.make(URLS[0]!, String(i)))
    const index = many.findIndex((each) => /_/.test(each) && /-/.test(each))
    const found = many[index]!
    const spellings = [
      found.replaceAll('_', '/').replaceAll('-', '+'),
      `${found}=`,
      `${found}\n`,
      ` ${found}`,
      `${found}AAAA`,
    ]
    for (const spelling of spellings) expect(tokens.read(spelling, String(index), URLS)).toBeUndefined()
    expect(tokens.refused.forged).toBe(spellings.length)
    expect(tokens.read(found, String(index), URLS)).toBe(URLS[0])
  })

  it('are good for their lifetime, and at most a minute longer', () => {
    let time = START + 1
    const tokens = at(() => time)
    const token = tokens.make(URLS[0]!, CALL)
    time = START + 10 * MINUTE
    expect(tokens.read(token, CALL, URLS)).toBe(URLS[0])
    time = START + 11 * MINUTE - 1
    expect(tokens.read(token, CALL, URLS)).toBe(URLS[0])
    time = START + 11 * MINUTE
    expect(tokens.read(token, CALL, URLS)).toBeUndefined()
    expect(tokens.refused).toEqual({ ...none, stale: 1 })
  })

  it('may be good for ever', () => {
    const tokens = new NodeTokens({ key: KEY, lifetimeMs: Number.POSITIVE_INFINITY })
    expect(tokens.read(tokens.make(URLS[0]!, CALL), CALL, URLS)).toBe(URLS[0])
  })

  it('name nothing when their node is not among those given', () => {
    const tokens = tokensAt()
    const token = tokens.make(URLS[0]!, CALL)
    expect(tokens.read(token, CALL, URLS.slice(1))).toBeUndefined()
    expect(tokens.read(token, CALL, [])).toBeUndefined()
    expect(tokens.refused).toEqual({ ...none, unknown: 2 })
  })

  it('never make reading fail, whatever they are', () => {
    const tokens = tokensAt()
    const bytes = fc.uint8Array({ minLength: 21, maxLength: 21 })
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      bytes.map((each) => Buffer.from(each).toString('base64url')),
    )
    fc.assert(
      fc.property(token, fc.string({ unit: 'binary' }), (any, callId) => {
        expect(tokens.read(any, callId, URLS)).toBeUndefined()
      }),
    )
    expect(tokens.refused.forged).toBeGreaterThan(0)
    expect([tokens.refused.stale, tokens.refused.unknown]).toEqual([0, 0])
  })

  it('find their node among more nodes than are remembered', () => {
    const tokens = tokensAt()
    const urls = Array.from({ length: 3000 }, (_, i) => `udp:node${i}.example:2223`)
    for (const url of [urls[0]!, urls[2999]!])
      expect(tokens.read(tokens.make(url, CALL), CALL, urls)).toBe(url)
  })
})

describe('the keys of node tokens', () => {
  it('are changed without losing a call: the first signs, all verify', () => {
    const [before, between, after] = [
      ['old key, 16 bytes'],
      ['new key, 16 bytes', 'old key, 16 bytes'],
      ['new key, 16 bytes'],
    ]
    const tokens = tokensAt(START, between)
    expect(tokens.read(tokensAt(START, before).make(URLS[0]!, CALL), CALL, URLS)).toBe(URLS[0])
    const fresh = tokens.make(URLS[1]!, CALL)
    expect(tokensAt(START, after).read(fresh, CALL, URLS)).toBe(URLS[1])
    expect(tokensAt(START, before).read(fresh, CALL, URLS)).toBeUndefined()
  })

  it('may be bytes, which are copied', () => {
    const bytes = Buffer.from(KEY)
    const tokens = tokensAt(START, bytes)
    bytes.fill(0)
    expect(tokens.make(URLS[0]!, CALL)).toBe(tokensAt().make(URLS[0]!, CALL))
  })

  it.each<[string, TokenKey | readonly TokenKey[]]>([
    ['no key', []],
    ['an empty one', ''],
    ['fifteen bytes', 'fifteen bytes o'],
    ['fifteen bytes in an array', new Uint8Array(15)],
    ['a short one behind a long one', [KEY, 'short']],
  ])('are refused: %s', (_, key) => {
    expect(() => tokensAt(START, key)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option: 'tokenKey' }),
    )
  })

  it('count in bytes, not in characters', () => {
    expect(() => tokensAt(START, 'äöüßäöüß')).not.toThrow()
  })
})
