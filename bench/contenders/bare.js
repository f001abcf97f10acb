import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { underLoad } from '../load.js'

// What Node itself can do, with nothing around it: the same bytes out, the same bytes back, nothing read, no promise, no
// timer. Nobody can be faster on the same sockets.

/**
 * A connected UDP socket.
 *
 * @param {number} port
 * @param {number} open
 * @param {Buffer} request
 */
export async function bareDatagrams(port, open, request) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let done = () => {}
  socket.on('message', () => done())
  return {
    sample: underLoad(open, (next) => {
      done = next
      socket.send(request)
    }),
    close: () => socket.close(),
  }
}

/**
 * One TCP connection, what is ready to go in one write.
 *
 * @param {number} port
 * @param {number} open
 * @param {Buffer} request
 * @param {number} replyLength
 */
export async function bareStream(port, open, request, replyLength) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const requests = Buffer.concat(new Array(open).fill(request))
  let received = 0
  let ready = 0
  let done = () => {}
  const flush = () => {
    socket.write(requests.subarray(0, ready * request.length))
    ready = 0
  }
  socket.on('data', (bytes) => {
    received += bytes.length
    for (; received >= replyLength; received -= replyLength) done()
  })
  return {
    sample: underLoad(open, (next) => {
      done = next
      if (ready++ === 0) process.nextTick(flush)
    }),
    close: () => socket.destroy(),
  }
}
