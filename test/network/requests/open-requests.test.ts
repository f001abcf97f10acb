import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OpenRequests, type Sender } from '../../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../../src/network/requests/timer-wheel.ts'
import type { ExchangeFailure } from '../../../src/network/transport.ts'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'

const TICK_MS = 20

/** A table whose clock stands still but for `advance`, and senders that note when they were asked to send. */
function table() {
  let now = 0
  const wheel = new TimerWheel(() => now)
  const requests = new OpenRequests(wheel)
  return {
    requests,
    advance(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += TICK_MS
        wheel.turn()
      }
      // The real timer of the wheel has nothing to do here.
      wheel.close()
    },
    sender() {
      const sent: { at: number; bytes: string }[] = []
      const transmit: Sender['transmit'] = ({ exchange }) =>
        sent.push({ at: now, bytes: exchange.datagram.toString('latin1') })
      return { sent, transmit }
    },
    open(sender: Sender, timing = { timeoutMs: 100, attempts: 1 }, onFailed = () => {}) {
      const outcomes: (string | ExchangeFailure['kind'])[] = []
      const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}de`)
      const exchange = {
        datagram,
        replied: (bytes: Buffer, offset: number) => outcomes.push(bytes.toString('latin1', offset)),
        failed: ({ kind }: ExchangeFailure) => {
          outcomes.push(kind)
          onFailed()
        },
      }
      const entry = requests.open(sender, exchange, timing)
      return { outcomes, datagram, entry }
    },
  }
}

describe('open requests', () => {
  it('are sent once a timeout, the same bytes, and time out one timeout after the last send', () => {
    const { advance, sender, open, requests } = table()
    const node = sender()
    const { outcomes, datagram } = open(node, { timeoutMs: 1000, attempts: 5 })
    advance(5000 - TICK_MS)
    expect(node.sent.map(({ at }) => at)).toEqual([0, 1000, 2000, 3000, 4000])
    expect(new Set(node.sent.map(({ bytes }) => bytes))).toEqual(new Set([datagram.toString('latin1')]))
    expect(outcomes).toEqual([])
    advance(TICK_MS)
    expect(outcomes).toEqual(['timeout'])
    advance(10_000)
    expect([node.sent.length, outcomes.length, requests.size, requests.wheel.size]).toEqual([5, 1, 0, 0])
  })

  it('take a reply until the last timeout is over, and are not sent after it', () => {
    const { advance, sender, open, requests } = table()
    const node = sender()
    const { outcomes, datagram } = open(node, { timeoutMs: 100, attempts: 2 })
    advance(180)
    requests.receive(node, Buffer.concat([datagram.subarray(0, COOKIE_LENGTH + 1), Buffer.from('d1:xe')]))
    expect(outcomes).toEqual(['d1:xe'])
    advance(1000)
    expect([node.sent.length, outcomes.length]).toEqual([2, 1])
  })

  it('count a reply as late once they were answered, given up or cancelled', () => {
    const { advance, sender, open, requests } = table()
    const node = sender()
    const [answered, givenUp, cancelled] = [open(node), open(node), open(node)]
    requests.receive(node, answered.datagram)
    cancelled.entry.cancel()
    advance(1000)
    for (const { datagram } of [answered, givenUp, cancelled]) requests.receive(node, datagram)
    expect(requests.dropped).toEqual({ late: 3, foreign: 0, malformed: 0 })
    expect([answered, givenUp, cancelled].map(({ outcomes }) => outcomes)).toEqual([['de'], ['timeout'], []])
  })

  it('take no reply from another node, nor one with a cookie of another process', () => {
    const { advance, sender, open, requests } = table()
    const other = table()
    const node = sender()
    const { outcomes, datagram } = open(node)
    requests.receive(sender(), datagram)
    requests.receive(node, other.open(other.sender()).datagram)
    expect(requests.dropped).toEqual({ late: 0, foreign: 2, malformed: 0 })
    expect(outcomes).toEqual([])
    requests.receive(node, datagram)
    expect(outcomes).toEqual(['de'])
    advance(1000)
    other.advance(1000)
  })

  it('are not moved by any other bytes, each of which is counted', () => {
    const { advance, sender, open, requests } = table()
    const node = sender()
    const { outcomes } = open(node)
    let count = 0
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        requests.receive(node, Buffer.from(bytes))
        count++
        const { late, foreign, malformed } = requests.dropped
        expect([late, foreign + malformed, requests.size]).toEqual([0, count, 1])
      }),
    )
    expect(outcomes).toEqual([])
    advance(1000)
  })

  it('fail with their node alone, and what is opened by that failure goes on', () => {
    const { advance, sender, open, requests } = table()
    const [dead, alive] = [sender(), sender()]
    const again: ReturnType<typeof open>[] = []
    const first = open(dead, undefined, () => again.push(open(dead)))
    const second = open(dead)
    const third = open(alive)
    requests.failAll(dead, { kind: 'refused' })
    expect([first, second, third, again[0]!].map(({ outcomes }) => outcomes)).toEqual([
      ['refused'],
      ['refused'],
      [],
      [],
    ])
    expect(requests.size).toBe(2)
    advance(1000)
  })
})
