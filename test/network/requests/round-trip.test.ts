import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../../src/network/requests/open-requests.ts'
import { RoundTrip } from '../../../src/network/requests/round-trip.ts'
import { TimerWheel } from '../../../src/network/requests/timer-wheel.ts'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'

const TICK_MS = 20
const waits = (roundTrip: RoundTrip, first: number, sends = 5) =>
  Array.from({ length: sends }, (_, i) => roundTrip.wait(i + 1, first))

describe('the wait for a reply', () => {
  it('is the configured one until a reply was measured, and doubles', () => {
    expect(waits(new RoundTrip(), 1000)).toEqual([1000, 2000, 4000, 8000, 16000])
  })

  it('follows RFC 6298: the smoothed time and four times its variation', () => {
    const roundTrip = new RoundTrip()
    roundTrip.measured(100)
    expect(roundTrip.wait(1, 1000)).toBe(100 + 4 * 50)
    roundTrip.measured(60)
    // 3/4 of 50 + 1/4 of 40; 7/8 of 100 + 1/8 of 60
    expect(roundTrip.wait(1, 1000)).toBe(95 + 4 * 47.5)
    for (let i = 0; i < 200; i++) roundTrip.measured(80)
    expect(roundTrip.wait(1, 1000)).toBeCloseTo(80, 1)
  })

  it('is neither shorter than 50 ms nor longer at first than the configured one', () => {
    const [near, far] = [new RoundTrip(), new RoundTrip()]
    near.measured(0.2)
    far.measured(5000)
    expect([near.wait(1, 1000), near.wait(2, 1000), far.wait(1, 1000)]).toEqual([50, 100, 1000])
  })

  it('stays doubled after a resend until a reply to a first send is measured', () => {
    const roundTrip = new RoundTrip()
    roundTrip.measured(1)
    roundTrip.resent(3)
    expect(waits(roundTrip, 1000, 3)).toEqual([200, 400, 800])
    roundTrip.measured(150)
    expect(roundTrip.wait(1, 1000)).toBeLessThan(200)
    expect(roundTrip.wait(1, 1000)).toBeGreaterThan(150)
  })

  it('is a sound number of milliseconds whatever was measured', () => {
    const times = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { maxLength: 50 })
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 1000 }),
        (all, first, send) => {
          const roundTrip = new RoundTrip()
          for (const ms of all) roundTrip.measured(ms)
          const wait = roundTrip.wait(send, first)
          expect(wait).toBeGreaterThanOrEqual(50)
          expect(wait).toBeLessThanOrEqual(Math.max(50, first) * 2 ** 16)
        },
      ),
    )
  })
})

describe('a request with measured waits', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** One node on a clock that stands still but for `advance`. */
  function node(timeoutMs: number, attempts: number, unanswered?: (sends: number) => boolean) {
    let now = 1
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const wheel = new TimerWheel(() => now)
    const requests = new OpenRequests(wheel)
    const roundTrip = new RoundTrip()
    const sent: number[] = []
    const sender = { transmit: () => sent.push(now - 1) }
    const advance = (ms: number): void => {
      for (const end = now + ms; now < end; ) {
        now += TICK_MS
        wheel.turn()
      }
      wheel.close()
    }
    const open = () => {
      const outcomes: string[] = []
      const exchange = {
        datagram: Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}de`),
        replied: () => outcomes.push('replied'),
        failed: ({ kind }: { kind: string }) => outcomes.push(kind),
        ...(unanswered && { unanswered }),
      }
      const entry = requests.open(sender, exchange, { timeoutMs, attempts, roundTrip })
      return { outcomes, entry, reply: () => requests.receive(sender, exchange.datagram) }
    }
    return { open, sent, advance, roundTrip, requests }
  }

  it('is sent at doubling distances, and times out when as much time is over as without', () => {
    const { open, sent, advance, roundTrip, requests } = node(1000, 5)
    roundTrip.measured(25)
    const { outcomes } = open()
    advance(5000 - TICK_MS)
    const gaps = sent.slice(1).map((at, i) => at - sent[i]!)
    for (const [i, gap] of gaps.entries()) expect(Math.abs(gap - 75 * 2 ** i)).toBeLessThanOrEqual(TICK_MS)
    expect([sent.length, outcomes]).toEqual([7, []])
    advance(10 * TICK_MS)
    expect([outcomes, requests.size, requests.wheel.size]).toEqual([['timeout'], 0, 0])
  })

  it('is not sent after 30 seconds, when rtpengine may have forgotten its cookie', () => {
    const { open, sent, advance } = node(10_000, 100)
    const { outcomes } = open()
    advance(31_000)
    expect([outcomes, sent.every((at) => at < 30_000)]).toEqual([['timeout'], true])
    advance(60_000)
    expect(sent.length).toBe(2)
  })

  it('is measured when it was sent once, and only then', () => {
    const { open, advance, roundTrip } = node(1000, 5)
    const first = open()
    advance(200)
    first.reply()
    expect(roundTrip.wait(1, 1000)).toBe(200 + 4 * 100)
    const second = open()
    advance(700)
    second.reply()
    expect([second.outcomes, roundTrip.wait(1, 10_000)]).toEqual([['replied'], 1200])
  })

  it('gives up early when its sender says so, and by nobody else', () => {
    const asked: number[] = []
    const { open, sent, advance } = node(1000, 5, (sends) => asked.push(sends) < 2)
    const { outcomes } = open()
    advance(4000)
    expect([asked, sent.length, outcomes]).toEqual([[1, 2], 2, ['timeout']])
  })

  it('says nothing of its node when no send has left this host', () => {
    const { open, advance } = node(100, 2)
    const { outcomes, entry } = open()
    entry.unsent({ kind: 'local' })
    expect(outcomes).toEqual([])
    advance(140)
    entry.unsent({ kind: 'local' })
    advance(200)
    expect(outcomes).toEqual(['local'])
  })
})
