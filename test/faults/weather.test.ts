import { afterEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { Middleman, type Weather } from './middleman.ts'
import { SEED } from './random.ts'
import { inParallel, NodeProcess, Outcomes, offer } from './traffic.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/**
 * A client that reaches its node through a middleman with this weather in each direction. Its time-outs are long beside the time
 * for which a busy machine lets one of them wait: what fails then fails of the weather.
 */
async function through(toNode: Weather, toClient: Weather = toNode, timeoutMs = 500) {
  const node = await NodeProcess.start()
  opened.push(() => node.end())
  const middleman = new Middleman(node.port, SEED, toNode, toClient)
  opened.push(() => middleman.close())
  const port = await middleman.listen()
  const media = new RtpProxyNg({
    sockets: `udp:127.0.0.1:${port}`,
    timeoutMs,
    attempts: 5,
    // One node alone must not be taken out of use for what the weather does.
    deadAfter: 1_000_000,
  })
  opened.push(() => media.close())
  await media.start()
  middleman.begin()
  return { node, middleman, media }
}

describe(`bad weather on the way to a media proxy (FAULTS_SEED=${SEED})`, () => {
  it('10 % loss each way, repeats and overtaking: no more fail than must, nobody gets another reply', async () => {
    const COUNT = 100_000
    const { node, middleman, media } = await through({ loss: 0.1, repeats: 0.05, held: 0.05, heldMs: 30 })
    const outcomes = new Outcomes()
    const started = performance.now()
    await inParallel(COUNT, 400, (i) => offer(media, `weather-${i}@192.0.2.7`, outcomes))
    const seconds = (performance.now() - started) / 1000
    // All five sends, or their replies, are lost.
    const share = (1 - 0.9 * 0.9) ** 5
    const predicted = COUNT * share
    const bound = predicted + 6 * Math.sqrt(predicted)
    expect([...outcomes.failed.keys()].filter((code) => code !== 'ERR_RTPPROXY_NO_NODE')).toEqual([])
    expect(outcomes.failures).toBeLessThanOrEqual(bound)
    expect(outcomes.answered + outcomes.failures).toBe(COUNT)
    expect(outcomes.wrong).toBe(0)
    const { executions, doubles, repeats } = await node.counts()
    expect(doubles).toBe(0)
    expect(executions).toBeLessThanOrEqual(COUNT)
    console.info(
      `weather: ${COUNT} offers in ${seconds.toFixed(0)} s, ${outcomes.failures} failed (predicted ${predicted.toFixed(0)}, at most ${bound.toFixed(0)}), ` +
        `${executions} executed, ${doubles} twice, ${repeats} answered again; ${JSON.stringify(middleman.counters)}`,
    )
  })

  it('corrupted replies end in an answer or an error, never in a broken one or a crash', async () => {
    const COUNT = 5000
    const { middleman, media } = await through({}, { corrupted: 0.2 })
    const outcomes = new Outcomes()
    await inParallel(COUNT, 100, (i) => offer(media, `corrupt-${i}@192.0.2.7`, outcomes))
    expect(outcomes.answered + outcomes.failures).toBe(COUNT)
    // A flipped bit inside the SDP is nothing NG can notice; a broken frame is always noticed.
    expect([...outcomes.failed.keys()].sort()).toEqual(expect.arrayContaining(['ERR_RTPPROXY_REPLY']))
    expect(media.openRequests).toBe(0)
    console.info(
      `corrupted: ${middleman.counters.corrupted} replies, ${JSON.stringify([...outcomes.failed])}, ${outcomes.wrong} with a flipped call id`,
    )
  })

  it('replies from strangers do not arrive at all, whatever their cookie', async () => {
    // Nothing is lost, so nothing need be sent again: a second reply would come late.
    const { middleman, media } = await through({}, {}, 20_000)
    const outcomes = new Outcomes()
    const spoofed = Buffer.from('AAAAAAAAAAAAAAAA_00000000 d3:sdp4:evil6:result2:oke')
    await inParallel(500, 20, async (i) => {
      await offer(media, `spoof-${i}@192.0.2.7`, outcomes)
      await middleman.spoof(spoofed)
    })
    expect([outcomes.answered, outcomes.wrong, outcomes.failures]).toEqual([500, 0, 0])
    expect(media.droppedReplies).toEqual({ late: 0, foreign: 0, malformed: 0 })
  })
})
