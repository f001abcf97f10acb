import type { Socket } from 'node:net'
import type { HostAddress } from '../options.ts'
import { scanBencode } from './bencode-scan.ts'
import type { Listener, Receiver } from './message.ts'
import { StreamServer } from './stream-server.ts'

/** How much of a message may wait for its end: rtpengine closes the connection when there is more. */
const MAX_WAITING = 1024
/** The end may come this much later, in milliseconds: what is written at once does not always arrive at once. */
const GRACE_MS = 5
/** How much may come in that time. */
const MAX_MESSAGE = 2 * 1024 * 1024
/** Replies that a client does not read. */
const MAX_UNREAD = 8 * 1024 * 1024

export async function listenTcp(
  { family, host, port }: HostAddress,
  receiver: Receiver,
  onFailure: (error: unknown) => void,
): Promise<Listener> {
  const server = await StreamServer.listen(
    { host, port },
    (connection) => converse(connection, receiver),
    onFailure,
  )
  return {
    url: family === 6 ? `tcp6:[${host}]:${server.port}` : `tcp:${host}:${server.port}`,
    port: server.port,
    broadcast: (bytes) => {
      for (const connection of server.connections) write(connection, bytes)
    },
    close: () => server.close(),
  }
}

/** `COOKIE SP DICTIONARY` back to back, either way. Bencode alone: JSON does not say where it ends, so it waits for ever. */
function converse(connection: Socket, receiver: Receiver): void {
  let waiting: Buffer[] = []
  let isDue = false
  let guard: NodeJS.Timeout | undefined
  const take = (): void => {
    isDue = false
    if (connection.destroyed) return
    const bytes = Buffer.concat(waiting)
    let start = 0
    for (let end = messageEnd(bytes, start); end !== undefined; end = messageEnd(bytes, start)) {
      const reply = (answer: Buffer): void => write(connection, answer)
      receiver.receive({ carrier: 'tcp', bytes: bytes.subarray(start, end), isPlain: false, reply })
      start = end
    }
    // A copy, so that a few bytes do not keep the whole alive.
    waiting = [Buffer.from(bytes.subarray(start))]
    const length = bytes.length - start
    if (length > MAX_MESSAGE) connection.destroy()
    else if (length > MAX_WAITING) guard = setTimeout(() => connection.destroy(), GRACE_MS)
  }
  connection.on('data', (chunk) => {
    clearTimeout(guard)
    waiting.push(chunk)
    // All that is there is read before it is looked at.
    if (!isDue) setImmediate(take)
    isDue = true
  })
  connection.on('end', () => connection.end())
  connection.on('close', () => clearTimeout(guard))
}

function messageEnd(bytes: Buffer, start: number): number | undefined {
  const space = bytes.indexOf(0x20, start)
  const scan = space > start ? scanBencode(bytes, space + 1) : undefined
  return scan?.missing === 0 ? scan.end : undefined
}

function write(connection: Socket, bytes: Buffer): void {
  if (!connection.writable) return
  if (connection.writableLength > MAX_UNREAD) connection.destroy()
  else connection.write(bytes)
}
