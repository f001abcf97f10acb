import type { IncomingMessage, Server } from 'node:http'
import type { WebSocketServer } from 'ws'
import { optionError } from '../../errors.ts'
import type { Receiver } from '../../relay/control/message.ts'

const NG = 'ng.rtpengine.com'
const NG_PLAIN = 'ng-plain.rtpengine.com'
const MAX_MESSAGE = 1 << 20
/** Replies that a client does not read. */
const MAX_UNREAD = 8 * 1024 * 1024

/**
 * Takes NG messages at `server`, one each way in a message.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` when the package `ws` is not installed.
 */
export async function acceptWebSockets(server: Server, receiver: Receiver): Promise<WebSocketServer> {
  const sockets = new (await webSocketServer())({
    server,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find(isNg) ?? false,
    verifyClient: ({ req }: { req: IncomingMessage }) =>
      (req.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/).some(isNg),
  })
  // The server says itself that it cannot listen.
  sockets.on('error', () => undefined)
  sockets.on('connection', (socket) => {
    // What a client breaks ends its connection; 'close' follows.
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      const bytes = data as Buffer
      const reply = (answer: Buffer): void => {
        if (socket.bufferedAmount > MAX_UNREAD) socket.terminate()
        else if (socket.readyState === socket.OPEN) socket.send(answer, { binary: true })
      }
      receiver.receive({ carrier: 'websocket', bytes, isPlain: socket.protocol === NG_PLAIN, reply })
    })
  })
  return sockets
}

function isNg(protocol: string): boolean {
  return protocol === NG || protocol === NG_PLAIN
}

async function webSocketServer(): Promise<typeof WebSocketServer> {
  try {
    return (await import('ws')).WebSocketServer
  } catch (cause) {
    const why = `listening on ws: needs the package ws: npm install ws (${(cause as Error).message})`
    throw optionError('listen', why)
  }
}
