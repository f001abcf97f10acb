import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { encode } from '../../../src/core/bencode.ts'
import { NgClient } from '../../../src/ng/client.ts'
import { callReport } from '../../../src/protocol/replies/call-report.ts'
import { FLAG_PREFIXES, FLAGS, LATER_FLAG_PREFIXES } from '../../../src/protocol/vocabulary/flags.ts'
import { KEYS } from '../../../src/protocol/vocabulary/keys.ts'
import type { Key } from '../../../src/protocol/vocabulary/values.ts'
import { findProgram, RtpEngine } from '../program.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')

/** Spellings of keys that 10.5 knows which it does not know: what is sent is spelled as it knows it. */
const LATER_SPELLINGS = [
  'RTCP mux',
  'codecs',
  'frequencies',
  'from label',
  'from tag',
  'from tags',
  'repeat times',
  'rtcp mux',
  'set label',
  'to label',
  'to tag',
  'to_tag',
]

/** What only `delete` and `list` read: an offer that has them is complained of. */
const OF_OTHER_COMMANDS = ['delete delay', 'delete-delay', 'delete_delay', 'limit']
const FLAGS_OF_OTHER_COMMANDS = ['fatal', 'to-tag', 'to_tag']

/** Lists and choices of which 10.5 reads what it knows, and does not say what it does not. */
const SILENT = [
  'supports',
  'address family',
  'transport protocol',
  'DTLS fingerprint',
  'generate RTCP',
  'record call',
  'DTMF-security',
  'DTMF-security-trigger',
  'DTMF-security-trigger-end',
]

interface Valued extends Pick<Key, 'name' | 'value'> {
  readonly values: readonly string[]
  readonly later: readonly string[]
}

/** What 10.5 reads in an offer and complains of where it does not know a value, with all values there are. */
const VALUED = (KEYS as readonly Key[]).flatMap(({ name, since, value }): Valued[] => {
  if (since === 'later' || SILENT.includes(name)) return []
  if (value.kind === 'choice') return [{ name, values: value.values, later: [], value }]
  if (value.kind !== 'list' || value.values.length === 0) return []
  const whole = (one: string) => (value.prefixes.includes(one) ? `${one}${value.ends[0] ?? ''}` : one)
  const values = [...value.values, ...value.prefixes].map(whole)
  return [{ name, values, later: value.later.map(whole), value }]
})

/** How many keys or flags go into one command. */
const BATCH = 40

const spellingsOf = (entry: { readonly name: string; readonly spellings: readonly string[] }) => [
  entry.name,
  ...entry.spellings,
]

/** The log has hyphens where a flag has spaces. */
const logged = (flag: string) => flag.replaceAll(' ', '-')

describe.skipIf(program === undefined)('what the tables say of rtpengine 10.5', () => {
  let engine: RtpEngine
  let socket: Socket
  beforeAll(async () => {
    engine = await RtpEngine.start(20_000)
    socket = createSocket('udp4')
    const [, host, port] = /^udp:(.*):(.*)$/.exec(engine.url) ?? []
    socket.connect(Number(port), host)
    await once(socket, 'connect')
  })
  afterAll(async () => {
    socket?.close()
    await engine?.stop()
  })

  /** What rtpengine complains of, in the words of its log, when it is sent all of `names`. */
  async function unknown(names: readonly string[], kind: 'dictionary key' | 'flag'): Promise<string[]> {
    const before = engine.log.length
    for (let at = 0; at < names.length; at += BATCH) {
      const last = `no-such-${kind.replace(' ', '-')}-${before}-${at}`
      const batch = [...names.slice(at, at + BATCH), last]
      const given = kind === 'flag' ? { flags: batch } : Object.fromEntries(batch.map((name) => [name, '1']))
      const call = { 'call-id': `vocabulary ${kind} ${at}`, 'from-tag': 'a', sdp: 'v=0', command: 'offer' }
      // No client would send a key in two spellings.
      socket.send(Buffer.concat([Buffer.from(`${last} `), encode({ ...given, ...call })]))
      // What is unknown for certain comes last, so all the others have been looked at when it is in the log.
      await vi.waitFor(() => expect(engine.log.includes(last)).toBe(true), { timeout: 5000 })
    }
    const complaints = engine.log
      .slice(before)
      .matchAll(new RegExp(`Unknown ${kind} encountered: '([^']+)'`, 'g'))
    const found = new Set([...complaints].map(([, name = '']) => name))
    return [...found].filter((name) => !name.startsWith('no-such-')).sort()
  }

  it('keys: those of 10.5 are known to it, and the others are not', async () => {
    const names = KEYS.flatMap(spellingsOf)
    const later = KEYS.filter(({ since }) => since === 'later').flatMap(spellingsOf)
    expect(await unknown(names, 'dictionary key')).toEqual(
      [...later, ...LATER_SPELLINGS, ...OF_OTHER_COMMANDS].sort(),
    )
  })

  it('keys: each name by which one is sent is known to it', () => {
    const names: ReadonlySet<string> = new Set(KEYS.map(({ name }) => name))
    expect(LATER_SPELLINGS.filter((spelling) => names.has(spelling))).toEqual([])
  })

  /** The values that rtpengine complains of when a client of ours sends them, each in a command of its own. */
  async function unknownValues(name: string, values: readonly unknown[]): Promise<string[]> {
    const before = engine.log.length
    await using ng = new NgClient(engine.url)
    for (const value of values)
      await ng
        .offer({ 'call-id': `value of ${name}`, 'from-tag': 'a', sdp: 'v=0', [name]: value as string })
        .catch(() => {})
    const last = `no-such-flag-${before}`
    await ng.offer({ 'call-id': 'last', 'from-tag': 'a', sdp: 'v=0', flags: last }).catch(() => {})
    await vi.waitFor(() => expect(engine.log.includes(last)).toBe(true), { timeout: 5000 })
    const complaints = engine.log.slice(before).matchAll(/Unknown '[^']+' flag encountered: '([^']*)'/g)
    return [...complaints].map(([, value = '']) => value)
  }

  it.each(VALUED)('values of $name: those of 10.5 are known to it, and the others are not', async (key) => {
    expect(await unknownValues(key.name, key.values)).toEqual(
      key.values.filter((one) => key.later.includes(one)),
    )
  })

  it.each(VALUED)('values of $name: it reads them however they are given', async ({ name, value }) => {
    const forms = value.kind === 'choice' ? ['bogus'] : ['bogus', ['bogus']]
    expect(await unknownValues(name, forms)).toEqual(forms.map(() => 'bogus'))
    if (value.kind === 'list' && value.single === 'list')
      expect(await unknownValues(name, ['one, two', ['one', 'two']])).toEqual(['one', 'two', 'one', 'two'])
  })

  it('what is in codec: its lists are read however they are given', async () => {
    await using ng = new NgClient(engine.url)
    const sdp =
      'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n'
    for (const [i, strip] of ['PCMU', ['PCMU'], 'opus, PCMU'].entries()) {
      const codec = { strip, transcode: 'G722' }
      const reply = await ng.offer({ 'call-id': `codec ${i}`, 'from-tag': 'a', sdp, codec })
      expect(reply.sdp).toMatch(/^m=audio \d+ RTP\/AVP 8 9\r$/m)
      await ng.delete({ 'call-id': `codec ${i}` })
    }
  })

  it('received from: an address alone is read', async () => {
    await using ng = new NgClient(engine.url)
    const sdp =
      'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
    const call = { 'call-id': 'received from' }
    const flags = 'SIP-source-address'
    await ng.offer({ ...call, 'from-tag': 'a', sdp, 'received from': '127.0.0.7', flags })
    const [party] = callReport(await ng.query(call)).parties
    expect(party?.medias[0]?.streams[0]?.endpoint?.address).toBe('127.0.0.7')
    await ng.delete(call)
  })

  it('beginnings of flags: those of 10.5 are known to it, and the others are not', async () => {
    expect(
      await unknown(
        FLAG_PREFIXES.map((prefix) => `${prefix}x`),
        'flag',
      ),
    ).toEqual(LATER_FLAG_PREFIXES.map((prefix) => `${prefix}x`).sort())
  })

  it('flags: those of 10.5 are known to it, and the others are not', async () => {
    const names = FLAGS.flatMap(spellingsOf)
    const later = FLAGS.filter(({ since }) => since === 'later').flatMap(spellingsOf)
    expect(await unknown(names, 'flag')).toEqual(
      [...new Set([...later, ...FLAGS_OF_OTHER_COMMANDS].map(logged))].sort(),
    )
  })
})
