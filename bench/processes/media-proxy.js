import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

// A media proxy that answers at once: the cookie comes back before a reply that is always the same, or before a pong.

const SPACE = 32
const pong = Buffer.from('d6:result4:ponge')
/** Longest request that can be a ping. */
const PING = 100

/**
 * What answers the request at [start, end).
 *
 * @param {Buffer} reply
 * @param {Buffer} bytes
 * @param {number} start
 * @param {number} end
 */
function answer(reply, bytes, start, end) {
  const head = bytes.indexOf(SPACE, start) + 1 - start
  const body = end - start < PING ? pong : reply
  const datagram = Buffer.allocUnsafe(head + body.length)
  bytes.copy(datagram, 0, start, start + head)
  body.copy(datagram, head)
  return datagram
}

/**
 * Where the request at `start` ends; 0 if not all of it is there.
 *
 * @param {Buffer} bytes
 * @param {number} start
 */
function frameEnd(bytes, start) {
  let at = bytes.indexOf(SPACE, start) + 1
  if (at === 0) return 0
  let depth = 0
  while (at < bytes.length) {
    const first = /** @type {number} */ (bytes[at])
    if (first === 0x64 || first === 0x6c) {
      depth++
      at++
    } else if (first === 0x65) {
      at++
      if (--depth === 0) return at
    } else if (first === 0x69) at = bytes.indexOf(0x65, at) + 1 || bytes.length
    else {
      let length = 0
      for (; bytes[at] !== 58 && at < bytes.length; at++)
        length = length * 10 + /** @type {number} */ (bytes[at]) - 48
      at += length + 1
    }
  }
  return 0
}

/** @typedef {{port: number, close(): unknown}} MediaProxy */

/** @type {Record<'udp' | 'tcp', (reply: Buffer) => Promise<MediaProxy>>} */
export const serve = {
  async udp(reply) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
    socket.on('message', (request, peer) => {
      const end = frameEnd(request, 0)
      if (end === request.length) socket.send(answer(reply, request, 0, end), peer.port, peer.address)
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return { port: socket.address().port, close: () => socket.close() }
  },

  /** Requests back to back on a connection, the replies to those of one read in one write. */
  async tcp(reply) {
    const server = createServer({ noDelay: true }, (socket) => {
      let waiting = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
        const replies = []
        let at = 0
        for (let end = frameEnd(bytes, 0); end > 0; end = frameEnd(bytes, end)) {
          replies.push(answer(reply, bytes, at, end))
          at = end
        }
        waiting = bytes.subarray(at)
        if (replies.length > 0) socket.write(Buffer.concat(replies))
      })
      socket.on('error', () => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    return { port, close: () => server.close() }
  },
}
