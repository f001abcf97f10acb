import { createSocket } from 'node:dgram'
import type { HostAddress } from '../options.ts'
import type { Listener, Receiver } from './message.ts'

export async function listenUdp({ family, host, port }: HostAddress, receiver: Receiver): Promise<Listener> {
  const socket = createSocket({ type: `udp${family}`, lookup: (name, _, done) => done(null, name, family) })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, host, resolve)
  })
  let isOpen = true
  socket.removeAllListeners('error')
  // What ICMP says of an earlier reply: its client has gone, or asks again.
  socket.on('error', () => undefined)
  socket.on('message', (bytes, client) => {
    const reply = (answer: Buffer): void => {
      // A client that cannot be reached will not be told, nor one whose reply is too large for a datagram.
      if (isOpen) socket.send(answer, client.port, client.address, () => undefined)
    }
    receiver.receive({ carrier: 'udp', bytes, isPlain: false, reply })
  })
  const bound = socket.address().port
  return {
    url: family === 6 ? `udp6:[${host}]:${bound}` : `udp:${host}:${bound}`,
    port: bound,
    close: () => {
      isOpen = false
      return new Promise<void>((resolve) => socket.close(resolve))
    },
  }
}
