import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { loadRtpengine } from '../../../src/kamailio/rtpengine/module.ts'
import type { RtpengineParameters } from '../../../src/kamailio/rtpengine/parameters.ts'
import { type Dictionary, ScriptedProxy, scripts } from '../../media-proxy.ts'
import { findProgram } from '../program.ts'
import { Kamailio } from './kamailio.ts'
import { Both } from './scene.ts'

// Debian's release 5.6. What the module learnt later is not compared: received-from=, codec-accept- and codec-consume-, from-tags= as
// a list, sip-message-type, and the To tag of a command about one party. Nor what rtpengine does not look at: `supports` anywhere but in
// an offer, `delete-delay` as text beside the number. Flags that it takes for something else, or crashes on, are errors here.

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

const OF_SDP = ['rtpengine_offer', 'rtpengine_answer'] as const
const OF_PARTIES = [
  'rtpengine_delete',
  'rtpengine_query',
  'start_recording',
  'stop_recording',
  'play_media',
  'stop_media',
  'play_dtmf',
] as const
const OF_THE_CALL = [
  'block_dtmf',
  'unblock_dtmf',
  'block_media',
  'unblock_media',
  'silence_media',
  'unsilence_media',
  'start_forwarding',
  'stop_forwarding',
] as const
const FUNCTIONS = [...OF_SDP, ...OF_PARTIES, ...OF_THE_CALL, 'rtpengine_manage'] as const
type FunctionName = (typeof FUNCTIONS)[number]

const FLAGS = [
  'replace-origin replace-session-connection ICE=remove RTP/AVP trust-address',
  'ICE=force RTP/SAVPF rtcp-mux-offer rtcp-mux-accept replace=username',
  'direction=pub direction=priv symmetric port-latching',
  'internal external',
  ...['auto', '1', '2', 'extra', 'auto-extra', 'extra-auto'].map((branch) => `via-branch=${branch}`),
  'via-branch=7',
  'to-tag',
  'to-tag=y',
  'from-tag=x',
  'from-tag=x to-tag=y',
  'call-id=other to-tag=y',
  'call-id',
  'from-tag',
  'codec-strip-PCMA codec-strip=all codec-offer-opus codec-mask-G722 codec-set-PCMA/8000 codec-except-PCMU',
  'transcode-PCMA codec-transcode-PCMU transcode=G722',
  'SDES-off SDES=no-AES_256_CM_HMAC_SHA1_80 T38-decode T.38-force T38=no-V.21',
  'RTP SRTP AVP AVPF',
  'SRTP AVP',
  'DTLS',
  'DTLS AVPF',
  'RTP/SAVP',
  'RTP/AVPF',
  'UDP/TLS/RTP/SAVP',
  'UDP/TLS/RTP/SAVPF AVP',
  'TOS=184 DTLS=passive OSRTP=accept OSRTP-accept',
  'repacketize=20 ptime=30',
  'repacketize=x',
  'force-answer',
  'all label=A metadata=foo:bar address-family=IP6 media-address=192.0.2.55',
  'a=b=c ICE= replace- codec- codec-strip- rtp/avp Ice=remove trust-address,symmetric',
  '  trust-address   symmetric  ',
]

interface Case {
  readonly name: FunctionName
  readonly flags: string
  /** Method, or code and reason. */
  readonly kind: string
  readonly toTag: string | undefined
  readonly sdp: string
  readonly method?: string
}

const crossed: Case[] = []
for (const flags of FLAGS) {
  crossed.push({ name: 'rtpengine_offer', flags, kind: 'INVITE', toTag: undefined, sdp: SDP })
  crossed.push({ name: 'rtpengine_answer', flags, kind: '200 OK', toTag: 't', sdp: SDP })
  for (const name of [...OF_PARTIES, ...OF_THE_CALL]) {
    // The To tag of a command about one party came later.
    if (flags.startsWith('from-tag=') && OF_THE_CALL.some((one) => one === name)) continue
    crossed.push({ name, flags, kind: 'BYE', toTag: 't', sdp: '' })
    crossed.push({ name, flags, kind: '200 OK', toTag: 't', sdp: '' })
  }
}
for (const name of FUNCTIONS)
  for (const kind of [
    'INVITE',
    'ACK',
    'PRACK',
    'UPDATE',
    'BYE',
    'CANCEL',
    'INFO',
    '180 Ringing',
    '200 OK',
    '302 Moved',
    '487 Terminated',
  ])
    for (const toTag of [undefined, 't'])
      for (const sdp of [SDP, ''])
        for (const flags of ['', 'via-branch=auto']) crossed.push({ name, flags, kind, toTag, sdp })
for (const method of ['UPDATE', 'PRACK', 'BYE', 'CANCEL', 'INFO'])
  for (const sdp of [SDP, ''])
    crossed.push({ name: 'rtpengine_manage', flags: '', kind: '200 OK', toTag: 't', sdp, method })

let messages = 0
function sip({ name, flags, kind, toTag, sdp, method }: Case, { port, peerPort }: Kamailio): string {
  const number = messages++
  const isReply = /^\d/.test(kind)
  const peer = `Via: SIP/2.0/UDP 127.0.0.1:${peerPort};branch=z9hG4bKpeer${number}`
  return [
    isReply ? `SIP/2.0 ${kind}` : `${kind} sip:b@127.0.0.1:${peerPort} SIP/2.0`,
    ...(isReply ? [`Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKown${number}`, peer] : [peer]),
    `Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKlast${number}`,
    'Max-Forwards: 70',
    'From: <sip:a@example.com>;tag=f',
    `To: <sip:b@example.com>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: call-${number}`,
    `CSeq: 1 ${method ?? (isReply ? 'INVITE' : kind)}`,
    `X-Function: ${name}`,
    `X-Flags: ${flags}`,
    'X-Extra: mine',
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
  ].join('\r\n')
}

/** The keys that are compared, whatever their order: no media proxy asks for that. */
function compared(payloads: readonly Buffer[]): Dictionary[] {
  return payloads.map((payload) => {
    const { supports, 'sip-message-type': type, ...rest } = decode(payload, 'latin1') as Dictionary
    return rest
  })
}

const installed = findProgram('kamailio', 'kamailio, and kamailio-tls-modules for SHA-1')

describe.skipIf(installed === undefined)("Kamailio's own module rtpengine", () => {
  describe('and loadRtpengine', () => {
    const both = new Both()
    const { theirs, ours } = both
    beforeAll(() => both.start(FUNCTIONS, { extra_id_pv: '$avp(extra)' }))
    afterAll(() => both.stop())

    async function outcomes(one: Case) {
      const { kamailio, module } = both
      const text = sip(one, kamailio)
      for (const proxy of [theirs, ours]) proxy.payloads.length = 0
      const passed = await kamailio.pass(text)
      const bytes = Buffer.from(text, 'latin1')
      const msg = module.message(bytes, { address: '127.0.0.1' }, { avp: { extra: 'mine' } })
      const code = await module[one.name](msg, one.flags)
      const message = msg.buffer.toString('latin1')
      return {
        theirs: { asked: compared(theirs.payloads), done: passed.code > 0, body: passed.body },
        ours: {
          asked: compared(ours.payloads),
          done: code === 1,
          body: message.slice(message.indexOf('\r\n\r\n') + 4),
        },
      }
    }

    it(`ask the same of a media proxy, and do the same to the message: ${crossed.length} cases`, async () => {
      const different: unknown[] = []
      for (const one of crossed) {
        const found = await outcomes(one)
        if (!isDeepStrictEqual(found.theirs, found.ours)) different.push({ ...one, ...found })
      }
      expect(different).toEqual([])
    })

    it.each(['error', 'loadlimit', 'nosdp', 'garbage'] as const)(
      'take the reply %s for the same',
      async (script) => {
        for (const proxy of [theirs, ours]) proxy.script = scripts[script]
        try {
          const kind = { rtpengine_answer: '200 OK', rtpengine_delete: 'BYE' } as Partial<
            Record<string, string>
          >
          for (const name of [
            'rtpengine_offer',
            'rtpengine_answer',
            'play_media',
            'rtpengine_query',
          ] as const) {
            const one = { name, flags: '', kind: kind[name] ?? 'INVITE', toTag: 't', sdp: SDP }
            const found = await outcomes(one)
            expect({ name, ...found.ours }).toEqual({ name, ...found.theirs })
          }
        } finally {
          for (const proxy of [theirs, ours]) proxy.script = scripts.ok
        }
      },
    )
  })

  it.each([1, 2])('tries the media proxies of a set in the same order by hash_algo %i', async (algorithm) => {
    // Full, so that each call goes to all of them in turn.
    const nodes = Array.from({ length: 4 }, () => new ScriptedProxy(scripts.loadlimit))
    const ports = await Promise.all(nodes.map((node) => node.listenUdp()))
    const socket = `0 == ${ports.map((port, i) => `udp:127.0.0.1:${port}=${[1, 3, 2, 5][i]}`).join(' ')}`
    const kamailio = await Kamailio.start(['rtpengine_offer'], {
      rtpengine_sock: socket,
      hash_algo: algorithm,
    })
    const parameters: RtpengineParameters = { rtpengine_sock: [socket], hash_algo: algorithm }
    const module = await loadRtpengine(parameters)
    try {
      for (let i = 0; i < 100; i++) {
        const orders: string[][] = [[], []]
        let side = 0
        nodes.forEach((node, at) => {
          node.script = (payload, cookie) => {
            orders[side]!.push(`node ${at}`)
            return scripts.loadlimit(payload, cookie)
          }
        })
        const text = sip(
          { name: 'rtpengine_offer', flags: '', kind: 'INVITE', toTag: undefined, sdp: SDP },
          kamailio,
        )
        await kamailio.pass(text)
        side = 1
        await module.rtpengine_offer(module.message(Buffer.from(text, 'latin1'), { address: '127.0.0.1' }))
        expect(orders[0]).toHaveLength(4)
        expect(orders[1]).toEqual(orders[0])
      }
    } finally {
      await kamailio.stop()
      await module.close()
      for (const node of nodes) await node.close()
    }
  })
})
