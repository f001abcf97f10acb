import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { Path, type Weather } from '../../src/testing/network/weather.ts'
import { Datagrams } from './clients.ts'

/** In which order the numbers of so many datagrams arrive, and when, on a simulated clock. */
function arrivals(seed: number, weather: Weather, count: number): [number: number, ms: number][] {
  vi.useFakeTimers({ now: 0 })
  try {
    const path = new Path(seed)
    const arrived: [number, number][] = []
    for (let i = 0; i < count; i++) {
      path.pass(weather, () => arrived.push([i, Date.now()]))
      vi.advanceTimersByTime(1)
    }
    vi.runAllTimers()
    expect(vi.getTimerCount()).toBe(0)
    return arrived
  } finally {
    vi.useRealTimers()
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true })
const weathers = fc.record<Weather>(
  {
    loss: share,
    repeat: share,
    reorder: share,
    delayMs: fc.oneof(fc.nat(50), fc.tuple(fc.nat(10), fc.integer({ min: 10, max: 50 }))),
  },
  { requiredKeys: [] },
)

describe('the weather', () => {
  it('is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), weathers, fc.nat(60), (seed, weather, count) => {
        expect(arrivals(seed, weather, count)).toEqual(arrivals(seed, weather, count))
      }),
      { numRuns: 200 },
    )
  })

  it('invents nothing, and loses nothing unless it is told to', () => {
    fc.assert(
      fc.property(fc.integer(), weathers, fc.nat(60), (seed, weather, count) => {
        const times = new Array<number>(count).fill(0)
        for (const [number] of arrivals(seed, weather, count)) times[number]!++
        for (const time of times) {
          expect(time).toBeGreaterThanOrEqual((weather.loss ?? 0) > 0 ? 0 : 1)
          expect(time).toBeLessThanOrEqual((weather.repeat ?? 0) > 0 ? 2 : 1)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('decides the fate of a datagram without regard to that of others', () => {
    const lost = (weather: Weather): number[] => {
      const arrived = new Set(arrivals(7, weather, 200).map(([number]) => number))
      return Array.from({ length: 200 }, (_, i) => i).filter((i) => !arrived.has(i))
    }
    const alone = lost({ loss: 0.2 })
    expect(alone.length).toBeGreaterThan(20)
    expect(lost({ loss: 0.2, repeat: 0.5, delayMs: [1, 9] })).toEqual(alone)
  })

  it('is fair unless it is told otherwise', () => {
    expect(arrivals(1, {}, 3)).toEqual([0, 1, 2].map((i) => [i, i]))
  })

  it('lets a datagram be overtaken by the next one, or go after 20 ms', () => {
    expect(arrivals(1, { reorder: 1 }, 3).map(([number, ms]) => [number, ms])).toEqual([
      [1, 1],
      [0, 1],
      [2, 22],
    ])
  })

  it('is over at once when it is cleared', () => {
    vi.useFakeTimers()
    const path = new Path(1)
    const arrived = vi.fn()
    path.pass({ delayMs: 5 }, arrived)
    path.pass({ reorder: 1 }, arrived)
    path.clear()
    expect(vi.getTimerCount()).toBe(0)
    path.pass({}, arrived)
    expect(arrived).toHaveBeenCalledOnce()
    vi.useRealTimers()
  })
})

it('touches datagrams of both directions', async () => {
  /** Which of the datagrams came in, and which were answered. */
  async function run(seed: number): Promise<[string[], string[]]> {
    await using engine = new FakeRtpEngine({ seed })
    await engine.start()
    const udp = new Datagrams(engine.urls[0]!)
    engine.weather({ loss: 0.3, repeat: 0.2 })
    udp.send(...Array.from({ length: 100 }, (_, i) => `${i} d7:command4:pinge`))
    const replies: string[] = []
    udp.socket.on('message', (bytes) => replies.push(String(bytes).split(' ')[0]!))
    await engine.received('ping')
    while (!replies.includes('end')) {
      udp.send('end d7:command4:pinge')
      await Promise.race([udp.replies(1), new Promise((resolve) => setTimeout(resolve, 5))])
    }
    udp.close()
    const came = engine.commands.map(({ cookie }) => cookie!)
    return [came.filter((cookie) => cookie !== 'end'), replies.filter((cookie) => cookie !== 'end')]
  }
  const first = await run(3)
  expect(await run(3)).toEqual(first)
  expect(await run(4)).not.toEqual(first)
  expect(new Set(first[0]).size).toBeLessThan(90)
  expect(new Set(first[1]).size).toBeLessThan(new Set(first[0]).size)
})
