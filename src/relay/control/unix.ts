import type { Socket } from 'node:net'
import { ReplyFrame } from '../../network/framing/reply-frame.ts'
import type { Listener, Receiver } from './message.ts'
import { StreamServer } from './stream-server.ts'

/** How long a connection may take in all. */
const CONNECTION_MS = 5000

export async function listenUnix(
  path: string,
  receiver: Receiver,
  onFailure: (error: unknown) => void,
): Promise<Listener> {
  const server = await StreamServer.listen(
    { path },
    (connection) => converse(connection, receiver),
    onFailure,
  )
  return { url: `unix:${path}`, port: 0, close: () => server.close() }
}

/** One dictionary each way, without a cookie. */
function converse(connection: Socket, receiver: Receiver): void {
  const frame = new ReplyFrame()
  const deadline = setTimeout(() => connection.destroy(), CONNECTION_MS).unref()
  let isAnswered = false
  const answer = (bytes: Buffer): void => {
    if (isAnswered) return
    isAnswered = true
    receiver.receive({ carrier: 'unix', bytes, isPlain: true, reply: (reply) => connection.end(reply) })
  }
  connection.on('data', (chunk) => {
    const payload = frame.push(chunk)
    if (payload !== undefined) answer(payload)
  })
  connection.on('end', () => answer(frame.length === 0 ? Buffer.alloc(0) : frame.bytes()))
  connection.on('close', () => clearTimeout(deadline))
}
