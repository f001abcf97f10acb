import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below those that systems give to whoever asks for any port (from 32,768 on Linux), and those of the media. One of the former could
 * be taken again a moment later, even by the very client that is to find nobody there: it would talk to itself.
 */
const FIRST = 8000
const COUNT = 4000
let next = Math.floor(Math.random() * COUNT)

async function opens(socket: NodeJS.EventEmitter & { close(done: () => void): unknown }): Promise<boolean> {
  try {
    await once(socket, 'listening')
  } catch {
    return false
  }
  await new Promise<void>((resolve) => socket.close(resolve))
  return true
}

/** A port on which nothing listens, neither UDP nor TCP, and which nobody gets by chance. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + (next++ % COUNT)
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const overUdp = opens(socket)
    socket.bind(port, address)
    if ((await overUdp) && (await opens(createServer().listen(port, address)))) return port
  }
  throw new Error(`no port of ${address} is free`)
}
