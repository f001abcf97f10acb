import { chmod } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { optionError } from '../../errors.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import { page, script, style } from '../page/files.ts'
import { answer, parseError } from '../rpc/json-rpc.ts'
import { managementMethods } from '../rpc/methods.ts'
import { Guard } from './guard.ts'
import { Monitor } from './monitor.ts'
import { type CheckedManagement, checkManagement, type ManagementOptions } from './options.ts'
import { removeStaleSocket } from './stale-socket.ts'

/** A management server that listens. */
export interface ManagementServer extends AsyncDisposable {
  /** `http://ADDRESS:PORT`, or `unix:PATH`. */
  readonly url: string
  /** Closes the listener and every connection. The client is left as it is. */
  close(): Promise<void>
}

/** What a page may do: run its own script, and ask this server. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const HEARTBEAT_MS = 15_000
/** Within which a request has to be here whole. */
const REQUEST_MS = 15_000

/**
 * Serves the management of `media`: `POST /rpc` (JSON-RPC 2.0: docs/management.md has the methods), `GET /healthz`, `GET /metrics` if there are
 * any, and the status page at `GET /`, live by `GET /events`.
 *
 * @returns when it listens.
 * @throws ConfigurationError that names the option, or the packages that are not installed. Rejects with the system's error if the place
 * cannot be had.
 */
export async function managementServer(
  media: RtpProxyNg,
  options: ManagementOptions = {},
): Promise<ManagementServer> {
  const checked = checkManagement(options)
  const server = await newServer(checked)
  const monitor = new Monitor(media, checked.sampleMs)
  guard(server, checked)
  serveRpc(server, media)
  serveState(server, media, monitor, checked)
  servePage(server)
  const { place } = checked
  try {
    if (place.path === undefined) await server.listen({ host: place.host, port: place.port })
    else {
      await removeStaleSocket(place.path)
      await server.listen({ path: place.path })
      // Who may connect to it may do all of this.
      await chmod(place.path, 0o600)
    }
  } catch (error) {
    await server.close()
    throw error
  }
  const close = async (): Promise<void> => {
    server.server.closeAllConnections()
    await server.close()
  }
  return { url: urlOf(server, checked), close, [Symbol.asyncDispose]: close }
}

async function newServer({ bodyLimit, requestsPerMinute }: CheckedManagement): Promise<FastifyInstance> {
  const { fastify, fastifyRateLimit } = await packages()
  const server = fastify({
    bodyLimit,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: REQUEST_MS / 3 },
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  })
  await server.register(fastifyRateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    // At a UNIX socket there are no addresses.
    keyGenerator: ({ ip }) => ip ?? 'unix',
  })
  // Who asks for what there is not is counted as well.
  server.setNotFoundHandler({ preHandler: server.rateLimit() }, (_, reply) => {
    reply.code(404).send({ error: 'there is nothing here' })
  })
  return server
}

async function packages() {
  try {
    // Bundlers forgive a package that is not there only where its import alone is awaited.
    const { fastify } = await import('fastify')
    const { fastifyRateLimit } = await import('@fastify/rate-limit')
    return { fastify, fastifyRateLimit }
  } catch (cause) {
    const why = 'rtpproxy-ng/management needs packages: npm install fastify @fastify/rate-limit'
    throw optionError('management', `${why} (${(cause as Error).message})`)
  }
}

function guard(server: FastifyInstance, { token, place }: CheckedManagement): void {
  const door = new Guard(token)
  const isUnix = place.path !== undefined
  server.addHook('onRequest', async (_, reply) => {
    reply.headers({
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
  })
  // Behind the limit on requests, so that nobody tries tokens without end; before the body is read.
  server.addHook('preParsing', async (request, reply) => {
    // The page asks for the token; what it is made of is no secret.
    if (token !== undefined && OPEN.has(request.routeOptions.url ?? '')) return
    const refusal = door.refusal(request.headers, isUnix)
    if (refusal === undefined) return
    if (refusal.status === 401) reply.header('www-authenticate', 'Bearer')
    await reply.code(refusal.status).send({ error: refusal.message })
  })
}

const OPEN: ReadonlySet<string> = new Set(['/', '/page.js', '/page.css', '/healthz'])

function serveRpc(server: FastifyInstance, media: RtpProxyNg): void {
  const methods = managementMethods(media)
  server.removeAllContentTypeParsers()
  // Nothing a browser sends to another site unasked.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => done(null, body))
  server.post('/rpc', async (request, reply) => {
    let body: unknown
    try {
      body = JSON.parse(String(request.body))
    } catch {
      return parseError
    }
    const response = await answer(body, methods)
    return response === undefined ? reply.code(204).send() : response
  })
}

function serveState(
  server: FastifyInstance,
  media: RtpProxyNg,
  monitor: Monitor,
  { metrics }: CheckedManagement,
): void {
  server.get('/healthz', async (_, reply) => {
    const usable = media.show().filter(({ state }) => state === 'up' || state === 'suspect').length
    return reply.code(usable > 0 ? 200 : 503).send({ status: usable > 0 ? 'ok' : 'no media proxy', usable })
  })
  if (metrics !== undefined) {
    server.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
  }
  server.get('/events', (_, reply) => sendEvents(reply, monitor))
}

/**
 * A stream of server-sent events (WHATWG HTML, section 9.2). Comments in between show that it lives, to who reads and to proxies on the
 * way; who has taken nothing from one of them to the next is gone, or might as well be.
 */
function sendEvents(reply: FastifyReply, monitor: Monitor): void {
  const { raw } = reply
  reply.hijack()
  // Who has left already is not heard leaving.
  if (raw.destroyed || raw.socket?.destroyed) return
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value)
  raw.writeHead(200, { 'content-type': 'text/event-stream' })
  let isStalled = false
  const end = monitor.watch((snapshot) => {
    // Who does not keep up is shown the next one.
    if (!raw.writableNeedDrain) raw.write(`data: ${snapshot}\n\n`)
  })
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(':\n\n')
    else if (isStalled) raw.destroy()
    isStalled = raw.writableNeedDrain
  }, HEARTBEAT_MS)
  raw.on('close', () => {
    clearInterval(heartbeat)
    end()
  })
}

function servePage(server: FastifyInstance): void {
  server.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(page))
  server.get('/page.js', (_, reply) => reply.type('text/javascript; charset=utf-8').send(script))
  server.get('/page.css', (_, reply) => reply.type('text/css; charset=utf-8').send(style))
}

function urlOf(server: FastifyInstance, { place }: CheckedManagement): string {
  if (place.path !== undefined) return `unix:${place.path}`
  const { address, port } = server.server.address() as AddressInfo
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
