import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/core/bencode.ts'
import { checkParameters } from '../../../src/protocol/vocabulary/check.ts'
import { COMMANDS } from '../../../src/protocol/vocabulary/commands.ts'
import { FLAG_PREFIXES, FLAGS } from '../../../src/protocol/vocabulary/flags.ts'
import { KEYS, keyOf } from '../../../src/protocol/vocabulary/keys.ts'
import { suggestion } from '../../../src/protocol/vocabulary/spelling.ts'
import type { NgParameters } from '../../../src/protocol/vocabulary/types.ts'
import { wireParameters } from '../../../src/protocol/vocabulary/wire.ts'

const offer = { sdp: 'v=0', 'call-id': 'c', 'from-tag': 'f' }

describe('the table of the NG protocol', () => {
  it('has every command, key and flag once, in every spelling', () => {
    expect([COMMANDS.length, KEYS.length, FLAGS.length, FLAG_PREFIXES.length]).toEqual([33, 102, 69, 22])
    for (const [list, count] of [
      [KEYS, 277],
      [FLAGS, 181],
    ] as const) {
      const spellings = list.flatMap(({ name, spellings }): string[] => [name, ...spellings])
      expect(spellings).toHaveLength(count)
      expect(new Set(spellings).size).toBe(count)
    }
  })

  it('knows what every command needs', () => {
    for (const { name, needs } of COMMANDS) for (const need of needs) expect(keyOf(need), name).toBeDefined()
  })
})

describe('strict checking', () => {
  const refused = (command: string, parameters: NgParameters, strict?: '10.5'): unknown => {
    try {
      checkParameters(command, parameters, strict)
    } catch (error) {
      return error
    }
    return undefined
  }

  it.each<[string, NgParameters, string, string]>([
    ['mesh', { calls: ['c'] }, 'command', "rtpengine 10.5 does not know the command 'mesh'"],
    ['offer', { ...offer, 'alias-key': 'sdp' }, 'alias-key', "10.5 does not know 'alias-key'"],
    ['offer', { ...offer, BUNDLE: ['accept'] }, 'BUNDLE', "10.5 does not know 'BUNDLE'"],
    ['offer', { ...offer, flags: ['reset', 'no-player'] }, 'flags[1]', "does not know the flag 'no-player'"],
    ['offer', { ...offer, flags: 'replace-origin' }, 'flags', "does not know the flag 'replace-origin'"],
    ['offer', { ...offer, ICE: 'lite' }, 'ICE', "does not know ICE = 'lite'"],
    ['offer', { ...offer, SDES: ['pad', 'only-NULL_HMAC_SHA1_80'] }, 'SDES[1]', "know SDES[1] = 'only-NULL"],
    ['offer', { ...offer, codec: { ignore: ['PCMA'] } }, 'codec.ignore', 'does not know codec.ignore'],
  ])('lets %s with %j through, but not for rtpengine 10.5', (command, parameters, parameter, message) => {
    expect(refused(command, parameters)).toBeUndefined()
    expect(refused(command, parameters, '10.5')).toMatchObject({
      code: 'ERR_RTPPROXY_PARAMETER',
      command,
      parameter,
      message: expect.stringContaining(message),
    })
  })

  it('lets through for rtpengine 10.5 what it knows, and what takes nothing away', () => {
    const parameters = {
      ...offer,
      flags: ['reset', 'codec-strip-PCMA'],
      SDES: ['off', 'no-NULL_HMAC_SHA1_80'],
    }
    const more = {
      ICE: 'remove',
      codec: { strip: ['PCMA'] },
      supports: ['load limit'],
      'sip-message-type': 'sip_request',
    }
    expect(refused('offer', { ...parameters, ...more }, '10.5')).toBeUndefined()
    for (const { name, since, needs } of COMMANDS) {
      const needed = Object.fromEntries(needs.map((need) => [need, need === 'calls' ? ['c'] : '1']))
      if (since === '10.5') expect(refused(name, needed, '10.5'), name).toBeUndefined()
    }
  })

  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['offr', {}, 'command', "unknown command 'offr'; did you mean 'offer'?"],
    ['block dtmf', {}, 'command', "unknown command 'block dtmf'; did you mean 'block DTMF'?"],
    ['offer', { ...offer, 'via branch': 'b' }, 'via branch', "did you mean 'via-branch'?"],
    ['offer', { ...offer, frm_tag: 'b' }, 'frm_tag', "unknown parameter 'frm_tag'"],
    ['offer', { ...offer, flags: ['reset', 'trust-adress'] }, 'flags[1]', "did you mean 'trust-address'?"],
    ['offer', { ...offer, flags: 'symetric-codecs, reset' }, 'flags[0]', "did you mean 'symmetric-codecs'?"],
    ['offer', { ...offer, ICE: 'remve' }, 'ICE', "ICE cannot be 'remve'; did you mean 'remove'?"],
    ['offer', { ...offer, 'transport protocol': 'RTP/SAVPFF' }, 'transport protocol', "'RTP/SAVPF'"],
    ['offer', { ...offer, 'record call': 'perhaps' }, 'record call', 'it can be yes, no, on, off, discard'],
    ['offer', { ...offer, replace: ['orgin'] }, 'replace[0]', "did you mean 'origin'?"],
    ['offer', { ...offer, codec: { stirp: ['PCMA'] } }, 'codec.stirp', "did you mean 'strip'?"],
    ['offer', { ...offer, 'sdp-attr': { audio: { ad: ['x'] } } }, 'sdp-attr.audio.ad', "did you mean 'add'?"],
    ['offer', { ...offer, TOS: 1.5 }, 'TOS', 'TOS must be a whole number, not 1.5'],
    ['offer', { ...offer, ptime: -20 }, 'ptime', 'from 0 on, not -20'],
    ['offer', { ...offer, 'received from': ['IP5', 'x'] }, 'received from', 'IP4 or IP6'],
    ['offer', { ...offer, codec: 'PCMA' }, 'codec', 'codec must be a dictionary'],
    ['play DTMF', { 'call-id': 'c', code: 'E' }, 'code', '0-9 * # A-D'],
    ['answer', offer, 'to-tag', 'to-tag is missing'],
    ['query', {}, 'call-id', 'call-id is missing'],
    ['mesh', { calls: ['a'], tags: ['x'] }, 'tags', 'a list of dictionaries'],
    ['offer', { ...offer, flags: ['replace-orgin'] }, 'flags[0]', "did you mean 'origin'?"],
    ['offer', { ...offer, codec: { strip: [8] } }, 'codec.strip[0]', 'must be text'],
    ['offer', { ...offer, codec: new Map([['stirp', ['PCMA']]]) }, 'codec.stirp', "did you mean 'strip'?"],
    ['offer', { ...offer, moh: { mode: 'reflekt' } }, 'moh.mode', "did you mean 'reflect'?"],
    [
      'offer',
      { ...offer, SDES: ['pad', 'no-AES_CM_128_HMAC_SHA1_8'] },
      'SDES[1]',
      "did you mean 'AES_CM_128_HMAC_SHA1_80'?",
    ],
    [
      'offer',
      { ...offer, 'sdp-attr': { audio: { substitute: ['a', 'b'] } } },
      'sdp-attr.audio.substitute',
      'a list of pairs',
    ],
  ])('refuses %s %j', (command, parameters, parameter, message) => {
    expect(refused(command, parameters as NgParameters)).toMatchObject({
      code: 'ERR_RTPPROXY_PARAMETER',
      command,
      parameter,
      message: expect.stringContaining(message),
    })
  })

  it.each<[string, NgParameters]>([
    ['offer', { ...offer, SDES: ['only-AES_CM_128_HMAC_SHA1_80', 'pad'], TOS: -1, 'DTMF-delay': 20 }],
    [
      'offer',
      { ...offer, flags: ['codec-strip-PCMA', 'SDES-off', 'mirror RTCP'], 'rtcp mux': 'offer,require' },
    ],
    [
      'offer',
      { ...offer, 'record-call': true, 'received-from': ['IP6', '::1'], label: 'x', direction: ['a', 'b'] },
    ],
    ['offer', { ...offer, 'sdp-attr': { none: { add: ['x'] } }, codec: { strip: ['all'], set: [] } }],
    ['play DTMF', { 'call id': 'c', digit: 11, volume: -8, pause: true }],
    ['statistics', {}],
    ['CLI', { body: 'list numsessions' }],
    [
      'offer',
      {
        ...offer,
        SDES: ['order:aes_cm_128_hmac_sha1_80;AEAD_AES_128_GCM;', 'nonew'],
        flags: ['replace-origin', 'SDES-no-NULL_HMAC_SHA1_32', 'from-tags-x', 'codec-set-opus/48000/2'],
        'sdp-attr': { none: { substitute: [['a', 'b']], add: undefined } },
        moh: { file: '/a.wav', mode: 'reflect', connection: 'zero' },
      },
    ],
    ['offer', { SDP: Buffer.from('v=0'), 'call ID': 'c', 'from tag': 'f', flags: undefined, codec: null }],
  ])('takes %s %o', (command, parameters) => {
    expect(refused(command, parameters)).toBeUndefined()
  })

  it('finds what is meant by any flag with one letter too many or too few', () => {
    const names: string[] = FLAGS.map(({ name }) => name).filter((name) => name.length > 4)
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), (name, at) => {
        const place = at % name.length
        const without = name.slice(0, place) + name.slice(place + 1)
        const twice = name.slice(0, place) + name[place] + name.slice(place)
        for (const typo of [without, twice]) {
          if (names.includes(typo)) continue
          expect(suggestion(typo, names)).toBeDefined()
        }
      }),
    )
  })

  it('accepts nothing that cannot be sent', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string()),
      fc.double(),
      fc.object(),
    )
    const spelling = fc.constantFrom(...KEYS.flatMap(({ name, spellings }): string[] => [name, ...spellings]))
    fc.assert(
      fc.property(fc.dictionary(spelling, value, { maxKeys: 4 }), (extra) => {
        const parameters = { ...extra, ...offer } as NgParameters
        if (refused('offer', parameters) !== undefined) return
        let wired: ReturnType<typeof wireParameters>
        try {
          wired = wireParameters('offer', parameters)
        } catch (error) {
          expect(error).toMatchObject({ message: expect.stringContaining('the same parameter') })
          return
        }
        expect(decode(encode(wired), 'utf8')).toMatchObject(offer)
      }),
    )
  })
})

describe('what goes into the dictionary', () => {
  it('is what rtpengine wants', () => {
    const given = {
      'call-id': 'c',
      'record call': true,
      'generate RTCP': false,
      'drop-traffic': true,
      'ICE-lite': true,
      direction: 'pub,priv',
      ICE: ['remove'],
      DTLS: 'off',
      'rtcp-mux': 'offer, require',
      OSRTP: ['offer'],
      'received-from': '2001:db8::1',
      code: 'a',
      trigger: 11,
      'sdp-media-remove': 'video',
      flags: 'reset,all',
      left: undefined,
      out: null,
      own: true,
      codec: { strip: 'PCMA', transcode: ['opus', 'G722'], own: 'x' },
      moh: { file: '/a,b.wav' },
      command: 'never',
    }
    expect(wireParameters('offer', given as Readonly<Record<string, unknown>> as NgParameters)).toEqual({
      'call-id': 'c',
      'record call': 'yes',
      'generate RTCP': 'off',
      'drop-traffic': 'start',
      'ICE-lite': 'both',
      direction: ['pub', 'priv'],
      ICE: 'remove',
      DTLS: 'off',
      'rtcp-mux': ['offer', 'require'],
      OSRTP: ['offer'],
      'received from': ['IP6', '2001:db8::1'],
      code: 'A',
      trigger: '11',
      'sdp-media-remove': ['video'],
      flags: ['reset', 'all'],
      own: true,
      codec: { strip: ['PCMA'], transcode: ['opus', 'G722'], own: 'x' },
      moh: { file: '/a,b.wav' },
    })
    expect(wireParameters('stop recording', { 'call ID': 'c', flags: 'pause', pause: true })).toEqual({
      'call-id': 'c',
      flags: ['pause'],
      pause: 'yes',
    })
    expect(given).toHaveProperty('command', 'never')
  })

  it('has no key twice', () => {
    expect(() => wireParameters('offer', { 'call-id': 'a', 'call id': 'b' })).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_PARAMETER', parameter: 'call id' }),
    )
  })

  it('takes keys that are named like parts of objects for keys', () => {
    const given = JSON.parse('{"__proto__":"x","constructor":"y","call-id":"c"}')
    const wired = wireParameters('query', given)
    expect(Object.keys(wired)).toEqual(['__proto__', 'constructor', 'call-id'])
    expect(Object.getPrototypeOf(wired)).toBe(Object.prototype)
  })
})
