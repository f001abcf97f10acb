import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CommandTrace, type DroppedReply, type NodeChange, RtpProxyNg } from '../../src/index.ts'
import { NgClient } from '../../src/ng/index.ts'
import { FakeRtpEngine } from '../../src/testing/index.ts'
import { invite, SDP, SECRETS } from './scene.ts'

const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

/** What the channels told: `step command`. */
let told: string[]
let traces: CommandTrace[]
let end: () => void
let engine: FakeRtpEngine
beforeEach(async () => {
  engine = new FakeRtpEngine()
  await engine.start()
  told = []
  traces = []
  const listeners = STEPS.map((step) => {
    const name = `tracing:rtpproxy-ng:command:${step}`
    const heard = (trace: unknown) => {
      told.push(`${step} ${(trace as CommandTrace).command}`)
      if (step === 'asyncEnd') traces.push(trace as CommandTrace)
    }
    subscribe(name, heard)
    return () => unsubscribe(name, heard)
  })
  end = () => {
    for (const unlisten of listeners) unlisten()
  }
})
afterEach(async () => {
  end()
  await engine.close()
})

async function client(options: object = {}): Promise<RtpProxyNg> {
  const media = new RtpProxyNg({ sockets: engine.urls, ...options })
  await media.start()
  return media
}

describe('the channels of commands', () => {
  it('tell the start and the end of each, pings included', async () => {
    const media = await client()
    await media.offer(invite())
    const steps = STEPS.slice(0, 4)
    expect(told).toEqual([...steps.map((step) => `${step} ping`), ...steps.map((step) => `${step} offer`)])
    expect(traces[1]).toMatchObject({
      ...{ client: media, command: 'offer', set: 0, callId: 'one', node: engine.urls[0] },
      ...{ sends: 1, nodes: 1, isResend: false, outcome: 'ok', error: undefined },
    })
    expect(traces[1]!.durationMs).toBeGreaterThan(0)
    expect(String(traces[1]!.datagram)).toContain(SDP)
    expect(String(traces[1]!.reply)).toMatch(/^d.*m=audio/s)
    await media.close()
  })

  it('tell failures, by the node and before', async () => {
    const media = await client()
    engine.script('offer', { error: 'Ran out of luck' })
    const error = await media.offer(invite()).catch((error) => error)
    const limited = await client({ openLimit: 1 })
    const [first, second] = [limited.offer(invite('a')), limited.offer(invite('b')).catch((error) => error)]
    expect((await second).code).toBe('ERR_RTPPROXY_OVERLOAD')
    await first.catch(() => undefined)
    const failed = traces.filter(({ outcome }) => outcome === 'failed')
    expect(failed.map(({ error }) => (error as { code?: string }).code)).toEqual([
      ...['ERR_RTPPROXY_NG', 'ERR_RTPPROXY_OVERLOAD', 'ERR_RTPPROXY_NG'],
    ])
    expect(failed[0]!.error).toBe(error)
    expect(told.filter((line) => line === 'error offer')).toHaveLength(3)
    expect(told.filter((line) => line === 'asyncEnd offer')).toHaveLength(3)
    await media.close()
    await limited.close()
  })

  it('tell how often a command was sent, and to how many media proxies', async () => {
    const quiet = new FakeRtpEngine()
    await quiet.start()
    quiet.script('offer', { silent: true })
    const sockets = [quiet.urls[0]!, `${engine.urls[0]}=0`]
    const media = await client({ sockets: sockets.join(' '), timeoutMs: 250, attempts: 3, lastResort: true })
    const sends: string[] = []
    const heard = (message: unknown) => {
      const { command, node, isResend } = message as CommandTrace
      if (command === 'offer') sends.push(`${node === quiet.urls[0] ? 'quiet' : 'other'} ${isResend}`)
    }
    subscribe('rtpproxy-ng:send', heard)
    await media.offer(invite())
    unsubscribe('rtpproxy-ng:send', heard)
    expect(sends).toEqual(['quiet false', 'quiet true', 'quiet true', 'other false'])
    expect(traces.at(-1)).toMatchObject({ command: 'offer', sends: 4, nodes: 2, node: engine.urls[0] })
    await media.close()
    await quiet.close()
  })

  it('tell of deletes that are kept for later', async () => {
    const media = await client({ timeoutMs: 250, attempts: 1 })
    await media.offer(invite())
    await engine.stop()
    await media.destroy(invite())
    expect(traces.at(-1)).toMatchObject({ command: 'delete', outcome: 'remembered', error: undefined })
    await media.close()
  })

  it('tell of the commands of an NgClient', async () => {
    const ng = new NgClient(engine.urls[0]!)
    await ng.offer({ 'call-id': 'one', 'from-tag': 'a', sdp: SDP })
    await ng.query({ 'call-id': 'none' }).catch(() => undefined)
    expect(traces).toMatchObject([
      {
        client: ng,
        command: 'offer',
        callId: 'one',
        set: undefined,
        node: engine.urls[0],
        outcome: 'ok',
        sends: 1,
      },
      { client: ng, command: 'query', callId: 'none', outcome: 'failed', error: { code: 'ERR_RTPPROXY_NG' } },
    ])
    await ng.close()
  })

  it('show neither SDP nor keys to those who print what they are told', async () => {
    const media = await client()
    await media.offer(invite())
    for (const trace of traces)
      for (const text of [JSON.stringify(trace), inspect(trace, { depth: 9 })])
        for (const secret of [...SECRETS, 'm=audio']) expect(text).not.toContain(secret)
    await media.close()
  })

  it('carry the context of a store into the send', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { start } = tracingChannel<string, CommandTrace>('rtpproxy-ng:command')
    start.bindStore(storage as never, ({ command }) => `span of ${command}`)
    const seen: (string | undefined)[] = []
    const heard = () => seen.push(storage.getStore())
    subscribe('rtpproxy-ng:send', heard)
    const media = await client()
    await media.offer(invite())
    unsubscribe('rtpproxy-ng:send', heard)
    start.unbindStore(storage as never)
    expect(seen).toEqual(['span of ping', 'span of offer'])
    await media.close()
  })

  it('tell every step of a command in the context that its start has bound', async () => {
    const media = await client({ timeoutMs: 250, attempts: 2 })
    const spans = new AsyncLocalStorage<string>()
    const wrong: unknown[] = []
    const start = channel('tracing:rtpproxy-ng:command:start')
    const nameOf = (trace: unknown) => `${(trace as CommandTrace).command} ${(trace as CommandTrace).callId}`
    start.bindStore(spans, nameOf)
    const seen: string[] = []
    const ends = [
      'rtpproxy-ng:send',
      ...STEPS.filter((step) => step !== 'end').map((step) => `tracing:rtpproxy-ng:command:${step}`),
    ].map((name) => {
      const heard = (trace: unknown) => {
        seen.push(name)
        if (spans.getStore() !== nameOf(trace)) wrong.push([name, nameOf(trace), spans.getStore()])
      }
      subscribe(name, heard)
      return () => unsubscribe(name, heard)
    })
    engine.script('query', { silent: true })
    await Promise.allSettled([
      media.offer(invite('one')),
      media.offer(invite('two')),
      media.query(invite('three')),
    ])
    for (const unlisten of ends) unlisten()
    start.unbindStore(spans)
    expect(wrong).toEqual([])
    expect(seen.filter((name) => name === 'rtpproxy-ng:send').length).toBeGreaterThan(3)
    expect(seen).toContain('tracing:rtpproxy-ng:command:error')
    await media.close()
  })
})

it('the channel of media proxies tells each change and why', async () => {
  const changes: NodeChange[] = []
  const heard = (change: unknown) => changes.push(change as NodeChange)
  subscribe('rtpproxy-ng:node', heard)
  const media = await client({ timeoutMs: 250, attempts: 1 })
  await engine.stop()
  await media.offer(invite()).catch(() => undefined)
  media.enable(engine.urls[0]!, false)
  unsubscribe('rtpproxy-ng:node', heard)
  expect(changes).toMatchObject([
    {
      client: media,
      before: 'up',
      node: { state: 'down', url: engine.urls[0] },
      reason: { command: 'offer' },
    },
    { client: media, before: 'down', node: { state: 'disabled' }, reason: undefined },
  ])
  expect(JSON.stringify(changes)).not.toContain('client')
  await media.close()
})

it('the channel of dropped replies tells why each was dropped', async () => {
  const drops: DroppedReply[] = []
  const heard = (reply: unknown) => drops.push(reply as DroppedReply)
  subscribe('rtpproxy-ng:drop', heard)
  const media = await client()
  engine.weather({ repeat: 1 })
  await media.offer(invite())
  await expect.poll(() => drops.length).toBeGreaterThan(0)
  for (const { client, reason, length } of drops) {
    expect([client, reason]).toEqual([media, 'late'])
    expect(length).toBeGreaterThan(100)
  }
  unsubscribe('rtpproxy-ng:drop', heard)
  await media.close()
})

it('nothing is made for channels nobody listens to', async () => {
  end()
  expect(channel('rtpproxy-ng:send').hasSubscribers).toBe(false)
  const media = await client()
  await media.offer(invite())
  expect(told).toEqual([])
  await media.close()
})
