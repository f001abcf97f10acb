import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scripts } from '../../media-proxy.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = new Scene()
  await scene.load({ rtpengine_tout_ms: 500, rtpengine_retr: 1 })
})
afterEach(() => scene.close())

describe('the management commands of the rtpengine module', () => {
  it('show all media proxies, or the one that is called so', async () => {
    const [first, second] = scene.urls
    const shown = (url: string | undefined, set: number, index: number) => ({
      url,
      set,
      index,
      weight: 1,
      disabled: false,
      active: true,
      recheck_ticks: 0,
    })
    const both = [shown(first, 0, 0), shown(second, 1, 0)].map((node, i) =>
      expect.objectContaining({ ...node, index: expect.any(Number), set: i }),
    )
    expect(await scene.module.rpc('rtpengine.show', 'all')).toEqual({ result: both })
    expect(await scene.module.rpc('rtpengine.show', `::${second}`)).toEqual({ result: [both[1]] })
    expect(await scene.module.rpc('rtpengine.show', 'udp:nobody')).toEqual({
      error: { code: 404, message: 'Instance not found' },
    })
  })

  it('disable by hand, which ends no earlier than it is enabled', async () => {
    const [url = ''] = scene.urls
    expect(await scene.module.rpc('rtpengine.enable', url, '0')).toEqual({
      result: { url, status: 'disable' },
    })
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ disabled: true, active: false, recheck_ticks: -1 }],
    })
    expect(await scene.module.rpc('rtpengine.enable', url, '1')).toEqual({
      result: { url, status: 'enable' },
    })
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ disabled: false, active: true }],
    })
  })

  it('ping, and do not enable one that does not answer', async () => {
    const [url = ''] = scene.urls
    expect(await scene.module.rpc('rtpengine.ping', 'all')).toEqual({
      result: { url: 'all', status: 'success' },
    })
    await scene.module.rpc('rtpengine.enable', url, '0')
    scene.first.script = scripts.silent
    const failed = { result: { url, status: 'fail' } }
    expect(await scene.module.rpc('rtpengine.ping', url)).toEqual(failed)
    expect(await scene.module.rpc('rtpengine.enable', url, '1')).toEqual(failed)
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ disabled: true }],
    })
  })

  it('tell how long one that was lost is left alone, and take it back when it answers a ping', async () => {
    await scene.load({ rtpengine_tout_ms: 500, rtpengine_retr: 1, rtpengine_disable_tout: 100 })
    const [url = ''] = scene.urls
    const answering = scene.first.script
    scene.first.script = scripts.silent
    expect(await scene.module.rtpengine_offer(scene.message())).toBe(-1)
    const lost = await scene.module.rpc('rtpengine.show', url)
    expect(lost).toMatchObject({ result: [{ disabled: false, active: false }] })
    const [{ recheck_ticks }] = lost.result as unknown as [{ recheck_ticks: number }]
    expect(recheck_ticks).toBeGreaterThan(95)
    expect(recheck_ticks).toBeLessThanOrEqual(100)
    scene.first.script = answering
    expect(await scene.module.rpc('rtpengine.ping', url)).toEqual({ result: { url, status: 'success' } })
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ active: true, recheck_ticks: 0 }],
    })
  })

  it('count the calls that are remembered', async () => {
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 0 })
    await scene.module.rtpengine_offer(scene.message())
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 1 })
    await scene.module.rtpengine_offer(scene.message(), 'via-branch=1')
    await scene.module.rtpengine_offer(scene.message(), 'via-branch=2')
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 3 })
    await scene.module.rtpengine_delete(scene.message(), 'via-branch=1')
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 2 })
    await scene.module.rtpengine_delete(scene.message())
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 0 })
  })

  it.each([
    [['rtpengine.show'], 500],
    [['rtpengine.enable', 'all'], 500],
    [['rtpengine.enable', 'all', 'yes'], 500],
    [['rtpengine.reload'], 500],
    [['rtpengine.nothing'], 404],
  ])('answer %j with the code %i', async ([command = '', ...args], code) => {
    expect(await scene.module.rpc(command, ...args)).toMatchObject({ error: { code } })
  })
})
