// What the scale measurements share: an echo in a thread, INVITEs of any size, and a count of CPU time.
import { Worker } from 'node:worker_threads'
import { SipMessage } from 'rtpproxy-ng'

const source = { address: '192.0.2.7', port: 5060 }

/** @returns {Promise<{url: string, close: () => Promise<unknown>}>} */
export async function startEcho() {
  const thread = new Worker(new URL('./echo.js', import.meta.url))
  const port = await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
  return { url: `udp:127.0.0.1:${port}`, close: () => thread.terminate() }
}

/**
 * An INVITE of about `size` bytes, grown by attribute lines.
 *
 * @param {string} callId
 * @param {number} size
 */
export function inviteOf(callId, size) {
  const head = `INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: ${callId}\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n`
  let sdp =
    'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n'
  for (let i = 0; head.length + sdp.length + 60 < size; i++)
    sdp += `a=candidate:${i} 1 udp 2130706431 192.0.2.7 ${10000 + i} typ host\r\n`
  return Buffer.from(`${head}Content-Length: ${sdp.length}\r\n\r\n${sdp}`)
}

/**
 * Runs offers of `invite` for about `seconds`, `open` at a time; gives microseconds of CPU (of both threads) for each and how many
 * there were in a second.
 *
 * @param {import('rtpproxy-ng').RtpProxyNg} media
 * @param {Buffer} invite
 * @param {number} open
 * @param {number} seconds
 */
export async function offers(media, invite, open, seconds) {
  let count = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  const end = started + seconds * 1000
  await Promise.all(
    Array.from({ length: open }, async () => {
      while (performance.now() < end) {
        await media.offer(SipMessage.parse(invite, source), { flags: 'co' })
        count++
      }
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  return { cpuUs: (user + system) / count, perSecond: (count * 1000) / (performance.now() - started) }
}

/** @param {number[]} numbers */
export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}
