import { afterEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { Lag } from './lag.ts'
import { NodeProcess, Outcomes, offer, offersAt, sip } from './traffic.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function node(port = 0): Promise<NodeProcess> {
  const started = await NodeProcess.start(port)
  opened.push(() => started.end())
  return started
}

async function client(options: ConstructorParameters<typeof RtpProxyNg>[0]): Promise<RtpProxyNg> {
  const media = new RtpProxyNg(options)
  opened.push(() => media.close())
  await media.start()
  return media
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

describe('media proxies that die', () => {
  it('one of three, killed at 2,000 offers a second: no offer fails, and its calls go elsewhere at once', async () => {
    const nodes = [await node(), await node(), await node()]
    // Whoever waited for a time-out would wait longer than a busy machine can make anybody wait.
    const media = await client({ sockets: nodes.map(({ url }) => url).join(' '), timeoutMs: 10_000 })
    let noticed = 0
    media.once('node:down', () => {
      noticed = performance.now()
    })
    const outcomes = new Outcomes()
    const killAt = 3
    let killed = 0
    const started = performance.now()
    setTimeout(() => {
      killed = performance.now()
      nodes[0]!.child.kill('SIGKILL')
    }, killAt * 1000)
    // Half are new calls, half are re-INVITEs of earlier ones: those of the dead node must find another.
    const begun = await offersAt(2000, 8, (i) =>
      offer(media, `kill-${i % 2 ? i : i >> 1}@192.0.2.7`, outcomes),
    )
    expect(begun).toBe(16_000)
    expect([...outcomes.failed]).toEqual([])
    expect([outcomes.answered, outcomes.wrong]).toEqual([16_000, 0])
    const had = outcomes.took.filter(({ at, node: url }) => at < killed && url === nodes[0]!.url)
    expect(had.length).toBeGreaterThan(1000)
    // What was on its way to it at the kill, and what came until it was noticed.
    const caught = outcomes.took.filter(({ at, ms: took }) => at + took > killed && at < noticed)
    const switched = Math.max(...caught.map(({ at, ms: took }) => at + took)) - killed
    expect(switched).toBeLessThan(5000)
    const after = outcomes.took.filter(({ at }) => at > noticed + 100)
    expect(after.some(({ node: url }) => url === nodes[0]!.url)).toBe(false)
    const p99 = (from: number, to: number) => ms(outcomes.percentile(0.99, from, to))
    console.info(
      `killed at 2,000/s: noticed after ${ms(noticed - killed)}, all caught by it answered after ${ms(switched)}; p99 before ${p99(
        started + 1000,
        killed,
      )}, in the second after ${p99(killed, killed + 1000)}, then ${p99(killed + 1000, Number.POSITIVE_INFINITY)}`,
    )
  })

  it('frozen for 30 seconds and thawed: its late replies harm nobody', async () => {
    const frozen = await node()
    const other = await node()
    const media = await client({
      sockets: `${frozen.url} ${other.url}`,
      timeoutMs: 500,
      attempts: 3,
      disableMs: 20_000,
    })
    const outcomes = new Outcomes()
    const states: string[] = []
    media.on('node:state', ({ url, state }) => {
      if (url === frozen.url) states.push(state)
    })
    setTimeout(() => frozen.child.kill('SIGSTOP'), 1000)
    setTimeout(() => frozen.child.kill('SIGCONT'), 31_000)
    await offersAt(200, 36, (i) => offer(media, `frozen-${i}@192.0.2.7`, outcomes))
    expect([...outcomes.failed]).toEqual([])
    expect([outcomes.answered, outcomes.wrong]).toEqual([7200, 0])
    // What it had in its socket when it was frozen it answered when it was thawed: nobody waited for that any more.
    await expect.poll(() => media.droppedReplies.late).toBeGreaterThan(0)
    await expect
      .poll(async () => (await media.offer(sip('INVITE', `back-${Math.random()}@192.0.2.7`))).node, {
        timeout: 25_000,
      })
      .toBe(frozen.url)
    expect(states[0]).toBe('suspect')
    expect(states.slice(-1)).toEqual(['up'])
    const { late, foreign, malformed } = media.droppedReplies
    expect([foreign, malformed]).toEqual([0, 0])
    console.info(
      `frozen for 30 s: ${late} late replies dropped, states ${states.join(' ')}; slowest ${ms(outcomes.percentile(1))}`,
    )
  })

  it('all of them: every call fails within its deadline, and the first that is back is used at its recheck', async () => {
    const nodes = [await node(), await node()]
    const media = await client({
      sockets: nodes.map(({ url }) => url).join(' '),
      timeoutMs: 200,
      attempts: 2,
      disableMs: 2000,
      deadlineMs: 1000,
    })
    for (const one of nodes) one.child.kill('SIGSTOP')
    const outcomes = new Outcomes()
    const lag = new Lag()
    opened.push(async () => lag.end())
    let longest = 0
    await offersAt(200, 3, async (i) => {
      const at = performance.now() - lag.ms
      await offer(media, `dead-${i}@192.0.2.7`, outcomes)
      longest = Math.max(longest, performance.now() - lag.ms - at)
    })
    expect([...outcomes.failed]).toEqual([['ERR_RTPPROXY_NO_NODE', 600]])
    // Some ticks of the wheel late.
    expect(longest).toBeLessThan(1200)
    await nodes[0]!.end()
    const back = await node(nodes[0]!.port)
    const returned = performance.now() - lag.ms
    const due = Math.max(0, media.show()[0]!.recheckTicks * 1000)
    await expect
      .poll(
        () =>
          media.offer(sip('INVITE', `again-${Math.random()}@192.0.2.7`)).then(({ node: url }) => url, String),
        {
          timeout: 10_000,
          interval: 20,
        },
      )
      .toBe(back.url)
    const used = performance.now() - lag.ms - returned
    expect(used).toBeLessThan(2000 + 1000)
    console.info(
      `all dead: 600 failed, the slowest after ${ms(longest)}; used ${ms(used)} after its return (due at ${ms(due)})`,
    )
  })
})
