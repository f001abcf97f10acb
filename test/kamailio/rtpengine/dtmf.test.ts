import { createSocket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../../src/core/bencode.ts'
import type { DtmfEvent } from '../../../src/dtmf/event.ts'
import { loadRtpengine } from '../../../src/kamailio/rtpengine/module.ts'
import { ScriptedProxy } from '../../media-proxy.ts'
import { Scene } from './scene.ts'

const EVENT = {
  callid: 'call-1',
  source_tag: 'f',
  source_label: 'left',
  tags: ['f', 't'],
  type: 'DTMF',
  timestamp: 1_700_000_000,
  source_ip: '192.0.2.1',
  event: 11,
  duration: 100,
  volume: 10,
}
const VARIABLES = {
  dtmf_event: '$avp(event)',
  dtmf_event_callid: '$avp(callid)',
  dtmf_event_source_tag: '$avp(tag)',
  dtmf_event_timestamp: '$avp(at)',
  dtmf_event_source_label: '$avp(label)',
  dtmf_event_tags: '$avp(tags)',
  dtmf_event_type: '$avp(type)',
  dtmf_event_source_ip: '$avp(ip)',
  dtmf_event_duration: '$avp(ms)',
  dtmf_event_volume: '$avp(volume)',
}

/** Keeps what a route is told, to be waited for. */
class Route {
  readonly told: [DtmfEvent, Readonly<Record<string, string>>][] = []
  readonly run = (event: DtmfEvent, variables: Readonly<Record<string, string>>): void => {
    this.told.push([event, variables])
  }
}

let scene: Scene
let route: Route
beforeEach(() => {
  scene = new Scene()
  route = new Route()
})
afterEach(() => scene.close())

describe('the DTMF events of the rtpengine module', () => {
  it('come in at dtmf_events_sock, and run the route with their variables', async () => {
    const module = await scene.load({ dtmf_events_sock: '127.0.0.1:0', ...VARIABLES }, { onDtmf: route.run })
    const socket = createSocket('udp4')
    const port = Number(module.dtmf.url?.split(':')[1])
    socket.send(JSON.stringify(EVENT), port, '127.0.0.1')
    await expect.poll(() => route.told.length).toBe(1)
    socket.close()
    const [event, variables] = route.told[0]!
    expect(event).toMatchObject({ callId: 'call-1', digit: '#', volume: -10 })
    expect(variables).toEqual({
      '$avp(event)': '11',
      '$avp(callid)': 'call-1',
      '$avp(tag)': 'f',
      '$avp(at)': '1700000000',
      '$avp(label)': 'left',
      '$avp(tags)': 'f,t',
      '$avp(type)': 'DTMF',
      '$avp(ip)': '192.0.2.1',
      '$avp(ms)': '100',
      '$avp(volume)': '10',
    })
  })

  it('come in over the TCP connection to a media proxy as well', async () => {
    const proxy = new ScriptedProxy()
    const url = `tcp:127.0.0.1:${await proxy.listenTcp()}`
    const module = await loadRtpengine({ rtpengine_sock: url }, { onDtmf: route.run })
    const notice = encode({ notify: 'onDTMF', data: EVENT })
    for (const connection of proxy.connections)
      connection.write(Buffer.concat([Buffer.from('0123456789abcdef '), notice]))
    await expect.poll(() => route.told.length).toBe(1)
    expect(module.client.droppedReplies).toEqual({ late: 0, foreign: 0, malformed: 0 })
    await module.close()
    await proxy.close()
  })

  it('keep coming after a route has thrown, and its error goes where uncaught ones go', async () => {
    const uncaught = new Promise((resolve) => {
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other)
        resolve(error)
      })
    })
    const failure = new Error('thrown by the route')
    const module = await scene.load(
      {},
      {
        onDtmf: (event, variables) => {
          route.run(event, variables)
          if (route.told.length === 1) throw failure
        },
      },
    )
    module.dtmf.feed(EVENT)
    module.dtmf.feed({ ...EVENT, event: 1 })
    await expect.poll(() => route.told.map(([{ digit }]) => digit)).toEqual(['#', '1'])
    expect(await uncaught).toBe(failure)
  })

  it('are refused at a socket that cannot be had', async () => {
    await expect(scene.load({ dtmf_events_sock: 'nowhere' })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_OPTION',
      message: expect.stringContaining('udp:ADDRESS:PORT'),
    })
  })
})
