import { afterEach, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { NodeProcess, Outcomes, offer } from './traffic.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

it("a million forged replies from the node's own address: none is accepted", async () => {
  const COUNT = 1_000_000
  const node = await NodeProcess.start()
  opened.push(() => node.end())
  const media = new RtpProxyNg({ sockets: node.url, deadAfter: 1_000_000 })
  opened.push(() => media.close())
  await media.start()
  const outcomes = new Outcomes()

  /** Offers one by one until told to stop; gives how many in a second. */
  const steady = async (until: { done: boolean }): Promise<number> => {
    const started = performance.now()
    const before = outcomes.answered
    await Promise.all(
      Array.from({ length: 16 }, async (_, lane) => {
        for (let i = 0; !until.done; i++)
          await offer(media, `forged-${lane}-${i}-${started}@192.0.2.7`, outcomes)
      }),
    )
    return ((outcomes.answered - before) * 1000) / (performance.now() - started)
  }

  const calm = { done: false }
  setTimeout(() => {
    calm.done = true
  }, 2000)
  const without = await steady(calm)
  const storm = { done: false }
  const flood = node.flood(COUNT).finally(() => {
    storm.done = true
  })
  const during = await steady(storm)
  await flood
  expect(outcomes.wrong).toBe(0)
  expect([...outcomes.failed]).toEqual([])
  const { late, foreign, malformed } = media.droppedReplies
  // The kernel drops what does not fit into the socket; what came in was seen for what it was.
  expect(late + foreign + malformed).toBeGreaterThan(COUNT / 10)
  expect(foreign).toBeGreaterThan(0)
  expect(late).toBeGreaterThan(0)
  console.info(
    `forged: ${COUNT} sent, ${late + foreign + malformed} arrived (${late} late, ${foreign} foreign, ${malformed} malformed), none accepted; ` +
      `true ones ${without.toFixed(0)}/s before, ${during.toFixed(0)}/s during (the node itself was busy sending)`,
  )
})
