// One unit of `cores.js`: an echo and a client in one thread, 64 offers at a time. Told to go, it says how many it did.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isMainThread, parentPort } from 'node:worker_threads'
import { RtpProxyNg } from 'rtpproxy-ng'
import { inviteOf, offers } from './traffic.js'

const invite = inviteOf(`unit-${process.pid}@192.0.2.7`, 1300)
const sdp = invite.subarray(invite.indexOf('\r\n\r\n') + 4)
const answer = Buffer.concat([Buffer.from(`d3:sdp${sdp.length}:`), sdp, Buffer.from('6:result2:oke')])
const pong = Buffer.from('d6:result4:ponge')

const echo = createSocket('udp4')
echo.on('message', (request, { port, address }) => {
  const cookie = request.subarray(0, request.indexOf(0x20) + 1)
  echo.send(Buffer.concat([cookie, request.length < 60 ? pong : answer]), port, address)
})
echo.bind(0, '127.0.0.1')
await once(echo, 'listening')
const media = new RtpProxyNg({ sockets: `udp:127.0.0.1:${echo.address().port}` })
await media.start()
await offers(media, invite, 64, 1)

/** @param {unknown} message */
const tell = (message) => (isMainThread ? process.send?.(message) : parentPort?.postMessage(message))
/** @param {number} seconds */
async function go(seconds) {
  tell(await offers(media, invite, 64, seconds))
  await media.close()
  echo.close()
  if (isMainThread) process.disconnect()
  else parentPort?.close()
}
if (isMainThread) process.once('message', (seconds) => void go(Number(seconds)))
else parentPort?.once('message', (seconds) => void go(Number(seconds)))
tell('ready')
