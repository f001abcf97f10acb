import { describe, expectTypeOf, it } from 'vitest'
import type { RtpProxyNg } from '../../src/module/client.ts'
import type { SipMessage } from '../../src/module/message.ts'
import type { NgClient } from '../../src/ng/client.ts'
import type { NgParameters, ParametersOf } from '../../src/protocol/vocabulary/types.ts'

// What does not hold here is found by `npm run typecheck`.
describe('the types of commands', () => {
  const call = { 'call-id': 'c', 'from-tag': 'a' }

  it('ask for what a command needs', () => {
    expectTypeOf<typeof call>().not.toExtend<ParametersOf<'offer'>>()
    expectTypeOf<typeof call>().not.toExtend<ParametersOf<'play DTMF'>>()
    expectTypeOf<object>().not.toExtend<ParametersOf<'block media'>>()
    expectTypeOf<typeof call>().toExtend<ParametersOf<'block media'>>()
    expectTypeOf<{ 'call-id': string; code: number }>().toExtend<Parameters<NgClient['playDtmf']>[0]>()
    expectTypeOf<{ calls: string[] }>().toExtend<Parameters<NgClient['mesh']>[0]>()
    expectTypeOf<{ 'call-id': undefined }>().not.toExtend<Parameters<NgClient['query']>[0]>()
  })

  it('take a SIP message in place of parameters where there is one', () => {
    expectTypeOf<SipMessage>().toExtend<Parameters<RtpProxyNg['playDtmf']>[0]>()
    expectTypeOf<typeof call>().toExtend<Parameters<RtpProxyNg['blockMedia']>[0]>()
    expectTypeOf<object>().not.toExtend<Parameters<RtpProxyNg['blockMedia']>[0]>()
    expectTypeOf<SipMessage>().not.toExtend<Parameters<NgClient['playDtmf']>[0]>()
  })

  it('know what each key takes, in each of its spellings, and let through what they do not know', () => {
    expectTypeOf({
      'call ID': 'c',
      flags: 'reset',
      ICE: 'later-value',
      codec: { strip: 'PCMA', transcode: ['opus'], later: 1 },
      'sdp-attr': { audio: { substitute: [['a', 'b'] as const] } },
      'received-from': ['IP4', '192.0.2.1'] as const,
      'record call': true,
      TOS: 184n,
      own: { of: ['any', 1n, { shape: true }] },
      blob: undefined,
    }).toExtend<NgParameters>()
    expectTypeOf<{ ICE: boolean }>().not.toExtend<NgParameters>()
    expectTypeOf<{ codec: string }>().not.toExtend<NgParameters>()
    expectTypeOf<{ codec: { strip: number } }>().not.toExtend<NgParameters>()
    expectTypeOf<{ moh: { file: boolean } }>().not.toExtend<NgParameters>()
    expectTypeOf<{ 'received from': string[] }>().not.toExtend<NgParameters>()
    expectTypeOf<{ sdp: number }>().not.toExtend<NgParameters>()
    expectTypeOf<{ own: () => void }>().not.toExtend<NgParameters>()
  })

  it('tell what a reply has', () => {
    type Reply<Name extends 'list' | 'playMedia' | 'offer'> = Awaited<ReturnType<NgClient[Name]>>
    expectTypeOf<Reply<'list'>['calls']>().toEqualTypeOf<string[]>()
    expectTypeOf<Reply<'playMedia'>['duration']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Reply<'offer'>['warning']>().toEqualTypeOf<string | undefined>()
  })
})
