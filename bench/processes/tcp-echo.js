import { createServer } from 'node:net'
import { answer, frameEnd } from './media-proxy.js'

// The same over TCP: requests back to back on a connection, the replies to those of one read in one write.

const server = createServer({ noDelay: true }, (socket) => {
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
    const replies = []
    let at = 0
    for (let end = frameEnd(bytes, 0); end > 0; end = frameEnd(bytes, end)) {
      replies.push(answer(bytes, at, end))
      at = end
    }
    waiting = bytes.subarray(at)
    if (replies.length > 0)
      socket.write(replies.length === 1 ? /** @type {Buffer} */ (replies[0]) : Buffer.concat(replies))
  })
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.(address?.port)
})
process.on('disconnect', () => process.exit())
