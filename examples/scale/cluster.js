// node examples/scale/cluster.js --rtpengine udp:127.0.0.1:2223 [--listen 127.0.0.1:5060] [--next HOST:PORT] [--processes N]
//
// The example proxy in as many processes as there are cores. They share the SIP port: the system hands each datagram to one of
// them. Each has a client of its own, and its own memory of calls; since any process may get the next message of a call, the
// Record-Route carries the token of the call's media proxy, signed with a key that they share.

import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { SipProxy } from '../sip-proxy/proxy.js'
import { readArguments } from './arguments.js'

const { sockets, host, port, next, units } = readArguments('processes', availableParallelism())

if (cluster.isPrimary) {
  // Key and port are the same for all, and for those that are started anew.
  const key = process.env.TOKEN_KEY ?? randomBytes(32).toString('base64url')
  for (let i = 0; i < units; i++) cluster.fork({ TOKEN_KEY: key })
  let ready = 0
  cluster.on('message', (_, message) => {
    if (message === 'ready' && ++ready === units)
      console.log(`SIP proxy on udp:${host}:${port}, ${units} processes`)
  })
  let isEnding = false
  cluster.on('exit', () => {
    if (!isEnding) cluster.fork({ TOKEN_KEY: key })
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      isEnding = true
      cluster.disconnect()
    })
  }
} else {
  const proxy = new SipProxy({ sockets, host, port, next, media: { tokenKey: process.env.TOKEN_KEY } })
  await proxy.start()
  process.send?.('ready')
  // The cluster has closed the shared socket by then.
  process.once('disconnect', () => void proxy.media.close())
  // The signal reaches every process of a terminal's group; the primary says when to end.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => undefined)
}
