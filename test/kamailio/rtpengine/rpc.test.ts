import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scripts } from '../../media-proxy.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = new Scene()
  await scene.load({ rtpengine_tout_ms: 20, rtpengine_retr: 1 })
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
      disabled: '0',
      recheck_ticks: '0',
    })
    const both = [shown(first, 0, 0), shown(second, 1, 0)].map((node, i) =>
      expect.objectContaining({ ...node, index: expect.any(Number), set: i }),
    )
    expect(await scene.module.rpc('rtpengine.show', 'all')).toEqual({ result: both })
    expect(await scene.module.rpc('rtpengine.show', `::${second}`)).toEqual({ result: [both[1]] })
    expect(await scene.module.rpc('rtpengine.show', 'udp:nobody')).toEqual({
      error: { code: 404, message: 'no media proxy is called udp:nobody' },
    })
  })

  it('disable by hand, which ends no earlier than it is enabled', async () => {
    const [url = ''] = scene.urls
    expect(await scene.module.rpc('rtpengine.enable', url, '0')).toEqual({ result: 'disabled' })
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ disabled: '1(permanent)', recheck_ticks: 'N/A' }],
    })
    expect(await scene.module.rpc('rtpengine.enable', url, '1')).toEqual({ result: 'enabled' })
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({ result: [{ disabled: '0' }] })
  })

  it('ping, and do not enable one that does not answer', async () => {
    const [url = ''] = scene.urls
    expect(await scene.module.rpc('rtpengine.ping', 'all')).toEqual({ result: 'success' })
    await scene.module.rpc('rtpengine.enable', url, '0')
    scene.first.script = scripts.silent
    const failed = { error: { code: 500, message: 'a media proxy does not answer' } }
    expect(await scene.module.rpc('rtpengine.ping', url)).toEqual(failed)
    expect(await scene.module.rpc('rtpengine.enable', url, '1')).toEqual(failed)
    expect(await scene.module.rpc('rtpengine.show', url)).toMatchObject({
      result: [{ disabled: '1(permanent)' }],
    })
  })

  it('count the calls that are remembered', async () => {
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 0 })
    await scene.module.rtpengine_offer(scene.message())
    expect(await scene.module.rpc('rtpengine.get_hash_total')).toEqual({ result: 1 })
  })

  it.each([
    [['rtpengine.show'], 400],
    [['rtpengine.enable', 'all'], 400],
    [['rtpengine.enable', 'all', 'yes'], 400],
    [['rtpengine.reload'], 500],
    [['rtpengine.nothing'], 404],
  ])('answer %j with the code %i', async ([command = '', ...args], code) => {
    expect(await scene.module.rpc(command, ...args)).toMatchObject({ error: { code } })
  })
})
