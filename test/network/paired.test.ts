import { afterEach, describe, expect, it, vi } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { PairedTransport } from '../../src/network/paired.ts'
import type { Exchange, ExchangeFailure, Transport } from '../../src/network/transport.ts'
import { NgClient } from '../../src/ng/client.ts'
import { freePort } from '../free-port.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'

const closing: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

/** A node with a UDP and a TCP port, each with a script of its own, and a client that knows both. */
async function pair({ timeoutMs = 30, attempts = 4 } = {}) {
  const udp = new ScriptedProxy()
  const tcp = new ScriptedProxy()
  const url = `udp:127.0.0.1:${await udp.listenUdp()}|tcp:127.0.0.1:${await tcp.listenTcp()}`
  const client = new NgClient(url, { timeoutMs, attempts, adaptive: false })
  closing.push(udp, tcp, client)
  return { udp, tcp, client }
}

describe('a node with two URLs', () => {
  it('is spoken to in datagrams as long as those are answered', async () => {
    const { udp, tcp, client } = await pair()
    await client.delete({ 'call-id': 'a' })
    expect([udp.cookies.length, tcp.overStream]).toEqual([1, 0])
  })

  it('is asked over the stream, with the same cookie, when two datagrams stay without an answer', async () => {
    const { udp, tcp, client } = await pair()
    udp.script = scripts.silent
    await expect(client.delete({ 'call-id': 'a' })).resolves.toMatchObject({ result: 'ok' })
    // The third goes out with it: the reply may come either way.
    expect(udp.cookies).toHaveLength(3)
    expect(new Set([...udp.cookies, ...tcp.cookies]).size).toBe(1)
    expect(client.openRequests).toBe(0)
  })

  it('is asked over the stream after the last datagram when there are too few of them to wait for', async () => {
    const { udp, tcp, client } = await pair({ attempts: 1 })
    udp.script = scripts.silent
    await client.delete({ 'call-id': 'a' })
    expect([udp.cookies.length, tcp.cookies.length]).toEqual([1, 1])
    expect(tcp.cookies).toEqual(udp.cookies)
  })

  it('is asked over the stream at once when its datagram port refuses', async () => {
    const tcp = new ScriptedProxy()
    const url = `udp:127.0.0.1:${await freePort()} | tcp:127.0.0.1:${await tcp.listenTcp()}`
    const client = new NgClient(url.replaceAll(' ', ''), { timeoutMs: 5000 })
    closing.push(tcp, client)
    await expect(client.delete({ 'call-id': 'a' })).resolves.toMatchObject({ result: 'ok' })
  })

  it('gets what is larger than a datagram, and what will be answered so, over the stream alone', async () => {
    const { udp, tcp, client } = await pair()
    tcp.script = scripts.ok
    await client.request('play media', { 'call-id': 'a', blob: Buffer.alloc(200_000, 7) })
    await client.query({ 'call-id': 'a' })
    expect([udp.cookies.length, tcp.cookies.length]).toEqual([0, 2])
    expect(tcp.payloads[0]!.length).toBeGreaterThan(200_000)
  })

  it('is asked in datagrams for what may be large where there is no stream to be had, and stays in use', async () => {
    const udp = new ScriptedProxy()
    const url = `udp:127.0.0.1:${await udp.listenUdp()}|tcp:127.0.0.1:${await freePort()}`
    const client = new NgClient(url, { timeoutMs: 5000 })
    const media = new RtpProxyNg({ sockets: url })
    closing.push(udp, client, media)
    await expect(client.query({ 'call-id': 'a' })).resolves.toMatchObject({ result: 'ok' })
    await media.start()
    await expect(media.query({ 'call-id': 'a' })).resolves.toMatchObject({ result: 'ok' })
    expect(media.show()).toMatchObject([{ state: 'up' }])
    const large = { 'call-id': 'a', x: 'y'.repeat(70_000) }
    await expect(client.query(large)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_UNREACHABLE' })
    await expect(media.request('query', large)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
    expect(media.show()).toMatchObject([{ state: 'up', open: 0 }])
    expect(client.openRequests).toBe(0)
  })

  it('is not asked in datagrams for what went over the stream more than 30 seconds ago: rtpengine may have forgotten the cookie', async () => {
    const sent: string[] = []
    const way = (url: string, meets: (exchange: Exchange) => void): Transport => ({
      url,
      send: (exchange) => {
        sent.push(url)
        queueMicrotask(() => meets(exchange))
        return { cancel: () => undefined }
      },
      close: async () => undefined,
    })
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const ask = (streamMs: number, datagramMs: number): Promise<ExchangeFailure | boolean> =>
      new Promise((resolve) => {
        const stream = way('stream', (exchange) => {
          now += streamMs
          exchange.failed({ kind: 'refused' })
        })
        const datagrams = way('datagrams', (exchange) => {
          now += datagramMs
          resolve(exchange.unanswered!(1))
        })
        const exchange = { datagram: Buffer.alloc(30), expectsLarge: true, replied: () => undefined }
        const timing = { timeoutMs: 10_000, attempts: 4 }
        new PairedTransport('udp:a|tcp:a', datagrams, stream).send({ ...exchange, failed: resolve }, timing)
      })
    try {
      expect(await ask(30_000, 0)).toEqual({ kind: 'local', cause: undefined })
      expect(sent.splice(0)).toEqual(['stream'])
      expect([await ask(20_000, 9_000), await ask(20_000, 10_000)]).toEqual([true, false])
      expect(sent).toEqual(['stream', 'datagrams', 'stream', 'datagrams'])
    } finally {
      clock.mockRestore()
    }
  })

  it('has failed when both ways have, with what the datagrams met', async () => {
    const url = `udp:127.0.0.1:${await freePort()}|tcp:127.0.0.1:${await freePort()}`
    const client = new NgClient(url)
    closing.push(client)
    await expect(client.ping()).rejects.toMatchObject({ code: 'ERR_RTPPROXY_UNREACHABLE', node: url })
    const { udp, tcp, client: silent } = await pair({ timeoutMs: 10 })
    udp.script = scripts.silent
    tcp.script = scripts.silent
    await expect(silent.ping()).rejects.toMatchObject({ code: 'ERR_RTPPROXY_TIMEOUT' })
    expect([client.openRequests, silent.openRequests]).toEqual([0, 0])
  })

  it('takes the reply to a datagram that comes while the stream waits, once', async () => {
    const { udp, tcp, client } = await pair({ timeoutMs: 40, attempts: 4 })
    const sent: number[] = []
    udp.script = (payload, cookie, dictionary) => {
      sent.push(payload.length)
      return sent.length < 4 ? [] : scripts.ok(payload, cookie, dictionary)
    }
    tcp.script = scripts.silent
    await expect(client.delete({ 'call-id': 'a' })).resolves.toMatchObject({ result: 'ok' })
    expect(tcp.cookies).toEqual([udp.cookies[0]])
    expect(client.openRequests).toBe(0)
  })

  it('forgets both ways of a command that is given up', async () => {
    const { udp, tcp, client } = await pair()
    udp.script = scripts.silent
    const controller = new AbortController()
    tcp.script = () => {
      controller.abort()
      return []
    }
    const given = client.delete({ 'call-id': 'a' }, { signal: controller.signal })
    await expect(given).rejects.toMatchObject({ code: 'ERR_RTPPROXY_ABORTED' })
    expect(client.openRequests).toBe(0)
  })

  it('fails what is open on both ways when it is closed', async () => {
    const { udp, tcp, client } = await pair({ timeoutMs: 20, attempts: 1000 })
    udp.script = scripts.silent
    tcp.script = () => {
      void client.close()
      return []
    }
    const open = client.delete({ 'call-id': 'a' })
    await expect(open).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    expect(client.openRequests).toBe(0)
  })
})
