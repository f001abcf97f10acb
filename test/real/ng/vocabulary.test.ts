import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { encode } from '../../../src/core/bencode.ts'
import { FLAGS } from '../../../src/protocol/vocabulary/flags.ts'
import { KEYS } from '../../../src/protocol/vocabulary/keys.ts'
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
    for (let at = 0; at < names.length; at += BATCH) {
      const last = `no-such-${kind.replace(' ', '-')}-${at}`
      const batch = [...names.slice(at, at + BATCH), last]
      const given = kind === 'flag' ? { flags: batch } : Object.fromEntries(batch.map((name) => [name, '1']))
      const call = { 'call-id': `vocabulary ${kind} ${at}`, 'from-tag': 'a', sdp: 'v=0', command: 'offer' }
      // No client would send a key in two spellings.
      socket.send(Buffer.concat([Buffer.from(`${last} `), encode({ ...given, ...call })]))
      // What is unknown for certain comes last, so all the others have been looked at when it is in the log.
      await vi.waitFor(() => expect(engine.log.includes(last)).toBe(true), { timeout: 5000 })
    }
    const complaints = engine.log.matchAll(new RegExp(`Unknown ${kind} encountered: '([^']+)'`, 'g'))
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

  it('flags: those of 10.5 are known to it, and the others are not', async () => {
    const names = FLAGS.flatMap(spellingsOf)
    const later = FLAGS.filter(({ since }) => since === 'later').flatMap(spellingsOf)
    expect(await unknown(names, 'flag')).toEqual(
      [...new Set([...later, ...FLAGS_OF_OTHER_COMMANDS].map(logged))].sort(),
    )
  })
})
