// node bench/scale/open.js [--json]
//
// What a transaction costs while 0 to 10,000 other requests are open and stay open: the table, the timer and the memory of
// calls must not feel them. Fails when the CPU time with 10,000 is more than 1.25 times that with none.
//
// What it costs also goes with what else the machine does at the moment. So each round is set beside one, right after it, of a
// client that has nothing open, and the bound is for how the two change.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
import { inviteOf, median, offers, startEcho } from './traffic.js'

const HELD = [0, 10, 100, 1000, 10_000]
const ROUNDS = 11
const SECONDS = 0.2
const BOUND = 1.25

const echo = await startEcho()
// The held ones are never answered; the time is far beyond that of the measurement.
const media = new RtpProxyNg({ sockets: echo.url, timeoutMs: 600_000, nodeOpenLimit: 20_000 })
await media.start()
const source = { address: '192.0.2.7', port: 5060 }
const invite = inviteOf('active@192.0.2.7', 1300)
const reference = new Worker(new URL('./reference.js', import.meta.url), { workerData: echo.url })
/**
 * @param {number} seconds
 * @returns {Promise<{cpuUs: number}>}
 */
async function withNone(seconds) {
  const reply = once(reference, 'message')
  reference.postMessage(seconds)
  return (await reply)[0]
}
await offers(media, invite, 64, 1)
await withNone(1)

let held = 0
/** @param {number} count */
async function hold(count) {
  const sent = []
  for (; held < count; held++) {
    const message = SipMessage.parse(inviteOf(`held-${held}@192.0.2.7`, 1300), source)
    // It ends with `close`.
    media.offer(message).catch(() => undefined)
    sent.push(message)
    // The echo's socket must not overflow, or what it drops would be resent into the measurement.
    if (sent.length % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

const rows = []
for (const count of HELD) {
  await hold(count)
  const rounds = []
  for (let i = 0; i < ROUNDS; i++) {
    const ours = await offers(media, invite, 64, SECONDS)
    const { cpuUs } = await withNone(SECONDS)
    rounds.push({ ...ours, times: ours.cpuUs / cpuUs })
  }
  rows.push({
    held: count,
    openRequests: media.openRequests,
    cpuUs: median(rounds.map(({ cpuUs }) => cpuUs)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    times: median(rounds.map(({ times }) => times)),
  })
}
await media.close()
await reference.terminate()
await echo.close()

const ratio = (rows.at(-1)?.times ?? Number.NaN) / (rows[0]?.times ?? Number.NaN)
if (process.argv.includes('--json')) console.log(JSON.stringify({ rows, ratio, bound: BOUND }, null, 2))
else {
  for (const { held: count, cpuUs, perSecond, times } of rows)
    console.log(
      `${String(count).padStart(6)} held  ${cpuUs.toFixed(1)} us  ${Math.round(perSecond)}/s  ${times.toFixed(2)} x a client with none`,
    )
  console.log(`10,000 against none: ${ratio.toFixed(2)} x (at most ${BOUND})`)
}
if (!(ratio <= BOUND)) process.exitCode = 1
