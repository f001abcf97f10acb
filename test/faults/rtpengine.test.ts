import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'
import { findProgram, RtpEngine } from '../real/program.ts'
import { Middleman } from './middleman.ts'
import { SEED } from './random.ts'
import { inParallel, Outcomes, offer, offersAt, sip } from './traffic.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')
const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function engine(media: number, port?: number): Promise<RtpEngine> {
  const started = await RtpEngine.start(media, ['127.0.0.1'], port)
  opened.push(() => started.stop())
  return started
}

async function client(options: RtpProxyNgOptions): Promise<RtpProxyNg> {
  const media = new RtpProxyNg(options)
  opened.push(() => media.close())
  await media.start()
  return media
}

const portOf = (url: string): number => Number(url.slice(url.lastIndexOf(':') + 1))

/** A call that lasts no longer than its offer, so that ports are given back. */
async function call(media: RtpProxyNg, callId: string, outcomes: Outcomes): Promise<void> {
  await offer(media, callId, outcomes)
  await media.destroy(sip('BYE', callId)).catch(() => undefined)
}

describe.skipIf(program === undefined)('real rtpengines', () => {
  it('one of three killed under load and started again on its port: no offer fails, and it is used again', async () => {
    const engines = [await engine(12_000), await engine(16_000), await engine(20_000)]
    const media = await client({ sockets: engines.map(({ url }) => url).join(' '), disableMs: 1000 })
    const outcomes = new Outcomes()
    const victim = engines[0]!.url
    let killed = 0
    let back = 0
    const replaced = delay(2000).then(async () => {
      killed = performance.now()
      await engines[0]!.kill()
      await engine(24_000, portOf(victim))
      back = performance.now()
    })
    await offersAt(300, 8, (i) => call(media, `real-${i}@192.0.2.7`, outcomes))
    await replaced
    // However long it took to start.
    const later = () => outcomes.took.filter(({ at, node }) => node === victim && at > back)
    let more = 0
    await expect
      .poll(() => call(media, `more-${more++}@192.0.2.7`, outcomes).then(() => later().length), {
        timeout: 20_000,
        interval: 5,
      })
      .toBeGreaterThan(100)
    expect([...outcomes.failed]).toEqual([])
    expect([outcomes.answered, outcomes.wrong]).toEqual([2400 + more, 0])
    console.info(
      `rtpengine killed at 300/s: ${2400 + more} of ${2400 + more} answered; p99 before ${outcomes.percentile(0.99, 0, killed).toFixed(1)} ms, ` +
        `in the second after ${outcomes.percentile(0.99, killed, killed + 1000).toFixed(1)} ms; used again ${(later()[0]!.at - killed).toFixed(0)} ms after the kill`,
    )
  })

  it('one of two frozen and thawed: no offer fails, its late replies are dropped', async () => {
    const engines = [await engine(12_000), await engine(16_000)]
    const media = await client({
      sockets: engines.map(({ url }) => url).join(' '),
      timeoutMs: 500,
      attempts: 3,
      disableMs: 1000,
    })
    const outcomes = new Outcomes()
    setTimeout(() => engines[0]!.signal('SIGSTOP'), 1000)
    setTimeout(() => engines[0]!.signal('SIGCONT'), 5000)
    await offersAt(100, 8, (i) => call(media, `frost-${i}@192.0.2.7`, outcomes))
    expect([...outcomes.failed]).toEqual([])
    expect([outcomes.answered, outcomes.wrong]).toEqual([800, 0])
    await expect.poll(() => media.droppedReplies.late).toBeGreaterThan(0)
    await expect.poll(() => media.show().map(({ state }) => state), { timeout: 10_000 }).toEqual(['up', 'up'])
    console.info(`rtpengine frozen for 4 s: ${media.droppedReplies.late} late replies dropped`)
  })

  it(`counts no command twice in bad weather (FAULTS_SEED=${SEED})`, async () => {
    const one = await engine(12_000)
    const middleman = new Middleman(portOf(one.url), SEED, { loss: 0.1, repeats: 0.05, held: 0.05 })
    opened.push(() => middleman.close())
    const port = await middleman.listen()
    const media = await client({
      sockets: `udp:127.0.0.1:${port}`,
      timeoutMs: 200,
      // That all sends of one offer or their replies are lost has to be out of the question: with 8 it came in one run of a thousand.
      attempts: 16,
      deadAfter: 1_000_000,
    })
    middleman.begin()
    const outcomes = new Outcomes()
    await inParallel(600, 20, (i) => offer(media, `count-${i}@192.0.2.7`, outcomes))
    expect([outcomes.answered, outcomes.wrong]).toEqual([600, 0])
    const { statistics } = (await media.request('statistics')) as {
      statistics: { controlstatistics: { proxies: { offercount: number }[] } }
    }
    const [counted] = statistics.controlstatistics.proxies
    expect(counted?.offercount).toBe(600)
    console.info(
      `600 offers through ${JSON.stringify(middleman.counters)}: rtpengine counted ${counted?.offercount}`,
    )
  })
})
