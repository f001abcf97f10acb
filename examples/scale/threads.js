// node examples/scale/threads.js --rtpengine udp:127.0.0.1:2223 [--listen 127.0.0.1:5060] [--next HOST:PORT] [--threads N]
//
// The example proxy in several threads. Threads cannot share a UDP socket, so each has a port of its own, from the one given on
// upwards: DNS SRV or a balancer in front shares the calls out, and a call stays with its thread by the Record-Route.

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { SipProxy } from '../sip-proxy/proxy.js'
import { readArguments } from './arguments.js'

if (isMainThread) {
  const { sockets, host, port, next, units } = readArguments('threads', availableParallelism())
  const threads = Array.from({ length: units }, (_, i) => {
    const options = { sockets, host, port: port === 0 ? 0 : port + i, next }
    return new Worker(fileURLToPath(import.meta.url), { workerData: options })
  })
  for (const thread of threads) {
    thread.once('message', (address) => console.log(`SIP proxy on udp:${address}`))
    // One that fails takes the rest with it: a process manager starts them all again.
    thread.once('error', (error) => {
      throw error
    })
  }
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      for (const thread of threads) thread.postMessage('end')
    })
  }
} else {
  const proxy = new SipProxy(workerData)
  await proxy.start()
  parentPort?.postMessage(proxy.hostPort)
  parentPort?.once('message', async () => {
    await proxy.close()
    parentPort?.close()
  })
}
