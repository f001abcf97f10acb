// node bench/scale/size.js [--json]
//
// What a message costs as it grows from 0.5 to 60 kB: in the core (message to datagram, reply to message), and as a whole
// transaction over UDP. Fails when a byte of 60 kB costs the core more than three times what a byte of 1 kB costs: work that grows
// faster than the message would show as sixty times. (Results beyond 16 kB get memory of their own, which is dearer.)

import { RtpProxyNg } from 'rtpproxy-ng'
import { encodeRequest, rewriteMessage } from '../../dist/core/ng.js'
import { inviteOf, median, offers, startEcho } from './traffic.js'

const SIZES = [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
const ROUNDS = 9

const empty = Buffer.alloc(0)
/** @type {import('../../dist/core/ng.js').RequestPlan} */
const plan = { command: 'offer', flags: empty, toTag: true, branch: 0, branchValue: undefined, middle: empty }

/** @param {Buffer} message */
function coreUs(message) {
  const sdp = message.subarray(message.indexOf('\r\n\r\n') + 4)
  const reply = Buffer.concat([Buffer.from(`d3:sdp${sdp.length}:`), sdp, Buffer.from('6:result2:oke')])
  const runs = Math.ceil(4_000_000 / message.length)
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    for (let i = 0; i < runs; i++) {
      encodeRequest(message, plan, 26)
      rewriteMessage(message, reply, 0, 'offer', 'node')
    }
    rounds.push(((performance.now() - started) * 1000) / runs)
  }
  return median(rounds)
}

const echo = await startEcho()
const media = new RtpProxyNg({ sockets: echo.url })
await media.start()
await offers(media, inviteOf('warm@192.0.2.7', 1300), 8, 1)
coreUs(inviteOf('warm@192.0.2.7', 1300))

/** @type {{bytes: number, coreUs: number, transactionUs: number}[]} */
const rows = []
for (const size of SIZES) {
  const invite = inviteOf('size@192.0.2.7', size)
  // Few at a time: many large datagrams overflow the sockets.
  const { cpuUs } = await offers(media, invite, 2, 0.5)
  rows.push({ bytes: invite.length, coreUs: coreUs(invite), transactionUs: cpuUs })
}
await media.close()
await echo.close()

const BOUND = 3
/** @param {number} size */
const perByte = (size) => {
  const { bytes, coreUs: core } = rows[SIZES.indexOf(size)] ?? { bytes: 0, coreUs: Number.NaN }
  return core / bytes
}
const ratio = perByte(60_000) / perByte(1000)
if (process.argv.includes('--json')) console.log(JSON.stringify({ rows, ratio, bound: BOUND }, null, 2))
else {
  for (const { bytes, coreUs: core, transactionUs } of rows)
    console.log(
      `${String(bytes).padStart(6)} bytes  core ${core.toFixed(2).padStart(6)} us  whole ${transactionUs.toFixed(1).padStart(6)} us`,
    )
  console.log(`a byte of 60 kB against a byte of 1 kB: ${ratio.toFixed(2)} x (at most ${BOUND})`)
}
if (!(ratio <= BOUND)) process.exitCode = 1
