import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { NgClient } from '../../../src/ng/client.ts'
import { findProgram, RtpEngine } from '../program.ts'
import { Party } from './party.ts'

/** What rtpengine 10.5.3 answers `Unrecognized command` to. */
const LATER = [
  'pause recording',
  'inject start',
  'inject stop',
  'connect',
  'create',
  'create answer',
  'mesh',
  'transform',
  'cli',
]

const SILENCE = 0xff
const MEDIA_PORTS = 12_000
const program = findProgram('rtpengine', 'rtpengine-daemon')

/** A quarter of a second of 16-bit PCM at 8 kHz. */
function wav(): Buffer {
  const samples = 2000
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + 2 * samples, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(16_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(2 * samples, 40)
  return Buffer.concat([header, Buffer.alloc(2 * samples, 0x11)])
}

describe.skipIf(program === undefined)('every NG command at the real rtpengine', () => {
  let engine: RtpEngine
  let recordings: string
  beforeAll(async () => {
    recordings = mkdtempSync(join(tmpdir(), 'recordings-'))
    engine = await RtpEngine.start(MEDIA_PORTS, ['127.0.0.1'], undefined, [
      `--recording-dir=${recordings}`,
      '--recording-method=pcap',
    ])
  })
  afterAll(async () => {
    await engine?.stop()
    rmSync(recordings, { recursive: true })
  })

  describe.each([
    ['UDP', () => engine.url],
    ['TCP', () => engine.tcpUrl],
    ['HTTP', () => engine.httpUrl],
    ['WebSocket', () => engine.wsUrl],
    ['UDP with TCP', () => `${engine.url}|${engine.tcpUrl}`],
  ])('over %s', (name, url) => {
    let ng: NgClient
    let a: Party
    let b: Party
    let calls = 0
    let call: { 'call-id': string }
    beforeEach(async () => {
      ng = new NgClient(url(), { timeoutMs: 2000 })
      call = { 'call-id': `${name}-${++calls}` }
      a = await Party.open(0xa)
      b = await Party.open(0xb)
    })
    afterEach(async () => {
      await ng.delete(call)
      await ng.close()
      a.close()
      b.close()
    })

    const fromA = () => ({ ...call, 'from-tag': 'a' })

    /** A call between `a` and `b` in which `b` hears what `a` says. */
    async function setUp(flags: string[] = []): Promise<void> {
      const offer = await ng.offer({ ...fromA(), sdp: a.sdp(), flags })
      const answer = await ng.answer({ ...fromA(), 'to-tag': 'b', sdp: b.sdp(), flags })
      b.follow(offer.sdp)
      a.follow(answer.sdp)
      await heard(a, b, 1)
      await heard(b, a, 2)
    }

    /** What `to` hears before it hears the mark that `from` sends last. */
    async function heard(from: Party, to: Party, mark: number): Promise<number[]> {
      to.forget()
      await vi.waitFor(
        async () => {
          await from.talk(1, mark)
          expect(to.heard().audio).toContain(mark)
        },
        { interval: 10, timeout: 5000 },
      )
      return to.heard().audio
    }

    it('ping: pong', async () => {
      expect(await ng.ping()).toEqual({ result: 'pong' })
    })

    it('offer, answer, query, list, delete: a call with media, and its figures', async () => {
      await setUp()
      await a.talk(20, 3)
      await heard(a, b, 4)
      const query = await ng.query(call)
      const tags = query.tags as Record<string, { tag: string; medias: { streams: { stats: unknown }[] }[] }>
      expect(Object.keys(tags).sort()).toEqual(['a', 'b'])
      const { packets, bytes } = tags.a!.medias[0]!.streams[0]!.stats as { packets: number; bytes: number }
      expect(packets).toBeGreaterThanOrEqual(22)
      expect(bytes).toBe(packets * 172)
      expect((await ng.list({ limit: 100 })).calls).toContain(call['call-id'])
      const deleted = await ng.delete(fromA())
      expect(deleted.result).toBe('ok')
      expect(deleted.warning).toBeUndefined()
      expect((deleted.totals as { RTP: { packets: number } }).RTP.packets).toBeGreaterThanOrEqual(packets)
      await expect(ng.query(call)).rejects.toMatchObject({
        code: 'ERR_RTPPROXY_NG',
        reason: 'Unknown call-id',
      })
      expect((await ng.delete(call)).warning).toBe("Call-ID not found or tags didn't match")
      expect((await ng.list({ limit: 100 })).calls).not.toContain(call['call-id'])
    })

    it('statistics: the call is counted', async () => {
      await setUp()
      const { statistics } = await ng.statistics()
      const { sessionsown } = statistics.currentstatistics as { sessionsown: number }
      expect(sessionsown).toBe((await ng.list()).calls.length)
    })

    it('start recording, stop recording: a file that grows, and stops growing', async () => {
      await setUp()
      await ng.startRecording(call)
      await heard(a, b, 3)
      await ng.stopRecording(call)
      const files = readdirSync(join(recordings, 'pcaps')).map((file) => join(recordings, 'pcaps', file))
      const ours = files.filter((file) => file.includes(encodeURIComponent(call['call-id'])))
      expect(ours).toHaveLength(1)
      const { size } = statSync(ours[0]!)
      expect(size).toBeGreaterThan(172)
      await heard(a, b, 4)
      expect(statSync(ours[0]!).size).toBe(size)
    })

    it('start forwarding, stop forwarding: done for a call it has, and refused for another', async () => {
      await setUp()
      const other = { 'call-id': 'no such call', 'from-tag': 'a' }
      expect(await ng.startForwarding(fromA())).toEqual({ result: 'ok' })
      await expect(ng.startForwarding(other)).rejects.toMatchObject({ reason: 'Unknown call-ID' })
      expect(await ng.stopForwarding(fromA())).toEqual({ result: 'ok' })
      await expect(ng.stopForwarding(other)).rejects.toMatchObject({ reason: 'Unknown call-ID' })
    })

    it('block DTMF, unblock DTMF: keys are kept back, and pass again', async () => {
      await setUp()
      await ng.blockDtmf(call)
      b.forget()
      await a.press(5)
      await heardMore(a, b)
      expect(b.heard().events).toEqual([])
      await ng.unblockDtmf(call)
      await a.press(6)
      await expect.poll(() => b.heard().events).toContain(6)
    })

    it('block media, unblock media: nothing is heard, and something is again', async () => {
      await setUp()
      await ng.blockMedia(call)
      b.forget()
      await a.talk(10, 3)
      await ng.unblockMedia(call)
      expect(await heard(a, b, 4)).not.toContain(3)
    })

    it('silence media, unsilence media: silence is heard instead', async () => {
      await setUp()
      await ng.silenceMedia(call)
      b.forget()
      await a.talk(10, 3)
      await expect.poll(() => b.heard().audio.filter((value) => value === SILENCE)).toHaveLength(10)
      await ng.unsilenceMedia(call)
      expect(await heard(a, b, 4)).not.toContain(3)
    })

    it('play media, stop media: the file is heard, for as long as it says', async () => {
      await setUp()
      a.forget()
      const { duration } = await ng.playMedia({ ...fromA(), blob: wav(), 'repeat-times': 50 })
      expect(duration).toBe(250)
      await expect.poll(() => a.heard().audio.length).toBeGreaterThan(3)
      expect((await ng.stopMedia(fromA())).result).toBe('ok')
    })

    it('play DTMF: the other side hears the key', async () => {
      await setUp(['inject-DTMF'])
      expect(await ng.playDtmf({ ...fromA(), code: '7', duration: 100 })).toEqual({ result: 'ok' })
      await vi.waitFor(
        async () => {
          await a.talk(1, 3)
          expect(b.heard().events).toContain(7)
        },
        { timeout: 5000 },
      )
    })

    it('publish: media is taken in', async () => {
      const reply = await ng.publish({ ...fromA(), sdp: a.sdp('sendonly') })
      expect(reply.sdp).toMatch(/^m=audio 1[2-5]\d{3} RTP\/AVP 0/m)
      expect(reply.sdp).toContain('a=recvonly')
    })

    it('subscribe request, subscribe answer, unsubscribe: a third party hears, until it does not', async () => {
      await setUp()
      const c = await Party.open(0xc)
      try {
        const request = await ng.subscribeRequest(fromA())
        expect(request.sdp).toContain('a=sendonly')
        expect(request['from-tags']).toEqual(['a'])
        const toTag = { ...call, 'to-tag': request['to-tag'] }
        expect(await ng.subscribeAnswer({ ...toTag, sdp: c.sdp('recvonly') })).toEqual({ result: 'ok' })
        await heard(a, c, 3)
        expect(await ng.unsubscribe(toTag)).toEqual({ result: 'ok' })
        c.forget()
        await heard(a, b, 4)
        expect(c.heard().audio).toEqual([])
      } finally {
        c.close()
      }
    })

    it.each(LATER)('%s: says that 10.5 does not know it', async (command) => {
      await expect(ng.request(command, fromA())).rejects.toMatchObject({
        code: 'ERR_RTPPROXY_NG',
        reason: 'Unrecognized command',
        command,
      })
    })

    /** Waits until what was sent before must have come through. */
    async function heardMore(from: Party, to: Party): Promise<void> {
      const before = to.heard().audio.length
      await from.talk(1, 9)
      await expect.poll(() => to.heard().audio.length).toBeGreaterThan(before)
    }
  })
})
