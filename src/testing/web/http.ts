import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { listenError } from '../../relay/control/listener.ts'
import type { Listener } from '../../relay/control/message.ts'
import { cookieOf, type Receiver } from '../../relay/control/message.ts'
import type { WebAddress } from './address.ts'
import { acceptWebSockets } from './websocket.ts'

const NG_TYPE = 'application/x-rtpengine-ng'
const PLAIN_TYPES: readonly string[] = [NG_TYPE, 'application/json']
const MAX_BODY = 1 << 20
const MAX_CONNECTIONS = 256

/** HTTP, and for an address of `ws:` WebSocket at the same port. */
export async function listenWeb(address: WebAddress, receiver: Receiver): Promise<Listener> {
  const { carrier, family, host } = address
  const server = createServer((request, response) => void answer(request, response, receiver))
  server.maxConnections = MAX_CONNECTIONS
  const sockets = carrier === 'websocket' ? await acceptWebSockets(server, receiver) : undefined
  const connections = new Set<Socket>()
  server.on('connection', (connection) => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(`${host}:${address.port}`, error)))
    server.listen(address.port, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const where = `${family === 6 ? `[${host}]` : host}:${port}`
  return {
    url: carrier === 'websocket' ? `ws://${where}` : `http://${where}/ng`,
    port,
    close: async () => {
      sockets?.close()
      for (const connection of connections) connection.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, receiver: Receiver): Promise<void> {
  const { method, headers, url = '' } = request
  // rtpengine hangs up on chunks, and on methods beside these.
  if (headers['transfer-encoding'] !== undefined || !/^(GET|POST|OPTIONS)$/.test(method ?? '')) {
    request.destroy()
    return
  }
  const [path] = url.split('?')
  const type = headers['content-type']?.toLowerCase() ?? ''
  const isPlain = path === '/ng-plain' && PLAIN_TYPES.includes(type)
  if (method === 'GET' && path === '/ping') respond(response, 200, 'text/plain', Buffer.from('pong\n'))
  else if (method === 'POST' && (isPlain || (path === '/ng' && type === NG_TYPE))) {
    const bytes = await bodyOf(request)
    if (bytes === undefined) request.destroy()
    else if (!isPlain && cookieOf(bytes) === undefined) {
      respond(response, 600, 'text/plain', Buffer.from('error\n'))
    } else {
      const reply = (body: Buffer): void => respond(response, 200, type, body)
      receiver.receive({ carrier: 'http', bytes, isPlain, reply })
    }
  } else respond(response, 404, 'text/plain', Buffer.from('not found\n'))
}

/** Undefined if it is too large, or breaks off. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > MAX_BODY) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}

function respond(response: ServerResponse, status: number, type: string, body: Buffer): void {
  if (response.writableEnded || response.destroyed) return
  response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body)
}
