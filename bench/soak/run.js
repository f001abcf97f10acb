// npm run soak [-- --transactions N] [-- --short]
//
// Whole calls (offer, answer, delete) over loopback UDP, 64 at a time, with ever new Call-IDs: does memory stay flat? The heap
// is taken after a forced collection. Fails when heap or resident memory at the end exceeds that after the first tenth
// (when caches are full and code is compiled) by more than the bounds below.

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000000' },
    short: { type: 'boolean', default: false },
    samples: { type: 'string', default: '20' },
  },
})
const TRANSACTIONS = values.short ? 200_000 : Number(values.transactions)
const SAMPLES = Number(values.samples)
const OPEN = 64
/** Bytes that may be more at the end than after the first tenth. */
const HEAP_BOUND = 2 << 20
const RSS_BOUND = 32 << 20

setFlagsFromString('--expose-gc')
/** @type {() => void} */
const collect = runInNewContext('gc')

// The media proxy lives in a thread of its own, so that its memory is not counted with ours; resident memory holds both.
const echo = new Worker(new URL('../scale/echo.js', import.meta.url))
const port = await new Promise((resolve) => echo.once('message', resolve))
// Of INVITE transactions `manage` remembers the last 100,000 for five minutes: filled up at once here, not in the short run's time.
const media = new RtpProxyNg({ sockets: `udp:127.0.0.1:${port}`, transactionLimit: 1000 })
await media.start()

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n'
const source = { address: '192.0.2.7', port: 5060 }

/**
 * @param {string} start
 * @param {string} method
 * @param {number} call
 * @param {string} tag
 * @param {string} sdp
 */
function message(start, method, call, tag, sdp) {
  const type = sdp && 'Content-Type: application/sdp\r\n'
  return SipMessage.parse(
    Buffer.from(
      `${start}\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK${call}\r\nFrom: <sip:a@example.com>;tag=f${call}\r\n` +
        `To: <sip:b@example.com>${tag}\r\nCall-ID: soak-${call}@192.0.2.7\r\nCSeq: 1 ${method}\r\n${type}` +
        `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
    ),
    source,
  )
}

let calls = 0
/** One call: three transactions. */
async function call() {
  const id = calls++
  const tag = `;tag=t${id}`
  await media.manage(message('INVITE sip:b@example.com SIP/2.0', 'INVITE', id, '', SDP), { flags: 'co1' })
  await media.manage(message('SIP/2.0 200 OK', 'INVITE', id, tag, SDP), { flags: 'co1' })
  await media.manage(message('BYE sip:b@example.com SIP/2.0', 'BYE', id, tag, ''))
}

/** The least of three: memory of Buffers is given back by another thread, some time after the collection. */
async function sample() {
  let heap = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { heapUsed, external } = process.memoryUsage()
    heap = Math.min(heap, heapUsed + external)
  }
  return { heap, rss: process.memoryUsage.rss() }
}

const started = performance.now()
const perSample = Math.ceil(TRANSACTIONS / SAMPLES / 3)
/** @type {{heap: number, rss: number}[]} */
const samples = []
for (let i = 0; i < SAMPLES; i++) {
  const end = calls + perSample
  await Promise.all(
    Array.from({ length: OPEN }, async () => {
      while (calls < end) await call()
    }),
  )
  const now = await sample()
  samples.push(now)
  const mega = (/** @type {number} */ bytes) => `${(bytes / 1048576).toFixed(1)} MB`
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${String(calls * 3).padStart(9)} transactions  ${Math.round((calls * 3) / seconds)}/s  heap ${mega(now.heap)}  rss ${mega(now.rss)}`,
  )
}
const { openRequests, calls: remembered } = media.counters
await media.close()
await echo.terminate()

const settled = samples[Math.ceil(SAMPLES / 10) - 1] ?? { heap: 0, rss: 0 }
const last = samples.at(-1) ?? settled
/** @type {[string, number, number][]} */
const growths = [
  ['heap', last.heap - settled.heap, HEAP_BOUND],
  ['rss', last.rss - settled.rss, RSS_BOUND],
  ['open requests', openRequests, 0],
  ['remembered calls', remembered, 0],
]
for (const [what, growth, bound] of growths) {
  if (growth <= bound) continue
  console.error(`${what} grew by ${growth}, more than ${bound}`)
  process.exitCode = 1
}
if (process.exitCode === undefined) console.log('flat')
