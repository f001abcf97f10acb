import { describe, expect, it } from 'vitest'
import { parseKamailioFlags } from '../../../src/protocol/rtpengine-flags/kamailio.ts'
import { parseOpenSipsFlags } from '../../../src/protocol/rtpengine-flags/opensips.ts'

describe('flags of Kamailio', () => {
  it.each([
    ['a via-branch=nowhere', 2, 'needs 1, 2, auto'],
    ['via-branch', 0, 'needs a value'],
    ['call-id=', 0, 'needs a value'],
    ['a  from-tag', 3, 'needs a value'],
    ['repacketize=0', 0, 'from 1'],
    ['repacketize=x', 0, '32 bits'],
    ['TOS=', 0, 'needs a value'],
    ['TOS=99999999999', 0, '32 bits'],
    ['received-from=nobody', 0, 'IP address'],
    ['direction=a direction=b direction=c', 24, 'third direction'],
    ['x =y', 2, "before the '='"],
    ['a\nb', 1, 'control character'],
    ['force-answer force-answer', 13, 'cannot turn answer into an answer'],
  ])('are refused where they are wrong: %j', (text, offset, why) => {
    expect(() => parseKamailioFlags(text, 'offer')).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_FLAG',
        offset,
        flags: text,
        message: expect.stringContaining(why),
      }),
    )
  })

  it('are dropped where they concern SDP and the command has none', () => {
    const text = 'replace-origin codec-strip-PCMA rtcp-mux-demux direction=a trust-address label=x to-tag'
    expect(parseKamailioFlags(text, 'delete')).toMatchObject({
      parameters: { flags: ['trust-address'], label: 'x' },
      sendsToTag: true,
    })
  })

  it('count to the end, as a C program reads them', () => {
    expect(parseKamailioFlags('via-branch=1abc TOS=12x repacketize=20ms', 'offer')).toMatchObject({
      viaBranch: '1',
      parameters: { TOS: 12, repacketize: 20 },
    })
  })

  it('may come twice: lists are joined, of others the last one stands', () => {
    const { parameters } = parseKamailioFlags('ICE=force ICE=remove from-tags=a x=1 from-tags=b', 'query')
    expect(parameters).toEqual({ ICE: 'remove', 'from-tags': ['a', 'b'], x: '1' })
  })
})

describe('flags of OpenSIPS', () => {
  it.each([
    ['x=[a', 2, 'not closed'],
    [`x=${'['.repeat(12)}${']'.repeat(12)}`, 11, 'deeper than 8'],
    ['x=[a=1 b]', 7, 'has no value'],
    ['x=[=1]', 3, "before the '='"],
    [`x=[${'a'.repeat(5000)}]`, 2, '4096 bytes'],
    ['in-iface=a', 0, 'counterpart'],
    ['internal external internal', 18, 'third direction'],
    ['address-family=6', 0, 'IP4 or IP6'],
    ['via-branch=next', 0, 'needs 1, 2, auto, extra'],
    ['delete-delay=x', 0, '32 bits'],
  ])('are refused where they are wrong: %j', (text, offset, why) => {
    expect(() => parseOpenSipsFlags(text, 'offer')).toThrow(
      expect.objectContaining({ offset, message: expect.stringContaining(why) }),
    )
  })

  it('may follow a bracket at once', () => {
    expect(parseOpenSipsFlags('x=[a b]y=[c]z', 'offer').parameters).toEqual({
      x: ['a', 'b'],
      y: ['c'],
      flags: ['z'],
    })
  })

  it('nest lists and dictionaries', () => {
    expect(parseOpenSipsFlags('x=[a [b c] [k=v l=[]]]', 'offer').parameters).toEqual({
      x: ['a', ['b', 'c'], { k: 'v', l: [] }],
    })
  })
})
