import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
import { rtpengineClient } from '../contenders/packages.js'
import { phoneInvite, phoneOffer } from '../inputs/phone-invite.js'

// Prints how many bytes of heap each open request takes. Run with --expose-gc. What the caller holds anyway, its array of
// promises, is counted too.

const OPEN = 10_000
const [client] = process.argv.slice(2)

const silent = createSocket('udp4')
silent.bind(0, '127.0.0.1')
await once(silent, 'listening')
const { port } = silent.address()

/** @type {() => Promise<unknown>} */
let offer
if (client === 'rtpengine-client') {
  const node = { host: '127.0.0.1', port }
  const theirs = new rtpengineClient.Client({ timeout: 60_000, localAddress: '127.0.0.1' })
  await once(theirs, 'listening')
  offer = () => theirs.offer(node, phoneOffer)
} else {
  const media = new RtpProxyNg({ sockets: `udp:127.0.0.1:${port}`, timeoutMs: 60_000 })
  silent.once('message', (ping, peer) => {
    const cookie = ping.subarray(0, ping.indexOf(32) + 1)
    silent.send(Buffer.concat([cookie, Buffer.from('d6:result4:ponge')]), peer.port, peer.address)
  })
  await media.start()
  const source = { address: '192.0.2.7', port: 5060 }
  offer = () => media.offer(SipMessage.parse(phoneInvite, source), { flags: 'co' })
}

/** @type {Promise<unknown>[]} */
const promises = new Array(OPEN)
// What is made once, and compiled, is none of the requests'.
const warm = Array.from({ length: 100 }, offer)
await settled()
const before = process.memoryUsage()
for (let i = 0; i < OPEN; i++) promises[i] = offer()
await settled()
const after = process.memoryUsage()
const each = (/** @type {'heapUsed' | 'arrayBuffers'} */ part) =>
  Math.round((after[part] - before[part]) / OPEN)
console.log(
  JSON.stringify({
    heap: each('heapUsed'),
    arrayBuffers: each('arrayBuffers'),
    open: warm.length + promises.length,
  }),
)
process.exit()

async function settled() {
  for (let i = 0; i < 5; i++) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
}
