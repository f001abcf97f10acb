import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Timed, TimerWheel } from '../../../src/network/requests/timer-wheel.ts'

class Probe extends Timed {
  at: number | undefined
  readonly #clock: () => number
  constructor(clock: () => number) {
    super()
    this.#clock = clock
  }
  override expired(): void {
    this.at = this.#clock()
  }
}

describe('the timer wheel', () => {
  it('expires nothing early and everything within a tick, over many turns of the wheel', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 50 }),
        fc.boolean(),
        (delays, drop) => {
          let now = 0
          const clock = () => now
          const wheel = new TimerWheel(clock)
          const probes = delays.map((delay) => {
            const probe = new Probe(clock)
            wheel.add(probe, delay)
            return probe
          })
          const removed = drop ? probes.filter((_, i) => i % 2 === 0) : []
          for (const probe of removed) wheel.remove(probe)
          for (; now <= 20_040; now += 10) wheel.turn()
          probes.forEach((probe, i) => {
            if (removed.includes(probe)) expect(probe.at).toBeUndefined()
            else {
              expect(probe.at).toBeGreaterThanOrEqual(delays[i]!)
              expect(probe.at).toBeLessThanOrEqual(delays[i]! + 30)
            }
          })
          expect(wheel.size).toBe(0)
          wheel.close()
        },
      ),
      { numRuns: 50 },
    )
  })

  it('catches up after the process was stopped for longer than a turn', () => {
    let now = 0
    const wheel = new TimerWheel(() => now)
    const probes = [50, 5000, 9000, 60_000].map((delay) => {
      const probe = new Probe(() => now)
      wheel.add(probe, delay)
      return probe
    })
    now = 30_000
    wheel.turn()
    expect(probes.map(({ at }) => at)).toEqual([30_000, 30_000, 30_000, undefined])
    wheel.close()
  })

  it('expires the others a tick later when one of them throws', () => {
    let now = 0
    const clock = () => now
    const wheel = new TimerWheel(clock)
    const before = new Probe(clock)
    const after = new Probe(clock)
    class Thrower extends Timed {
      override expired(): void {
        throw new Error('a listener threw')
      }
    }
    wheel.add(before, 40)
    wheel.add(new Thrower(), 40)
    wheel.add(after, 40)
    now = 40
    expect(() => wheel.turn()).toThrow('a listener threw')
    now = 60
    wheel.turn()
    expect([before.at, after.at].sort()).toEqual([40, 60])
    expect(wheel.size).toBe(0)
    wheel.close()
  })

  it('runs its timer only while something waits', () => {
    vi.useFakeTimers()
    try {
      const clock = () => performance.now()
      const wheel = new TimerWheel(clock)
      expect(vi.getTimerCount()).toBe(0)
      const probe = new Probe(clock)
      const removed = new Probe(clock)
      wheel.add(probe, 1000)
      wheel.add(removed, 2000)
      wheel.remove(removed)
      expect(vi.getTimerCount()).toBe(1)
      vi.advanceTimersByTime(1040)
      expect(probe.at).toBeGreaterThanOrEqual(1000)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lets what expires add and remove others', () => {
    let now = 0
    const wheel = new TimerWheel(() => now)
    const victim = new Probe(() => now)
    let again = 0
    class Meddler extends Timed {
      override expired(): void {
        wheel.remove(victim)
        if (++again < 3) wheel.add(this, 20)
      }
    }
    wheel.add(victim, 40)
    wheel.add(new Meddler(), 40)
    for (now = 0; now < 400; now += 20) wheel.turn()
    expect(again).toBe(3)
    expect(wheel.size).toBe(0)
    wheel.close()
  })
})
