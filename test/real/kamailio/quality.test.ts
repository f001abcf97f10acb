import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BencodeInput, encode } from '../../../src/core/bencode.ts'
import { MOS_PARAMETERS } from '../../../src/kamailio/rtpengine/names.ts'
import { findProgram } from '../program.ts'
import { Both } from './scene.ts'

const installed = findProgram('kamailio', 'kamailio')

const FIGURES = MOS_PARAMETERS.filter((name) => !name.endsWith('_label_pv'))
const PARAMETERS = {
  ...Object.fromEntries(FIGURES.map((name) => [name, `$avp(${name})`])),
  mos_A_label_pv: '$avp(labelA)',
  mos_B_label_pv: '$avp(labelB)',
}

const mos = (MOS: number, more: Record<string, number> = {}) => ({
  MOS,
  'reported at': 1_700_000_000 + MOS,
  'packet loss': 100 - MOS,
  jitter: MOS * 2,
  'round-trip time': MOS * 1000,
  samples: 3,
  ...more,
})

const source = (lowest: number, average: number, highest: number, more?: Record<string, number>) => ({
  'lowest MOS': mos(lowest, more),
  'average MOS': mos(average, more),
  'highest MOS': mos(highest, more),
})

const party = (label: string, ...sources: number[]) => ({
  label,
  medias: sources.map((SSRC, index) => ({ index, streams: [{ SSRC }, { SSRC: 99 }] })),
})

const ok = { result: 'ok', created: 1_700_000_000 }

/** Replies to a query, as the rtpengine of Debian writes them, and as it would not. Kamailio 5.6 does not know later shapes. */
const REPLIES: Record<string, Record<string, BencodeInput>> = {
  'two parties': {
    ...ok,
    SSRC: { 11: source(30, 40, 43), 22: source(25, 39, 44, { 'round-trip time leg': 5000 }) },
    tags: { f: party('a', 11), t: party('b', 22) },
  },
  'media of several sources': {
    ...ok,
    SSRC: { 11: source(30, 40, 43), 12: source(20, 41, 45), 13: source(35, 38, 41), 22: source(25, 39, 44) },
    tags: { f: party('a', 11, 12, 13), t: party('b', 22) },
  },
  'a source without figures': {
    ...ok,
    SSRC: { 11: {}, 22: source(25, 39, 44) },
    tags: { f: party('a', 11), t: party('b', 22) },
  },
  'averages of nothing': {
    ...ok,
    SSRC: { 11: source(0, 0, 0), 22: source(0, 39, 44) },
    tags: { f: party('a', 11, 22) },
  },
  'a label twice': {
    ...ok,
    SSRC: { 11: source(30, 40, 43), 22: source(25, 39, 44) },
    tags: { f: party('a', 11), t: party('a', 22) },
  },
  'labels that nobody has': { ...ok, SSRC: { 11: source(30, 40, 43) }, tags: { f: party('x', 11) } },
  'a label without sources': {
    ...ok,
    SSRC: { 11: source(30, 40, 43) },
    tags: { f: { label: 'a', medias: [] } },
  },
  'a call of an hour, and none known': {
    result: 'ok',
    created: 1_700_000_000 - 3700,
    SSRC: { 11: { ...source(30, 40, 43), 'average MOS': { MOS: 41 } } },
    tags: {},
  },
  'no tags': { ...ok, SSRC: { 11: source(30, 40, 43) } },
  'no sources': { ...ok, tags: { f: party('a', 11) } },
}

describe.skipIf(installed === undefined)(
  "the variables of call quality of Kamailio's own module rtpengine",
  () => {
    const both = new Both()
    beforeAll(() => both.start(['rtpengine_query'], PARAMETERS, FIGURES))
    afterAll(() => both.stop())

    it.each(Object.entries(REPLIES))('are those of loadRtpengine: %s', async (name, reply) => {
      const { kamailio, module } = both
      for (const proxy of [both.theirs, both.ours])
        proxy.script = (_, cookie) => [Buffer.concat([Buffer.from(`${cookie} `), encode(reply)])]
      const text = [
        `BYE sip:b@127.0.0.1:${kamailio.peerPort} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${kamailio.peerPort};branch=z9hG4bK${Buffer.from(name).toString('hex')}`,
        'From: <sip:a@b>;tag=f',
        'To: <sip:b@c>;tag=t',
        `Call-ID: ${Buffer.from(name).toString('hex')}`,
        'CSeq: 2 BYE',
        'Max-Forwards: 70',
        'X-Function: rtpengine_query',
        'X-Flags: ',
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n')
      const passed = await kamailio.pass(text)
      expect(passed.code).toBe(1)
      const msg = module.message(
        Buffer.from(text),
        { address: '127.0.0.1' },
        { avp: { labelA: 'a', labelB: 'b' } },
      )
      expect(await module.rtpengine_query(msg, '')).toBe(1)
      const values: Record<string, unknown> = {}
      for (const name of FIGURES) values[name] = await module.pv(msg, `$avp(${name})`)
      expect(values).toEqual(Object.fromEntries(FIGURES.map((name) => [name, passed.variable(name)])))
    })
  },
)
