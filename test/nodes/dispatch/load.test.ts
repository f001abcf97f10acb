import { describe, expect, it } from 'vitest'
import { Load } from '../../../src/nodes/dispatch/load.ts'

describe('the load', () => {
  it('is bounded, with a tenth of the room for deletes alone', () => {
    const load = new Load(100, 1000)
    for (let i = 0; i < 90; i++) load.enter('offer')
    const full = expect.objectContaining({ code: 'ERR_RTPPROXY_OVERLOAD', command: 'offer', node: undefined })
    expect(() => load.enter('offer')).toThrow(full)
    for (let i = 0; i < 10; i++) load.enter('delete')
    expect(() => load.enter('delete')).toThrow('100 commands are under way')
    expect([load.open, load.refused]).toEqual([100, 2])
    load.leave()
    load.enter('delete')
    for (let i = 0; i < 11; i++) load.leave()
    load.enter('offer')
    expect([load.open, load.refused]).toEqual([90, 2])
  })

  it('leaves room for one command where a tenth is less than one', () => {
    const load = new Load(1, 5)
    load.enter('offer')
    expect(() => load.enter('delete')).toThrow('1 commands are under way')
    expect([load.nodeLimit('offer'), load.nodeLimit('delete')]).toEqual([5, 5])
  })

  it('of a node is shared out in the same way', () => {
    const load = new Load(1, 20_000)
    expect([load.nodeLimit('offer'), load.nodeLimit('query'), load.nodeLimit('delete')]).toEqual([
      18_000, 18_000, 20_000,
    ])
  })
})
