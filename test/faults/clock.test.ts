import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'
import { random, SEED } from './random.ts'

afterEach(() => {
  vi.useRealTimers()
})

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function message(start: string, method: string, call: number, tag = '', sdp = ''): SipMessage {
  const type = sdp && 'Content-Type: application/sdp\r\n'
  const text =
    `${start}\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK${call}\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>${tag}\r\n` +
    `Call-ID: day-${call}@192.0.2.7\r\nCSeq: 1 ${method}\r\n${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
  return SipMessage.parse(Buffer.from(text), { address: '192.0.2.7', port: 5060 })
}

const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWRAP').length

it(`a day of calls leaves nothing behind (FAULTS_SEED=${SEED})`, async () => {
  const chance = random(SEED)
  const before = sockets()
  const steady = new ScriptedProxy()
  const flaky = new ScriptedProxy()
  const urls = [`udp:127.0.0.1:${await steady.listenUdp()}`, `udp:127.0.0.1:${await flaky.listenUdp()}`]
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  })
  const media = new RtpProxyNg({
    sockets: urls.join(' '),
    timeoutMs: 500,
    attempts: 2,
    pingMs: 10_000,
    keepDialogs: 1000,
  })
  await media.start()

  const STEP_MS = 30_000
  const DAY_MS = 24 * 3_600_000
  let calls = 0
  let failures = 0
  /** Calls to be ended, by the step at which they hang up. */
  const ending = new Map<number, number[]>()
  /** Lets what is under way end: its replies come in real time, its time-outs in ours. */
  const settle = async (work: Promise<unknown>[]) => {
    let isOver = false
    void Promise.allSettled(work).then((results) => {
      failures += results.filter(({ status }) => status === 'rejected').length
      isOver = true
    })
    for (let idle = 0; !isOver; idle++) {
      await turn()
      // Only when nothing comes any more is it time that has to pass.
      if (idle > 50) await vi.advanceTimersByTimeAsync(20)
    }
  }

  for (let step = 0; step < DAY_MS / STEP_MS; step++) {
    // An hour of every four the second node is silent, and its calls with it.
    flaky.script = step % 480 < 120 ? scripts.silent : scripts.ok
    const work: Promise<unknown>[] = []
    for (let i = 0; i < 4; i++) {
      const call = calls++
      const dialog = async () => {
        await media.manage(message('INVITE sip:b@c SIP/2.0', 'INVITE', call, '', SDP), { flags: 'co1' })
        await media.manage(message('SIP/2.0 200 OK', 'INVITE', call, `;tag=t${call}`, SDP), { flags: 'co1' })
      }
      work.push(dialog())
      // One in ten never hangs up: its BYE was lost.
      if (chance() < 0.1) continue
      const end = step + 1 + Math.floor(chance() * 60)
      ending.set(end, [...(ending.get(end) ?? []), call])
    }
    for (const call of ending.get(step) ?? [])
      work.push(media.manage(message('BYE sip:b@c SIP/2.0', 'BYE', call, `;tag=t${call}`)))
    ending.delete(step)
    await settle(work)
    await vi.advanceTimersByTimeAsync(STEP_MS)
  }
  const busy = media.counters
  expect(busy.calls).toBeGreaterThan(100)
  // The calls that never ended expire four hours after their last message.
  await vi.advanceTimersByTimeAsync(5 * 3_600_000)
  const after = media.counters
  expect(after).toMatchObject({
    commands: 0,
    openRequests: 0,
    calls: 0,
    dialogs: 0,
    transactions: 0,
    rememberedDeletes: 0,
  })
  await media.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  for (const proxy of [steady, flaky]) await proxy.close()
  await expect.poll(sockets).toBe(before)
  console.info(
    `a day: ${calls} calls, ${failures} commands failed, ${busy.calls} entries at its end (${busy.dialogs} dialogs kept), 0 five hours later; ` +
      `${steady.payloads.length + flaky.payloads.length} requests`,
  )
})
