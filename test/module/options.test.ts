import { describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { checkOptions } from '../../src/module/options/check.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'

const errorFor = (options: object) => {
  try {
    new RtpProxyNg(options as RtpProxyNgOptions)
  } catch (error) {
    return error
  }
  return undefined
}

describe('options', () => {
  it('have the defaults of the module, and none that changes what goes over the wire', () => {
    expect(checkOptions({})).toMatchObject({
      sockets: [],
      timeoutMs: 1000,
      attempts: 5,
      adaptive: false,
      deadlineMs: 0,
      disableMs: 60_000,
      deadOn: new Set(['timeout', 'refused', 'unreachable']),
      deadAfter: 1,
      confirmDead: false,
      suspectAttempts: 5,
      halfOpen: false,
      pingMs: 0,
      pingAtStart: true,
      redetect: true,
      nodesPerCommand: 10_000_000,
      spareMs: 10_000,
      balancing: 'checksum',
      lastResort: false,
      affinity: { limit: 100_000, lifetimeMs: 14_400_000 },
      store: undefined,
      storeWaitMs: 50,
      tokenKey: undefined,
      tokenMs: 86_400_000,
      openLimit: 100_000,
      nodeOpenLimit: 20_000,
      rememberedDeletes: 10_000,
      keepDialogs: 0,
    })
  })

  it.each([
    ['timeoutMs', 1, 0, 2 ** 31],
    ['attempts', 1, 0, 1001],
    ['deadlineMs', 0, -1, 2 ** 31],
    ['disableMs', 0, -1, 2 ** 31],
    ['deadAfter', 1, 0, 10_000_001],
    ['suspectAttempts', 1, 0, 1001],
    ['pingMs', 0, -1, 2 ** 31],
    ['nodesPerCommand', 1, 0, 10_000_001],
    ['spareMs', 0, -1, 2 ** 31],
    ['storeWaitMs', 1, 0, 2 ** 31],
    ['tokenMs', 60_000, 59_999, 400_000_000_000],
    ['openLimit', 1, 0, 10_000_001],
    ['nodeOpenLimit', 1, 0, 10_000_001],
    ['rememberedDeletes', 0, -1, 10_000_001],
    ['keepDialogs', 0, -1, 10_000_001],
  ])('%s is a whole number within its bounds', (name, least, ...wrong) => {
    expect(checkOptions({ [name]: least })).toMatchObject({ [name]: least })
    for (const value of [...wrong, 1.5, Number.NaN, '5', true]) {
      expect(errorFor({ [name]: value })).toMatchObject({ code: 'ERR_RTPPROXY_OPTION', option: name })
    }
  })

  it.each(['adaptive', 'confirmDead', 'halfOpen', 'lastResort', 'pingAtStart', 'redetect', 'strict'])(
    '%s is true or false',
    (name) => {
      for (const value of [true, false])
        expect(checkOptions({ [name]: value })).toMatchObject({ [name]: value })
      for (const value of [1, 'true', {}]) {
        expect(errorFor({ [name]: value })).toMatchObject({ code: 'ERR_RTPPROXY_OPTION', option: name })
      }
    },
  )

  it.each([
    ['deadOn', 'timeout', 'deadOn'],
    ['deadOn', ['timeout', 'local'], 'deadOn'],
    ['failoverOn', 'Ran out of ports', 'failoverOn'],
    ['failoverOn', [/one/, 'two'], 'failoverOn'],
    ['failoverOn', null, 'failoverOn'],
    ['strict', 'true', 'strict'],
    ['strict', null, 'strict'],
    ['balancing', 'random', 'balancing'],
    ['affinity', 'yes', 'affinity'],
    ['affinity', null, 'affinity'],
    ['affinity', { limit: 0 }, 'affinity.limit'],
    ['affinity', { lifetimeMs: 0.5 }, 'affinity.lifetimeMs'],
    ['store', {}, 'store'],
    ['tokenKey', 'short', 'tokenKey'],
    ['tokenKey', [], 'tokenKey'],
    ['tokenKey', ['sixteen bytes or more', 'short'], 'tokenKey'],
    ['deadline', 5, 'deadline'],
  ])('%s is refused as %j', (name, value, option) => {
    expect(errorFor({ [name]: value })).toMatchObject({ code: 'ERR_RTPPROXY_OPTION', option })
  })

  it('deadOn is a list of what takes a node out of use, which may be empty', () => {
    expect(checkOptions({ deadOn: [] }).deadOn.size).toBe(0)
    expect(checkOptions({ deadOn: ['refused'] }).deadOn).toEqual(new Set(['refused']))
  })

  it('affinity is taken in part, as a whole, or not at all', () => {
    expect(checkOptions({ affinity: { limit: 5 } }).affinity).toEqual({ limit: 5, lifetimeMs: 14_400_000 })
    expect(checkOptions({ affinity: true }).affinity).toEqual(checkOptions({}).affinity)
    expect(checkOptions({ affinity: false }).affinity).toBeUndefined()
  })

  it('a store needs affinity', () => {
    const method = async () => undefined
    const store = { find: method, keep: method, forget: method, report: method, watch: method, close: method }
    expect(errorFor({ store, affinity: false })).toMatchObject({ option: 'store' })
    expect(errorFor({ store })).toBeUndefined()
  })
})
