import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { OpenRequests } from '../../../src/network/requests/open-requests.ts'
import { UdpTransport } from '../../../src/network/udp.ts'
import { COOKIE_LENGTH } from '../../../src/protocol/cookie.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** As collecting garbage does, or a host that runs something else: nothing of this process goes on. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

it('a reply that came while the process stood still counts, although its time is over', async () => {
  const node = createSocket('udp4')
  cleanups.push(() => new Promise<void>((resolve) => node.close(resolve)))
  let asked = 0
  node.on('message', (request, { port, address }) => {
    asked++
    node.send(request, port, address, () => standStill(300))
  })
  node.bind(0, '127.0.0.1')
  await once(node, 'listening')
  const { port } = node.address()
  const requests = new OpenRequests()
  const udp = new UdpTransport('udp:node', { host: '127.0.0.1', port, family: 4 }, requests)
  cleanups.push(() => udp.close())
  const datagram = Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}de`)
  const outcome = await new Promise((resolve) => {
    const replied = (bytes: Buffer, offset: number) => resolve(bytes.toString('latin1', offset))
    udp.send({ datagram, replied, failed: resolve }, { timeoutMs: 60, attempts: 2 })
  })
  expect([outcome, asked, requests.size, requests.wheel.size]).toEqual(['de', 1, 0, 0])
})
