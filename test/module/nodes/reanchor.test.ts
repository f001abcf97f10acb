import { describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { scripts } from '../../media-proxy.ts'
import { bye, client, EVEN, errorOf, invite, ok, proxy, SDP, type TestProxy } from './scene.ts'

/** SDP with this port, which no media proxy here gives out. */
const sdpOf = (port: number): string => SDP.replace('4000', String(port))
const sent = (node: TestProxy, index: number) =>
  decode(node.payloads.at(index)!, 'utf8') as Record<string, unknown>

const two = async (options = {}) => {
  const [a, b] = [await proxy(), await proxy()]
  const sockets = `${a.url} ${b.url}`
  return { a, b, ...(await client({ sockets, keepDialogs: 10, timeoutMs: 250, attempts: 2, ...options })) }
}

describe('a call that is moved', () => {
  it('gets SDP for both parties from the new node, and the old one a delete when it is back', async () => {
    const { a, b, media } = await two()
    await media.offer(invite({ sdp: sdpOf(4002) }), { flags: 'co' })
    await media.answer(ok({ sdp: sdpOf(4004) }))
    await a.close()
    // Any command finds the node dead.
    await media.query(bye())
    const moved = []
    for (const call of media.callsOn(a.url)) moved.push(await media.reanchor(call))
    expect(moved).toEqual([
      {
        node: b.url,
        previous: a.url,
        offererTag: 'caller',
        answererTag: 'callee',
        sdpForAnswerer: expect.any(Buffer),
        sdpForOfferer: expect.any(Buffer),
      },
    ])
    expect(moved[0]!.sdpForAnswerer.toString()).toBe(
      sdpOf(30000).replace('c=IN IP4 192.0.2.1', 'c=IN IP4 203.0.113.9'),
    )
    expect([sent(b, -2), sent(b, -1)]).toMatchObject([
      { command: 'offer', sdp: sdpOf(4002), replace: ['session-connection', 'origin'], 'from-tag': 'caller' },
      { command: 'answer', sdp: sdpOf(4004), 'from-tag': 'caller', 'to-tag': 'callee' },
    ])
    expect(media.counters.rememberedDeletes).toBe(1)
    expect(media.show().map(({ calls }) => calls)).toEqual([0, 1])
    await a.back()
    media.enable(a.url, true)
    await expect.poll(() => a.commands.at(-1)).toBe(`delete ${EVEN}`)
    expect(sent(a, -1)).toEqual({ 'call-id': EVEN, 'from-tag': 'caller', command: 'delete' })
    expect((await media.destroy(bye())).node).toBe(b.url)
    expect(media.counters).toMatchObject({ dialogs: 0, calls: 0, rememberedDeletes: 0 })
  })

  it('away from a node that is alive ends there at once, and ends the wait for its calls', async () => {
    const { a, b, media } = await two()
    await media.offer(invite())
    await media.answer(ok())
    const drained = media.drain(a.url)
    for (const call of media.callsOn(a.url)) await media.reanchor(call)
    await drained
    await expect.poll(() => a.commands.at(-1)).toBe(`delete ${EVEN}`)
    expect((await media.offer(invite())).node).toBe(b.url)
  })

  it('of which nobody has answered yet has SDP for one party', async () => {
    const { b, media } = await two()
    await media.offer(invite())
    const call = { callId: EVEN, viaBranch: undefined }
    expect(await media.reanchor(call)).toMatchObject({
      node: b.url,
      answererTag: undefined,
      sdpForOfferer: undefined,
    })
    expect(b.commands).toEqual([`offer ${EVEN}`])
  })

  it('is answered although its answer named no branch, or another', async () => {
    const { b, media } = await two()
    await media.offer(invite({ branch: 'b1' }), { flags: '1' })
    await media.answer(ok())
    expect(await media.reanchor({ callId: EVEN, viaBranch: 'b1' })).toMatchObject({
      node: b.url,
      answererTag: 'callee',
      sdpForOfferer: expect.any(Buffer),
    })
    expect(sent(b, 0)).toMatchObject({ command: 'offer', 'via-branch': 'b1' })
  })

  it('goes by the last exchange that was completed', async () => {
    const { b, media } = await two()
    await media.offer(invite({ sdp: sdpOf(4002) }))
    await media.answer(ok({ sdp: sdpOf(4004) }))
    await media.offer(invite({ sdp: sdpOf(5002) }))
    await media.reanchor({ callId: EVEN, viaBranch: undefined })
    expect([sent(b, -2).sdp, sent(b, -1).sdp]).toEqual([sdpOf(4002), sdpOf(4004)])
  })

  it('is one of many, and those share the nodes as new calls do', async () => {
    const c = await proxy()
    const { a, b, media } = await two({ sockets: undefined, keepDialogs: 100 })
    await media.setNodes(a.url)
    for (let call = 0; call < 8; call++) await media.offer(invite({ callId: `call-${call}` }))
    await media.setNodes(`${a.url}=0 ${b.url} ${c.url}`)
    for (const call of media.callsOn(a.url)) await media.reanchor(call)
    expect([b.commands.length, c.commands.length, media.show()[0]!.calls]).toEqual([4, 4, 0])
  })
})

describe('a call that cannot be moved', () => {
  const call = { callId: EVEN, viaBranch: undefined }

  it('stays where it is when no other node takes its offer', async () => {
    const { a, b, media } = await two()
    b.script = scripts.error
    await media.offer(invite())
    const drained = media.drain(a.url)
    let resolved = false
    void drained.then(() => {
      resolved = true
    })
    expect(await errorOf(media.reanchor(call))).toMatchObject({ code: 'ERR_RTPPROXY_NG', node: b.url })
    expect([media.show().map(({ calls }) => calls), resolved]).toEqual([[1, 0], false])
    expect((await media.destroy(bye())).node).toBe(a.url)
    await drained
  })

  it('stays where it is when the other node takes no answer, and the half that was begun ends', async () => {
    const { a, b, media } = await two()
    await media.offer(invite())
    await media.answer(ok())
    b.script = (payload, cookie, request) =>
      request.command === 'answer' ? scripts.error(payload, cookie) : scripts.ok(payload, cookie, request)
    expect(await errorOf(media.reanchor(call))).toMatchObject({ code: 'ERR_RTPPROXY_NG', command: 'answer' })
    await expect.poll(() => b.commands.at(-1)).toBe(`delete ${EVEN}`)
    expect((await media.destroy(bye())).node).toBe(a.url)
    expect(a.commands).toEqual(['offer', 'answer', 'delete'].map((command) => `${command} ${EVEN}`))
  })

  it('is one that is not kept: over, of another, or pushed out by others', async () => {
    const { media } = await two({ keepDialogs: 2 })
    const refused = { code: 'ERR_RTPPROXY_NOT_APPLICABLE' }
    for (const callId of ['1', '2', '3']) await media.offer(invite({ callId }))
    expect(media.counters.dialogs).toBe(2)
    expect(await errorOf(media.reanchor({ callId: '1', viaBranch: undefined }))).toMatchObject(refused)
    await media.destroy(bye({ callId: '2' }))
    expect(await errorOf(media.reanchor({ callId: '2', viaBranch: undefined }))).toMatchObject(refused)
    expect(await errorOf(media.reanchor({ callId: '3', viaBranch: 'x' }))).toMatchObject(refused)
    const other = await two({ keepDialogs: 0 })
    await other.media.offer(invite())
    expect(await errorOf(other.media.reanchor(call))).toMatchObject(refused)
  })
})
