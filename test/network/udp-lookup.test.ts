import { Socket } from 'node:dgram'
import { describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../src/network/requests/timer-wheel.ts'
import { closedWhenConnecting, echo, lookups, sockets, start } from './named-node.ts'

describe('while the name of a node is being resolved', () => {
  it('one look-up serves all, and each datagram goes out once, however often its time came round', async () => {
    const { port, datagrams } = await echo()
    let now = 0
    const wheel = new TimerWheel(() => now)
    const { requests, send } = start(port, new OpenRequests(wheel))
    const timing = { timeoutMs: 1000, attempts: 5 }
    const replies = [send('d1:ae', timing), send('d1:be', timing)]
    for (now = 1000; now <= 4000; now += 1000) wheel.turn()
    expect(lookups).toHaveLength(1)
    lookups[0]!.answer('127.0.0.1')
    expect(await Promise.all(replies)).toEqual(['replied', 'replied'])
    // One more, so that all that was sent before it has arrived.
    expect(await send('d1:ce', timing)).toBe('replied')
    expect(datagrams).toEqual(['d1:ae', 'd1:be', 'd1:ce'])
    expect(requests.size).toBe(0)
    wheel.close()
  })

  it('a request may run out of time, and is not sent afterwards', async () => {
    const { port, datagrams } = await echo()
    const { send } = start(port)
    expect(await send('d1:ae', { timeoutMs: 1, attempts: 1 })).toBe('timeout')
    const next = send('d1:be')
    lookups[0]!.answer('127.0.0.1')
    expect(await next).toBe('replied')
    expect(datagrams).toEqual(['d1:be'])
  })

  it('closing fails what waits, waits for no answer, and one that comes later opens nothing', async () => {
    const { port, datagrams } = await echo()
    const { udp, send } = start(port)
    const connects = vi.spyOn(Socket.prototype, 'connect')
    const waiting = send('d1:ae')
    await udp.close()
    expect(await waiting).toBe('closed')
    lookups[0]!.answer('127.0.0.1')
    expect(await send('d1:be')).toBe('closed')
    expect([connects.mock.calls.length, datagrams.length]).toEqual([0, 0])
  })

  it('a name without an address, or none that leads anywhere, fails what waits, and the next command asks anew', async () => {
    const { port } = await echo()
    const { send } = start(port)
    const none = send('d1:ae')
    lookups[0]!.answer()
    expect(await none).toBe('unreachable')
    const wrongFamily = send('d1:be')
    lookups[1]!.answer('::1')
    expect(await wrongFamily).toBe('unreachable')
    const next = send('d1:ce')
    lookups[2]!.answer('127.0.0.1')
    expect(await next).toBe('replied')
  })

  it('closing while the socket is being connected leaves none', async () => {
    const { port } = await echo()
    const { udp, send } = start(port)
    const before = sockets()
    const waiting = send('d1:ae')
    const closing = closedWhenConnecting(udp)
    lookups[0]!.answer('127.0.0.1')
    expect(await waiting).toBe('closed')
    await closing
    await expect.poll(sockets, { interval: 1 }).toBe(before)
  })
})
