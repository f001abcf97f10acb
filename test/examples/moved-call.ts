import { once } from 'node:events'
import { expect } from 'vitest'
import { ReanchoringProxy } from '../../examples/reanchor/proxy.js'
import { mediaFlows, Phone } from './phone.ts'

/**
 * Makes a call through the example over two media proxies, takes the one away that has it, and sees that media flows again over the
 * other and that the dialog goes on. Returns how long things took, in milliseconds.
 */
export async function moveCall(
  urls: readonly string[],
  take: (url: string) => Promise<unknown>,
): Promise<{ node: string; noticedMs: number; flowingMs: number }> {
  const proxy = new ReanchoringProxy({
    sockets: urls.join(' '),
    media: { pingMs: 200, timeoutMs: 500, attempts: 2 },
  })
  const alice = await Phone.open('alice')
  const bob = await Phone.open('bob')
  try {
    await proxy.start()
    const dialog = { proxyPort: proxy.port, callId: 'moved@127.0.0.1' }
    const ok = await alice.request('INVITE', bob, { ...dialog, cseq: 1 })
    expect(ok.statusCode).toBe(200)
    await alice.request('ACK', bob, { ...dialog, cseq: 1, toTag: 'bob' })
    await mediaFlows(alice, bob)
    const had = proxy.media.show().find(({ calls }) => calls > 0)!.url
    const before = [alice.peer!.port, bob.peer!.port]

    const down = once(proxy.media, 'node:down')
    const started = performance.now()
    await take(had)
    await down
    const noticedMs = performance.now() - started
    await expect.poll(() => [alice.reInvites, bob.reInvites], { interval: 5 }).toEqual([1, 1])
    await mediaFlows(alice, bob)
    const flowingMs = performance.now() - started
    const node = proxy.media.show().find(({ calls }) => calls > 0)!.url
    expect(node).not.toBe(had)
    expect([alice.peer!.port, bob.peer!.port]).not.toEqual(before)
    expect(proxy.moved).toEqual({ calls: 1, failed: 0 })

    // Alice knows nothing of the INVITE sent in her name; Bob must not see her count go back.
    const bye = await alice.request('BYE', bob, { ...dialog, cseq: 2, toTag: 'bob' })
    expect([bye.statusCode, bye.cseq]).toEqual([200, 2])
    expect(bob.cseqs).toEqual([1, 2, 3])
    expect(proxy.media.counters.calls).toBe(0)
    return { node, noticedMs, flowingMs }
  } finally {
    await proxy.close()
    await alice.close()
    await bob.close()
  }
}
