import { createSocket } from 'node:dgram'
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { dtmfEventOf } from '../../src/dtmf/event.ts'
import { type DtmfEvent, DtmfEvents } from '../../src/dtmf/events.ts'

const data = (event = 5, callid = 'c', more: object = {}) => ({
  callid,
  source_tag: 'a',
  source_label: 'caller',
  tags: ['a', 'b'],
  type: 'DTMF',
  source_ip: '192.0.2.1',
  timestamp: 1_700_000_000,
  event,
  duration: 120,
  volume: 8,
  ...more,
})

describe('the data of a DTMF event', () => {
  it('becomes an event', () => {
    expect(dtmfEventOf(data(10))).toEqual({
      callId: 'c',
      sourceTag: 'a',
      sourceLabel: 'caller',
      tags: ['a', 'b'],
      sourceAddress: '192.0.2.1',
      timestamp: new Date(1_700_000_000_000),
      digit: '*',
      code: 10,
      durationMs: 120,
      volume: -8,
    })
    expect([12, 13, 14, 15].map((code) => dtmfEventOf(data(code))!.digit).join('')).toBe('ABCD')
  })

  it.each([
    [data(16)],
    [data(-1)],
    [data(1.5)],
    [{ ...data(), type: 'other' }],
    [{ ...data(), callid: 7 }],
    [{ ...data(), timestamp: 1e300 }],
    [Object.create(data())],
  ])('is none with %j', (value) => {
    expect(dtmfEventOf(value)).toBeUndefined()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true }),
        (value) => void dtmfEventOf(value),
      ),
    )
    const event = fc.record({
      callid: fc.string(),
      source_tag: fc.string(),
      timestamp: fc.anything(),
      event: fc.anything(),
      volume: fc.anything(),
      tags: fc.anything(),
    })
    fc.assert(fc.property(event, (value) => void dtmfEventOf(value)))
  })
})

describe('DTMF events', () => {
  let events = new DtmfEvents()
  afterEach(() => events.close())

  const send = async (...payloads: (string | Buffer)[]): Promise<void> => {
    const { received } = events.counters
    const socket = createSocket('udp4')
    const [address, port] = events.url!.split(':')
    for (const payload of payloads)
      await new Promise((resolve) => socket.send(payload, Number(port), address, resolve))
    await expect.poll(() => events.counters.received).toBe(received + payloads.length)
    socket.close()
  }
  const rest = async (reader: AsyncIterableIterator<DtmfEvent>): Promise<string> => {
    await events.close()
    let digits = ''
    for await (const { digit } of reader) digits += digit
    return digits
  }

  it('go to every reader, and to those of one call', async () => {
    events = new DtmfEvents()
    const readers = [events[Symbol.asyncIterator](), events[Symbol.asyncIterator](), events.of('d')]
    events.feed(data(1, 'c'))
    events.feed(data(2, 'd'))
    expect(await Promise.all(readers.map(rest))).toEqual(['12', '12', '2'])
  })

  it('come by UDP, and hostile datagrams are only counted', async () => {
    events = new DtmfEvents({ listen: 'udp:127.0.0.1:0' })
    await Promise.all([events.start(), events.start()])
    const reader = events.of('c')
    await send(
      '',
      'x',
      '['.repeat(60_000),
      Buffer.alloc(65_000),
      '{"callid":{}}',
      'null',
      JSON.stringify(data(7)),
    )
    expect(events.counters).toEqual({ received: 7, malformed: 6, refused: 0, repeated: 0, dropped: 0 })
    expect(await rest(reader)).toBe('7')
    expect(events.url).toBeUndefined()
  })

  it('are refused from other addresses', async () => {
    events = new DtmfEvents({ listen: 'udp:127.0.0.1:0', from: ['192.0.2.1', '::1'] })
    await events.start()
    const reader = events.of('c')
    await send(JSON.stringify(data()))
    expect(events.counters).toMatchObject({ received: 1, refused: 1, malformed: 0 })
    expect(await rest(reader)).toBe('')
  })

  it('are read once when several sources bring them, and twice when the key is pressed twice', async () => {
    events = new DtmfEvents()
    const reader = events.of('c')
    for (const source of ['A', 'B', 'B', 'A', 'A', 'C']) events.feed(data(3), source)
    expect(await rest(reader)).toBe('333')
    expect(events.counters.repeated).toBe(3)
  })

  it('lose nothing when each source loses something', async () => {
    events = new DtmfEvents()
    const reader = events.of('c')
    events.feed(data(1), 'A')
    events.feed(data(2), 'B')
    events.feed(data(2), 'A')
    events.feed(data(3), 'B')
    expect(await rest(reader)).toBe('123')
  })

  it('push the oldest out of the queue of a slow reader', async () => {
    events = new DtmfEvents({ queueLimit: 2 })
    const reader = events.of('c')
    for (const code of [1, 2, 3, 4]) events.feed(data(code))
    expect(events.counters.dropped).toBe(2)
    expect(await rest(reader)).toBe('34')
  })

  it('leave nothing behind for a reader that goes away', async () => {
    events = new DtmfEvents({ queueLimit: 1 })
    const { signal } = new AbortController()
    const readers = [
      events.of('c', { signal }),
      events.of('c', { signal }),
      events.of('c', { signal }),
    ] as const
    events.feed(data(1))
    for await (const { digit } of readers[0]) {
      expect(digit).toBe('1')
      break
    }
    await readers[1].return!()
    await expect(readers[2].throw!(new Error('gone'))).rejects.toThrow('gone')
    expect(getEventListeners(signal, 'abort')).toEqual([])
    for (const code of [2, 3, 4]) events.feed(data(code))
    expect(events.counters.dropped).toBe(0)
    for (const reader of readers) expect((await reader.next()).done).toBe(true)
  })

  it('end for a reader whose signal is aborted, before or while it waits', async () => {
    events = new DtmfEvents()
    const controller = new AbortController()
    const waiting = events.of('c', { signal: controller.signal })
    const next = [waiting.next(), waiting.next()]
    controller.abort()
    expect((await Promise.all(next)).map(({ done }) => done)).toEqual([true, true])
    expect((await events.of('c', { signal: AbortSignal.abort() }).next()).done).toBe(true)
  })

  it('end for all readers with close', async () => {
    events = new DtmfEvents({ listen: 'udp:127.0.0.1:0' })
    const started = events.start()
    const next = events.of('c').next()
    await events.close()
    await started
    expect((await next).done).toBe(true)
    events.feed(data())
    expect(events.counters.received).toBe(0)
    expect((await events.of('c').next()).done).toBe(true)
  })

  it.each([
    ['listen', { listen: 'tcp:127.0.0.1:1' }],
    ['listen', { listen: 'udp:example.com:1' }],
    ['listen', { listen: 'udp:127.0.0.1:70000' }],
    ['queueLimit', { queueLimit: 0 }],
    ['repeatMs', { repeatMs: -1 }],
    ['from', { from: ['nobody'] }],
  ])('cannot be made with a wrong %s', (option, options) => {
    expect(() => new DtmfEvents(options)).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option }),
    )
  })
})
