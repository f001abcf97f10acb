import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net'

const MAX_CONNECTIONS = 256

/** A server that can be closed with all its connections. */
export class StreamServer {
  readonly connections = new Set<Socket>()
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(
    where: ListenOptions,
    connected: (connection: Socket) => void,
    onFailure: (error: unknown) => void,
  ): Promise<StreamServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const streams = new StreamServer(server)
    server.maxConnections = MAX_CONNECTIONS
    server.on('connection', (connection) => {
      streams.connections.add(connection)
      // The client went away; 'close' follows.
      connection.on('error', () => undefined)
      connection.on('close', () => streams.connections.delete(connection))
      connected(connection)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, resolve)
    })
    server.removeAllListeners('error')
    server.on('error', onFailure)
    return streams
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
