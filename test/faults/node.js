// A media proxy for the fault tests, as a process of its own: fork it, and kill, freeze or thaw it. It answers an offer with an SDP
// whose session name is the Call-ID, so that a caller sees whose reply it got; keeps answers by cookie for 30 seconds and counts
// what it executed, as rtpengine does; and floods its clients with forged replies when told to.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const CACHE_MS = 30_000

const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
/** @type {Map<string, {reply: Buffer, until: number}>} */
const answered = new Map()
/** @type {Set<string>} */
const executed = new Set()
const counts = { executions: 0, doubles: 0, repeats: 0 }
/** @type {import('node:dgram').RemoteInfo | undefined} */
let client

socket.on('message', (request, peer) => {
  client = peer
  const space = request.indexOf(0x20)
  const cookie = request.toString('latin1', 0, space)
  const known = answered.get(cookie)
  if (known !== undefined && known.until > Date.now()) {
    counts.repeats++
    socket.send(known.reply, peer.port, peer.address)
    return
  }
  const body = request.toString('latin1', space + 1)
  const reply = Buffer.from(`${cookie} ${answer(body)}`, 'latin1')
  answered.set(cookie, { reply, until: Date.now() + CACHE_MS })
  if (answered.size > 200_000) answered.delete(answered.keys().next().value ?? '')
  socket.send(reply, peer.port, peer.address)
})

/** @param {string} body */
function answer(body) {
  if (body.includes('7:command4:ping')) return 'd6:result4:ponge'
  const key = /7:call-id(\d+):/.exec(body)
  const at = key === null ? 0 : key.index + key[0].length
  const callId = body.slice(at, at + Number(key?.[1] ?? 0))
  counts.executions++
  if (executed.has(`${callId} ${body.slice(-20)}`)) counts.doubles++
  executed.add(`${callId} ${body.slice(-20)}`)
  if (!body.startsWith('d3:sdp')) return 'd6:result2:oke'
  const sdp = `v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=${callId}\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n`
  return `d3:sdp${sdp.length}:${sdp}6:result2:oke`
}

const FORGED = Buffer.from('d3:sdp4:evil6:result2:oke')

/**
 * Sends forged replies from this node's own address: cookies of another prefix, of none, cut short, and ones that were good a while ago.
 *
 * @param {number} count
 */
async function flood(count) {
  const old = [...answered.keys()].slice(-64)
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < 100 && sent < count && client !== undefined; i++, sent++) {
      const guess = (sent * 2654435761) % 2 ** 32
      const cookies = [
        `AAAAAAAAAAAAAAAA_${guess.toString(16).padStart(8, '0')}`,
        `${guess}_${sent}`,
        (old[sent % old.length] ?? 'x').slice(0, 20),
        old[sent % old.length] ?? 'x',
      ]
      socket.send(Buffer.concat([Buffer.from(`${cookies[sent % 4]} `), FORGED]), client.port, client.address)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

process.on('message', async (/** @type {{counts?: true, flood?: number}} */ message) => {
  if (message.flood !== undefined) await flood(message.flood)
  process.send?.({ ...counts })
})
socket.bind(Number(process.argv[2] ?? 0), '127.0.0.1')
await once(socket, 'listening')
process.send?.({ port: socket.address().port })
