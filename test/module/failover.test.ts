import { afterEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'
import { freePort } from '../free-port.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function proxy(
  script = scripts.ok as ScriptedProxy['script'],
): Promise<{ proxy: ScriptedProxy; url: string }> {
  const made = new ScriptedProxy(script)
  opened.push(made)
  return { proxy: made, url: `udp:127.0.0.1:${await made.listenUdp()}` }
}

async function client(
  options: RtpProxyNgOptions,
): Promise<{ media: RtpProxyNg; downs: string[]; ups: string[] }> {
  const media = new RtpProxyNg(options)
  const downs: string[] = []
  const ups: string[] = []
  media.on('node:down', ({ url }) => downs.push(url))
  media.on('node:up', ({ url }) => ups.push(url))
  opened.push(media)
  await media.start()
  return { media, downs, ups }
}

/** A BYE whose Call-ID has the byte sum `sum`: what decides between two nodes of equal weight is whether it is odd. */
function bye(sum: number): SipMessage {
  const callId = `${'@'.repeat(4)}${String.fromCharCode(64 + sum)}`
  const text = `BYE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>;tag=t\r\nCall-ID: ${callId}\r\n\r\n`
  return SipMessage.parse(Buffer.from(text), { address: '127.0.0.1' })
}
const EVEN = bye(0)
const ODD = bye(1)

describe('a media proxy that fails', () => {
  it('gets the same datagram again, and then the next one gets the command with a new cookie', async () => {
    const silent = await proxy()
    const good = await proxy()
    const { media, downs } = await client({
      sockets: `${silent.url} ${good.url}`,
      timeoutMs: 250,
      attempts: 2,
    })
    silent.proxy.script = scripts.silent
    const started = performance.now()
    expect(await media.destroy(EVEN)).toMatchObject({ node: good.url })
    expect(performance.now() - started).toBeGreaterThanOrEqual(499)
    expect(silent.proxy.payloads).toHaveLength(2)
    expect(silent.proxy.cookies[1]).toBe(silent.proxy.cookies[0])
    expect(good.proxy.payloads).toEqual([silent.proxy.payloads[0]])
    expect(good.proxy.cookies[0]).not.toBe(silent.proxy.cookies[0])
    expect(downs).toEqual([silent.url])
    // As in failover.json: the next calls go to the other one without a wait.
    await media.destroy(EVEN)
    expect(silent.proxy.payloads).toHaveLength(2)
    expect(good.proxy.payloads).toHaveLength(2)
  })

  it('is noticed at once when its port is closed', async () => {
    const gone = await proxy()
    const good = await proxy()
    const { media, downs } = await client({ sockets: `${gone.url} ${good.url}`, timeoutMs: 10_000 })
    await gone.proxy.close()
    expect(await media.destroy(EVEN)).toMatchObject({ node: good.url })
    expect(downs).toEqual([gone.url])
  })

  it('is pinged when its time has come, and used again by the call that found it back', async () => {
    const flaky = await proxy()
    const good = await proxy()
    const { media, ups } = await client({
      sockets: `${flaky.url} ${good.url}`,
      timeoutMs: 250,
      attempts: 1,
      disableMs: 200,
    })
    flaky.proxy.script = scripts.silent
    expect(await media.destroy(EVEN)).toMatchObject({ node: good.url })
    flaky.proxy.script = scripts.ok
    const recheck = media.show()[0]!
    expect(recheck).toMatchObject({ disabled: true, disabledByHand: false })
    await expect.poll(async () => (await media.destroy(EVEN)).node, { timeout: 3000 }).toBe(flaky.url)
    expect(ups).toEqual([flaky.url])
  })

  it('holds nobody up when it is still dead at its recheck and others are enabled', async () => {
    const dead = await proxy()
    const good = await proxy()
    const { media } = await client({
      sockets: `${dead.url} ${good.url}`,
      timeoutMs: 1000,
      attempts: 1,
      disableMs: 0,
    })
    dead.proxy.script = scripts.silent
    await media.destroy(EVEN)
    // With disableMs 0 its recheck is due at once, and its ping goes unanswered for a second.
    expect(await media.destroy(EVEN)).toMatchObject({ node: good.url })
    expect(media.openRequests).toBe(1)
    expect(dead.proxy.pings).toBeGreaterThan(1)
  })

  it('starts disabled when it does not answer the first ping, and that is no error', async () => {
    const good = await proxy()
    const dead = `udp:127.0.0.1:${await freePort()}`
    const { media, downs } = await client({ sockets: `${dead} ${good.url}`, timeoutMs: 5000 })
    expect(downs).toEqual([dead])
    expect(media.show().map(({ disabled }) => disabled)).toEqual([true, false])
    expect(good.proxy.pings).toBe(1)
  })

  it('fails the call when it is the last one, naming the cause', async () => {
    const only = await proxy()
    const { media } = await client({ sockets: only.url, timeoutMs: 250, attempts: 1 })
    only.proxy.script = scripts.silent
    const error = await media.destroy(EVEN).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_RTPPROXY_NO_NODE',
      command: 'delete',
      node: only.url,
      cause: { code: 'ERR_RTPPROXY_TIMEOUT' },
    })
  })

  it('is pinged at once with all others when none is left', async () => {
    const first = await proxy()
    const second = await proxy()
    const { media } = await client({ sockets: `${first.url} ${second.url}`, timeoutMs: 250, attempts: 1 })
    first.proxy.script = scripts.silent
    second.proxy.script = scripts.silent
    await expect(media.destroy(EVEN)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
    second.proxy.script = scripts.ok
    // Their recheck is a minute away, but with no one enabled the choice does not wait for it.
    expect(await media.destroy(EVEN)).toMatchObject({ node: second.url })
  })

  it('is not disabled by an error reply, by garbage, or by a reply for another', async () => {
    const node = await proxy()
    const { media, downs } = await client({ sockets: node.url })
    for (const [script, code] of [
      [scripts.error, 'ERR_RTPPROXY_NG'],
      [scripts.garbage, 'ERR_RTPPROXY_REPLY'],
    ] as const) {
      node.proxy.script = script
      await expect(media.destroy(EVEN)).rejects.toMatchObject({ code, node: node.url })
    }
    node.proxy.script = scripts.wrongthenright
    await media.destroy(EVEN)
    expect(downs).toEqual([])
  })
})

describe('a media proxy disabled by hand', () => {
  it('stays out, even when all others fail, until it is enabled by hand', async () => {
    const first = await proxy()
    const second = await proxy()
    const { media } = await client({
      sockets: `${first.url} ${second.url}`,
      timeoutMs: 250,
      attempts: 1,
      disableMs: 0,
    })
    expect(media.enable(first.url, false)).toBe(1)
    expect(await media.destroy(EVEN)).toMatchObject({ node: second.url })
    second.proxy.script = scripts.silent
    await expect(media.destroy(EVEN)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_NO_NODE' })
    expect(first.proxy.payloads).toEqual([])
    media.enable(first.url, true)
    expect(await media.destroy(EVEN)).toMatchObject({ node: first.url })
  })

  it('is switched in every set its URL stands in', async () => {
    const { url } = await proxy()
    const { media } = await client({ sockets: [url, `3 == ${url} ${url}`] })
    expect(media.enable(url, false)).toBe(3)
    expect(media.show().every(({ disabledByHand }) => disabledByHand)).toBe(true)
    expect(media.enable('udp:192.0.2.1:1', false)).toBe(0)
  })
})

describe('a media proxy that may not be back yet', () => {
  it('is enabled by a probe if it answers, and left as it is if not', async () => {
    const [first, second] = [await proxy(), await proxy()]
    const { media } = await client({
      sockets: [`${first.url} ${second.url}`, `1 == ${first.url}`],
      timeoutMs: 40,
      attempts: 1,
    })
    const states = () => media.show().map(({ state }) => state)
    media.enable(first.url, false)
    first.proxy.script = scripts.silent
    expect([await media.probe(first.url), states()]).toEqual([false, ['disabled', 'up', 'disabled']])
    first.proxy.script = scripts.ok
    expect([await media.probe(first.url), states()]).toEqual([true, ['up', 'up', 'up']])
    const drained = media.drain(second.url)
    second.proxy.script = scripts.silent
    expect(await media.probe(second.url)).toBe(false)
    second.proxy.script = scripts.ok
    expect([await media.probe(second.url), states()]).toEqual([true, ['up', 'up', 'up']])
    await drained
    for (const url of ['udp:192.0.2.1:1', undefined as never])
      await expect(media.probe(url)).rejects.toMatchObject({ option: 'url' })
    await media.close()
    await expect(media.probe(first.url)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
  })

  it.each(['0', 0, 2, 'probe', undefined])(
    'is not enabled by %j, which is neither true nor false',
    async (value) => {
      const { url } = await proxy()
      const { media } = await client({ sockets: url })
      media.enable(url, false)
      expect(() => media.enable(url, value as never)).toThrow(
        expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option: 'enabled' }),
      )
      expect(media.show()[0]).toMatchObject({ disabledByHand: true })
    },
  )
})

describe('a call that is given up', () => {
  it('rejects at once when its signal is or gets aborted', async () => {
    const silent = await proxy()
    const { media, downs } = await client({ sockets: silent.url, timeoutMs: 10_000 })
    silent.proxy.script = scripts.silent
    const controller = new AbortController()
    const call = media.destroy(ODD, { signal: controller.signal })
    controller.abort(new Error('caller hung up'))
    await expect(call).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_ABORTED',
      cause: { message: 'caller hung up' },
    })
    const late = media.destroy(ODD, { signal: AbortSignal.abort() })
    await expect(late).rejects.toMatchObject({ code: 'ERR_RTPPROXY_ABORTED' })
    expect(downs).toEqual([])
  })

  it('rejects when the client is closed, is not started, or has no such set', async () => {
    const silent = await proxy()
    const { media } = await client({ sockets: silent.url, timeoutMs: 10_000 })
    silent.proxy.script = scripts.silent
    await expect(media.destroy(ODD, { set: 5 })).rejects.toMatchObject({ code: 'ERR_RTPPROXY_SET' })
    const open = media.destroy(ODD)
    await media.close()
    await expect(open).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    await expect(media.destroy(ODD)).rejects.toMatchObject({ code: 'ERR_RTPPROXY_CLOSED' })
    await expect(new RtpProxyNg({ sockets: silent.url }).destroy(ODD)).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_CLOSED',
    })
  })
})
