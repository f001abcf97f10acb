import vm from 'node:vm'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type BencodeInput, type BencodeValue, decode, encode } from '../../src/core/bencode.ts'
import { BencodeError, ConfigurationError } from '../../src/errors.ts'
import { referenceDecode } from './reference-bencode.ts'

const text = (value: BencodeInput) => encode(value).toString()
const utf8 = (bencode: string) => decode(Buffer.from(bencode), 'utf8')
const unfit = (value: unknown) => () => encode(value as BencodeInput)
const nested = (levels: number) => 'l'.repeat(levels) + 'e'.repeat(levels)

describe('encode', () => {
  it('writes strings with their length in bytes', () => {
    expect(text('')).toBe('0:')
    expect(text('ping')).toBe('4:ping')
    expect(text('für')).toBe('4:für')
    expect(text(['a', '€', '😀', 'z'])).toBe('l1:a3:€4:😀1:ze')
    expect(encode('\ud800')).toEqual(Buffer.from('3:\ufffd'))
  })

  it('writes bytes as they are, between text of any kind', () => {
    const bytes = Uint8Array.of(0, 255, 128, 10)
    expect(encode(bytes)).toEqual(Buffer.concat([Buffer.from('4:'), bytes]))
    expect(encode(['é', bytes, 'ü', Buffer.from('x')])).toEqual(
      Buffer.concat([Buffer.from('l2:é4:'), bytes, Buffer.from('2:ü1:xe')]),
    )
  })

  it('writes integers, bigints and booleans', () => {
    expect(text([0, -0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])).toBe(
      'li0ei0ei1ei-1ei9007199254740991ei-9007199254740991ee',
    )
    expect(text([2n ** 63n - 1n, -(2n ** 63n)])).toBe('li9223372036854775807ei-9223372036854775808ee')
    expect(text([true, false])).toBe('li1ei0ee')
  })

  it('writes dictionaries in the order given, without undefined and null', () => {
    expect(text({ sdp: 'v=0', ICE: undefined, command: 'offer', flags: null })).toBe(
      'd3:sdp3:v=07:command5:offere',
    )
    expect(text(Object.assign(Object.create(null), { b: 1, a: 2 }))).toBe('d1:bi1e1:ai2ee')
    expect(
      text(
        new Map<string | Uint8Array, BencodeInput>([
          ['b', 1],
          [Buffer.from('a'), {}],
        ]),
      ),
    ).toBe('d1:bi1e1:adee')
    expect(text({ schlüssel: 1 })).toBe('d10:schlüsseli1ee')
  })

  it('takes plain objects of another realm', () => {
    expect(text(vm.runInNewContext('({ a: [1], b: new Map([["c", new Uint8Array(1)]]) })'))).toBe(
      'd1:ali1ee1:bd1:c1:\0ee',
    )
  })

  it('leaves out what Object.prototype has been given', () => {
    let bencode: string
    Object.defineProperty(Object.prototype, 'polluted', { value: 'x', enumerable: true, configurable: true })
    try {
      bencode = text({ a: 1 })
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
    expect(bencode).toBe('d1:ai1ee')
  })

  it('names the path of a value that bencode cannot carry', () => {
    expect(unfit({ flags: [1, 2, { x: 1.5 }] })).toThrow('flags[2].x: 1.5 is not a safe integer')
    expect(unfit({ 'call-id': { a: Number.NaN } })).toThrow('["call-id"].a: NaN is not a safe integer')
    expect(unfit([2 ** 53])).toThrow('[0]: 9007199254740992 is not a safe integer')
    expect(unfit({ n: 2n ** 63n })).toThrow('n: a bigint does not fit')
    expect(unfit({ n: -(2n ** 63n) - 1n })).toThrow('n: a bigint does not fit')
    expect(unfit({ a: () => 1 })).toThrow('a: function cannot be encoded')
    expect(unfit({ a: Symbol('x') })).toThrow('a: symbol cannot be encoded')
    expect(unfit({ a: new Date() })).toThrow('a: only plain objects')
    expect(unfit({ a: new Float64Array(1) })).toThrow('a: only plain objects')
    expect(unfit([undefined])).toThrow('[0]: undefined cannot be encoded')
    expect(unfit([null])).toThrow('[0]: null cannot be encoded')
    expect(unfit(undefined)).toThrow(/^undefined cannot be encoded$/)
    expect(unfit(new Map([[1, 2]]))).toThrow('a dictionary key is a number')
    expect(unfit(new Map([[Buffer.from('k'), 0.5]]))).toThrow('["k"]: 0.5 is not')
    expect(unfit([1.5])).toThrow(BencodeError)
  })

  it('refuses cycles and anything deeper than 64', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    expect(unfit(cycle)).toThrow('nested deeper than 64 levels, or cyclic')
    const deep = (levels: number): BencodeInput => (levels === 1 ? [] : [deep(levels - 1)])
    expect(text(deep(64))).toBe(nested(64))
    expect(() => encode(deep(65))).toThrow(BencodeError)
  })

  it('refuses results of more than 65,535 bytes, and makes those of just as many', () => {
    const tooLarge = 'larger than 65,535 bytes'
    expect(encode('x'.repeat(65529))).toHaveLength(65535)
    expect(encode(Buffer.alloc(65529))).toHaveLength(65535)
    expect(unfit('x'.repeat(65530))).toThrow(tooLarge)
    expect(unfit('é'.repeat(40000))).toThrow(tooLarge)
    expect(unfit(Buffer.alloc(65530))).toThrow(tooLarge)
    expect(unfit('x'.repeat(2 ** 28))).toThrow(tooLarge)
    expect(unfit(Array(5).fill('é'.repeat(10000)))).toThrow(tooLarge)
    expect(unfit(['é', Buffer.alloc(65000), 'é'.repeat(300)])).toThrow(tooLarge)
    expect(unfit(Array(100_000).fill([]))).toThrow(tooLarge)
    expect(unfit(Array(1_000_000).fill('x'.repeat(1000)))).toThrow(tooLarge)
    expect(encode(Array(32766).fill([]))).toHaveLength(65534)
    expect(unfit(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, ''])))).toThrow(
      tooLarge,
    )
  })

  it('does not mind a getter that throws, and tells one that encodes', () => {
    const broken = {
      get a(): string {
        throw new RangeError('mine')
      },
    }
    const reentrant = {
      get a(): Buffer {
        return encode('x')
      },
    }
    expect(() => encode(broken)).toThrow('mine')
    expect(() => encode(reentrant)).toThrow('must not encode or decode')
    expect(text({ a: 'b' })).toBe('d1:a1:be')
  })

  it('gives a Buffer that later calls leave alone', () => {
    const first = encode({ a: 'first' })
    encode({ a: 'other' })
    expect(first.toString()).toBe('d1:a5:firste')
  })
})

describe('decode', () => {
  it('makes Buffers of byte strings, which belong to the caller', () => {
    const input = Buffer.from('l3:abc0:2:\xff\x00e', 'latin1')
    const list = decode(input) as Buffer[]
    input.fill(0)
    decode(Buffer.from('l3:xyz0:2:zze'))
    expect(list).toEqual([Buffer.from('abc'), Buffer.alloc(0), Buffer.from([255, 0])])
    expect(list.every((item) => Buffer.isBuffer(item) && item.constructor === Buffer)).toBe(true)
    list[0]!.fill(1)
    expect(list[2]).toEqual(Buffer.from([255, 0]))
  })

  it('makes strings of them where an encoding is given', () => {
    const input = Buffer.from('d1:a4:für1:bl3:abcee')
    expect(decode(input, 'utf8')).toEqual({ a: 'für', b: ['abc'] })
    expect(decode(input, 'latin1')).toEqual({ a: 'fÃ¼r', b: ['abc'] })
    expect(decode(input, 'hex')).toEqual({ a: '66c3bc72', b: ['616263'] })
    expect(decode(input, { encoding: 'base64' })).toEqual({ a: 'ZsO8cg==', b: ['YWJj'] })
    expect(decode(Buffer.from('3:abc'), 'ascii')).toBe('abc')
    expect(decode(Buffer.from('4:a\0b\0'), 'utf16le')).toBe('ab')
  })

  it('reads integers of 64 bits, as bigints where numbers are not exact', () => {
    expect(utf8('li0ei-1ei4294967296ei-4294967297ee')).toEqual([0, -1, 4294967296, -4294967297])
    expect(utf8('li9007199254740991ei-9007199254740991ee')).toEqual([2 ** 53 - 1, 1 - 2 ** 53])
    expect(utf8('li9007199254740992ei-9007199254740992ee')).toEqual([2n ** 53n, -(2n ** 53n)])
    expect(utf8('li9223372036854775807ei-9223372036854775808ee')).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
  })

  it('takes repeated and unsorted keys; the last value of a key counts', () => {
    expect(utf8('d3:ICE6:remove1:ai1e3:ICE5:forcee')).toEqual({ ICE: 'force', a: 1 })
  })

  it('makes harmless properties of keys that mean something to JavaScript', () => {
    const value = utf8('d9:__proto__d8:pollutedi1ee11:constructor1:x8:toStringi2ee') as Record<
      string,
      unknown
    >
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.entries(value)[0]).toEqual(['__proto__', { polluted: 1 }])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(utf8('d9:__proto__i1e9:__proto__i2ee')).toEqual(Object.fromEntries([['__proto__', 2]]))
  })

  it('makes Maps of dictionaries on demand', () => {
    const value = decode(Buffer.from('d1:bd1:xi1ee9:__proto__1:ye'), {
      dictionaries: 'map',
      encoding: 'utf8',
    })
    expect(value).toEqual(
      new Map<string, unknown>([
        ['b', new Map([['x', 1]])],
        ['__proto__', 'y'],
      ]),
    )
  })

  it('reads keys as UTF-8, again and again', () => {
    for (let i = 0; i < 3; i++) {
      expect(utf8('d7:schlüssi1ee'.replace('7', '8'))).toBeTypeOf('object')
      expect(decode(Buffer.from('d4:für1:ae'), 'latin1')).toEqual({ für: 'a' })
      expect(decode(Buffer.from('d1:\xff1:ae', 'latin1'), 'latin1')).toEqual({ '\ufffd': 'a' })
      expect(decode(Buffer.from('d1:\xfe1:ae', 'latin1'), 'latin1')).toEqual({ '\ufffd': 'a' })
      expect(utf8(`d${'28:'}${'k'.repeat(28)}i1e32:${'k'.repeat(32)}i2ee`)).toEqual({
        ['k'.repeat(28)]: 1,
        ['k'.repeat(32)]: 2,
      })
    }
  })

  it.each([
    ['', 'the input ends early', 0],
    ['d', 'the input ends early', 1],
    ['l1:a', 'the input ends early', 4],
    ['i12', 'the input ends early', 3],
    ['i', 'the input ends early', 1],
    ['i-', 'the input ends early', 2],
    ['12', 'the input ends early', 2],
    ['d1:a', 'the input ends early', 4],
    ['e', 'no value begins', 0],
    ['x', 'no value begins', 0],
    ['l-1:ae', 'no value begins', 1],
    ['i03e', 'a number has a leading zero', 1],
    ['i00e', 'a number has a leading zero', 1],
    ['03:abc', 'a number has a leading zero', 0],
    ['l00:e', 'a number has a leading zero', 1],
    ['i-0e', 'minus zero', 0],
    ['i-01e', 'minus zero', 0],
    ['ie', 'not an integer', 1],
    ['i-e', 'not an integer', 2],
    ['i+1e', 'not an integer', 1],
    ['i1.5e', 'not an integer', 2],
    ['i 1e', 'not an integer', 1],
    ['i9223372036854775808e', 'an integer does not fit in 64 bits', 0],
    ['li-9223372036854775809ee', 'an integer does not fit in 64 bits', 1],
    [`i${'9'.repeat(60)}e`, 'an integer does not fit in 64 bits', 0],
    ['1a', 'not the length of a string', 1],
    ['4:abc', 'a string is longer than what is left', 0],
    ['l4294967297:ae', 'a string is longer than what is left', 1],
    [`${'9'.repeat(60)}:a`, 'a string is longer than what is left', 0],
    ['18446744073709551617:a', 'a string is longer than what is left', 0],
    ['di1ei2ee', 'a dictionary key is not a string', 1],
    ['d1:ai1elee', 'a dictionary key is not a string', 7],
    ['d1:ae', 'a dictionary key has no value', 4],
    ['i1ei2e', 'the input goes on behind the value', 3],
    ['dee', 'the input goes on behind the value', 2],
    [nested(65), 'nested too deeply', 64],
  ])('refuses %j', (bencode, reason, offset) => {
    const bytes = Buffer.from(bencode)
    expect(() => decode(bytes)).toThrow(
      expect.objectContaining({
        name: 'BencodeError',
        code: 'ERR_RTPPROXY_BENCODE',
        offset,
        message: `${reason} at byte ${offset}`,
      }),
    )
    expect(() => referenceDecode(bytes)).toThrow(reason)
  })

  it('nests as deep as maxDepth says', () => {
    expect(utf8(nested(64))).toHaveLength(1)
    expect(() => decode(Buffer.from('lle'), { maxDepth: 1 })).toThrow('nested too deeply at byte 1')
    expect(decode(Buffer.from('de'), { maxDepth: 1 })).toEqual({})
    expect(decode(Buffer.from(nested(512)), { maxDepth: 512 })).toHaveLength(1)
    expect(() => decode(Buffer.from('l'.repeat(65535)), { maxDepth: 512 })).toThrow('too deeply at byte 512')
  })

  it('takes 65,535 bytes, of the densest kind too, and not one more', () => {
    expect(decode(Buffer.from(`65529:${'x'.repeat(65529)}`))).toHaveLength(65529)
    expect(decode(Buffer.from(`l${'0:'.repeat(32766)}e`))).toHaveLength(32766)
    expect(decode(Buffer.from(`l${'de'.repeat(32766)}e`))).toHaveLength(32766)
    expect(() => decode(Buffer.alloc(65536))).toThrow(BencodeError)
  })

  it('refuses options and inputs that make no sense', () => {
    const empty = Buffer.from('de')
    for (const maxDepth of [0, 513, 1.5, Number.NaN]) {
      expect(() => decode(empty, { maxDepth })).toThrow(ConfigurationError)
    }
    expect(() => decode(empty, 'utf9' as BufferEncoding)).toThrow(ConfigurationError)
    expect(() => decode('de' as unknown as Buffer)).toThrow(BencodeError)
  })

  it('reads any Uint8Array', () => {
    expect(decode(new Uint8Array(Buffer.from('xi42ex')).subarray(1, 5))).toBe(42)
    expect(decode(vm.runInNewContext('Uint8Array.of(100, 101)'))).toEqual({})
  })

  it('has types without Buffer where there are none', () => {
    const bytes = Buffer.from('de')
    expectTypeOf(decode(bytes)).toEqualTypeOf<BencodeValue<Buffer>>()
    expectTypeOf(decode(bytes, 'utf8')).toEqualTypeOf<BencodeValue<string>>()
    expectTypeOf(decode(bytes, { encoding: 'utf8' })).toEqualTypeOf<BencodeValue<string>>()
    expectTypeOf(decode(bytes, { maxDepth: 3 })).toEqualTypeOf<BencodeValue<Buffer>>()
  })
})
