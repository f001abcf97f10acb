import { Socket } from 'node:dgram'
import { describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { TimerWheel } from '../../src/network/requests/timer-wheel.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'
import { closedWhenConnecting, lookups, move, sockets, start } from './named-node.ts'

describe('when a name moves', () => {
  it('what is open still gets its reply from the old address, what comes then goes to the new one', async () => {
    const { from, to, port } = await move()
    const { udp, requests, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const before = sockets()
    from.holds = true
    const open = [send('d1:ae'), send('d1:be')]
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(2)
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2', '127.0.0.3')
    expect(await refreshed).toBeUndefined()
    expect(await send('d1:ce')).toBe('replied')
    expect([from.datagrams.at(-1), to.datagrams]).toEqual(['d1:be', ['d1:ce']])
    from.held[0]!()
    expect(await open[0]).toBe('replied')
    expect(sockets()).toBe(before + 1)
    from.held[1]!()
    expect(await open[1]).toBe('replied')
    await expect.poll(sockets, { interval: 1 }).toBe(before)
    expect(await send('d1:de')).toBe('replied')
    expect(to.datagrams).toEqual(['d1:ce', 'd1:de'])
    expect([requests.dropped, lookups.length]).toEqual([{ late: 0, foreign: 0, malformed: 0 }, 2])
  })

  it('what is sent again goes to the new address, and the first reply of the two counts', async () => {
    const { from, to, port } = await move()
    let now = 0
    const wheel = new TimerWheel(() => now)
    const { udp, requests, send, openAt } = start(port, new OpenRequests(wheel))
    await openAt('127.0.0.1')
    from.holds = true
    to.holds = true
    const open = send('d1:ae', { timeoutMs: 1000, attempts: 2 })
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(1)
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    now = 1000
    wheel.turn()
    now = 1020
    wheel.turn()
    await expect.poll(() => to.datagrams, { interval: 1 }).toEqual(['d1:ae'])
    from.held[0]!()
    expect(await open).toBe('replied')
    to.held[0]!()
    await expect.poll(() => requests.dropped.late, { interval: 1 }).toBe(1)
    wheel.close()
  })

  it('the old socket closes as well when the last request ran out of time or was cancelled', async () => {
    const { from, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const before = sockets()
    from.holds = true
    const open = send('d1:ae', { timeoutMs: 150, attempts: 1 })
    const never = () => expect.unreachable()
    const datagram = Buffer.alloc(COOKIE_LENGTH + 3, 'de')
    const request = udp.send({ datagram, replied: never, failed: never }, { timeoutMs: 5000, attempts: 1 })
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    request.cancel()
    expect(sockets()).toBe(before + 1)
    expect(await open).toBe('timeout')
    await expect.poll(sockets, { interval: 1 }).toBe(before)
  })

  it('twice, a request sent at the first address still gets its reply, and every socket but one closes', async () => {
    const { from, to, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const before = sockets()
    from.holds = true
    to.holds = true
    const first = send('d1:ae')
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(1)
    const away = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await away
    const second = send('d1:be')
    await expect.poll(() => to.held.length, { interval: 1 }).toBe(1)
    const back = udp.refresh()
    lookups[2]!.answer('127.0.0.1')
    await back
    expect(sockets()).toBe(before + 2)
    to.held[0]!()
    expect(await second).toBe('replied')
    from.held[0]!()
    expect(await first).toBe('replied')
    await expect.poll(sockets, { interval: 1 }).toBe(before)
  })

  it('to where nothing listens, that fails none of those still open at the old address', async () => {
    const { from, to, port } = await move()
    await to.close()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    from.holds = true
    const open = send('d1:ae')
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(1)
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    expect(await send('d1:be')).toBe('refused')
    from.held[0]!()
    expect(await open).toBe('replied')
  })

  it('to where no way leads, what is sent again there still gets its reply from the old address', async () => {
    const { from, port } = await move()
    let now = 0
    const wheel = new TimerWheel(() => now)
    const { udp, send, openAt } = start(port, new OpenRequests(wheel))
    await openAt('127.0.0.1')
    from.holds = true
    const open = send('d1:ae', { timeoutMs: 1000, attempts: 2 })
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(1)
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    const unreachable = Object.assign(new Error('ENETUNREACH'), { code: 'ENETUNREACH' })
    const told = new Promise<void>((resolve) => {
      vi.spyOn(Socket.prototype, 'send').mockImplementationOnce(((
        _: Buffer,
        callback: (e: Error) => void,
      ) => {
        callback(unreachable)
        resolve()
      }) as never)
    })
    now = 1020
    wheel.turn()
    await told
    from.held[0]!()
    expect(await open).toBe('replied')
    wheel.close()
  })

  it('an old socket that fails disturbs nobody', async () => {
    const { from, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const connects = vi.spyOn(Socket.prototype, 'send')
    from.holds = true
    const open = send('d1:ae')
    await expect.poll(() => from.held.length, { interval: 1 }).toBe(1)
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    const old = connects.mock.contexts[0] as Socket
    old.emit('error', Object.assign(new Error('recvmsg ECONNREFUSED'), { code: 'ECONNREFUSED' }))
    expect(await send('d1:be')).toBe('replied')
    from.held[0]!()
    expect(await open).toBe('replied')
  })

  it('with nothing open, the old socket closes at once', async () => {
    const { port } = await move()
    const { udp, openAt } = start(port)
    await openAt('127.0.0.1')
    const before = sockets()
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    await expect.poll(sockets, { interval: 1 }).toBe(before)
  })
})

describe('looking a name up again', () => {
  it('changes nothing while the address in use is among the answers', async () => {
    const { from, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2', '127.0.0.1')
    expect(await refreshed).toBeUndefined()
    expect(await send('d1:ae')).toBe('replied')
    expect([from.datagrams, from.ports.size]).toEqual([['d1:0e', 'd1:ae'], 1])
  })

  it('keeps the old address when it fails, and says why', async () => {
    const { from, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const cause = new Error('SERVFAIL')
    const unanswered = udp.refresh()
    lookups[1]!.fail(cause)
    expect(await unanswered).toEqual({ kind: 'unreachable', cause })
    const before = sockets()
    const unroutable = udp.refresh()
    lookups[2]!.answer('::1')
    expect(await unroutable).toMatchObject({ kind: 'unreachable' })
    await expect.poll(sockets, { interval: 1 }).toBe(before)
    expect(await send('d1:ae')).toBe('replied')
    expect([from.datagrams, from.ports.size]).toEqual([['d1:0e', 'd1:ae'], 1])
  })

  it('blocks nothing when no answer ever comes, and is done once however often it is asked for', async () => {
    const { port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    void udp.refresh()
    void udp.refresh()
    expect(await send('d1:ae')).toBe('replied')
    expect(lookups).toHaveLength(2)
    await udp.close()
  })

  it('asks nobody before the first command, which asks itself', async () => {
    const { port } = await move()
    const { udp, openAt } = start(port)
    expect(await udp.refresh()).toBeUndefined()
    expect(lookups).toHaveLength(0)
    await openAt('127.0.0.1')
  })

  it('leaves the socket alone that was opened meanwhile in place of a failed one', async () => {
    const { from, to, port } = await move()
    const { udp, send, openAt } = start(port)
    await openAt('127.0.0.1')
    const sends = vi.spyOn(Socket.prototype, 'send')
    expect(await send('d1:ae')).toBe('replied')
    const refreshed = udp.refresh()
    const broken = sends.mock.contexts[0] as Socket
    broken.emit('error', Object.assign(new Error('recvmsg EBADF'), { code: 'EBADF' }))
    const next = send('d1:be')
    lookups[2]!.answer('127.0.0.2')
    expect(await next).toBe('replied')
    const before = sockets()
    lookups[1]!.answer('127.0.0.1')
    expect(await refreshed).toBeUndefined()
    expect(await send('d1:ce')).toBe('replied')
    expect([from.datagrams.at(-1), to.datagrams, sockets()]).toEqual(['d1:ae', ['d1:be', 'd1:ce'], before])
  })

  it('leaves nothing behind when the transport is closed meanwhile, at whatever point', async () => {
    const { from, port } = await move()
    const { udp, requests, send, openAt } = start(port)
    const before = sockets()
    await openAt('127.0.0.1')
    const duringLookUp = udp.refresh()
    await udp.close()
    lookups[1]!.answer('127.0.0.2')
    expect(await duringLookUp).toBeUndefined()
    expect(await udp.refresh()).toBeUndefined()
    await expect.poll(sockets, { interval: 1 }).toBe(before)

    const other = start(port)
    await other.openAt('127.0.0.1')
    from.holds = true
    const open = other.send('d1:ae')
    const duringConnect = other.udp.refresh()
    const closing = closedWhenConnecting(other.udp)
    lookups[3]!.answer('127.0.0.2')
    expect([await duringConnect, await open]).toEqual([undefined, 'closed'])
    await closing
    await expect.poll(sockets, { interval: 1 }).toBe(before)
    expect([requests.size, other.requests.size, await send('d1:be')]).toEqual([0, 0, 'closed'])
  })

  it('and closing with requests open at two addresses closes both sockets', async () => {
    const { from, port } = await move()
    const { udp, send, openAt } = start(port)
    const before = sockets()
    await openAt('127.0.0.1')
    from.holds = true
    const open = send('d1:ae')
    const refreshed = udp.refresh()
    lookups[1]!.answer('127.0.0.2')
    await refreshed
    await expect.poll(sockets, { interval: 1 }).toBe(before + 2)
    await udp.close()
    expect(await open).toBe('closed')
    await expect.poll(sockets, { interval: 1 }).toBe(before)
  })
})
