// A media proxy in a thread of its own that answers at once: every offer and answer with the SDP that came. Requests whose
// Call-ID begins with `held-` get no answer.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'

const PONG = Buffer.from('d6:result4:ponge')
const OK = Buffer.from('d6:result2:oke')
const SDP_KEY = Buffer.from('d3:sdp')
const RESULT = Buffer.from('6:result2:oke')

const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
socket.on('message', (request, { port, address }) => {
  if (request.includes(':held-')) return
  const space = request.indexOf(0x20)
  const cookie = request.subarray(0, space + 1)
  let reply = request.includes('7:command4:ping') ? PONG : OK
  if (request.indexOf(SDP_KEY) === space + 1) {
    const colon = request.indexOf(0x3a, space + 7)
    const end = colon + 1 + Number(request.toString('latin1', space + 7, colon))
    reply = Buffer.concat([request.subarray(space + 1, end), RESULT])
  }
  socket.send(Buffer.concat([cookie, reply]), port, address)
})
socket.bind(0, '127.0.0.1')
await once(socket, 'listening')
parentPort?.postMessage(socket.address().port)
