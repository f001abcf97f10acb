import { createSocket } from 'node:dgram'
import { answer, frameEnd } from './media-proxy.js'

// A media proxy over UDP that answers at once, in a process of its own so that it does not share the client's thread.

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
socket.on('message', (request, peer) => {
  const end = frameEnd(request, 0)
  if (end === request.length) socket.send(answer(request, 0, end), peer.port, peer.address)
})
socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port))
process.on('disconnect', () => process.exit())
