/**
 * Calls shared between SIP proxies through Redis or Valkey.
 *
 * @module rtpproxy-ng/redis
 */

import { createHash } from 'node:crypto'
import type { createClient } from 'redis'
import { optionError } from '../errors.ts'
import type { CallStore } from '../nodes/affinity/store.ts'

type Client = ReturnType<typeof createClient>

export interface RedisCallStoreOptions {
  /** `redis://` or `rediss://` URL, with user, password and database if need be. Default `redis://127.0.0.1:6379`. */
  readonly url?: string | undefined
  /**
   * A node-redis client of your own instead, connected or not; it is not closed with the store. It should have
   * `disableOfflineQueue`, or what is asked of it while Redis is away piles up in it.
   */
  readonly client?: Client | undefined
  /** What all keys and the channel begin with: SIP proxies that share calls have the same. Default `rtpproxy-ng:`. */
  readonly prefix?: string | undefined
}

/** A Call-ID may be as long as a SIP message: what is longer than this goes into the key as its hash. */
const LONGEST_KEY = 256
/** How many commands may wait in the client: more than `SharedCalls` ever has open. */
const MAX_QUEUE = 4096
/** How long the start waits for Redis; calls can do without it. */
const FIRST_CONNECTION_MS = 1000
/** Waits between attempts to connect. */
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2000

/**
 * Shares which node has which call, and which nodes are out of order, between SIP proxies through Redis or Valkey.
 *
 * - `PREFIXcall:CALL-ID`: a hash, via-branch to URL of the node, which expires
 * - `PREFIXdown:URL`: there while the node is out of order
 * - `PREFIXnodes`: the channel on which changes are told, as `MS URL`
 *
 * Resolves when it is connected, or after a second all the same: it goes on trying.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` when the package `redis` is not installed.
 */
export async function redisCallStore(options: RedisCallStoreOptions = {}): Promise<CallStore> {
  const { url, prefix = 'rtpproxy-ng:' } = options
  const client = options.client ?? (await newClient(url))
  const store = new RedisCallStore(client, prefix, options.client === undefined)
  await store.connected(FIRST_CONNECTION_MS)
  return store
}

async function newClient(url: string | undefined): Promise<Client> {
  let redis: typeof import('redis')
  try {
    redis = await import('redis')
  } catch (cause) {
    const why = 'rtpproxy-ng/redis needs the package redis: npm install redis'
    throw optionError('redis', `${why} (${(cause as Error).message})`)
  }
  return redis.createClient({
    ...(url !== undefined && { url }),
    // What cannot be sent now fails now: calls go on without the store.
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUE,
    socket: {
      connectTimeout: 5000,
      reconnectStrategy: (tries) =>
        Math.min(FIRST_RETRY_MS * 2 ** Math.min(tries, 10), LONGEST_RETRY_MS) * (0.5 + Math.random() / 2),
    },
  }) as Client
}

class RedisCallStore implements CallStore {
  readonly #client: Client
  readonly #subscriber: Client
  readonly #prefix: string
  readonly #isOurs: boolean
  readonly #connecting: Promise<void>
  #available: ((available: boolean, reason?: unknown) => void) | undefined

  constructor(client: Client, prefix: string, isOurs: boolean) {
    this.#client = client
    this.#prefix = prefix
    this.#isOurs = isOurs
    // A connection that subscribes can do nothing else.
    this.#subscriber = client.duplicate()
    client.on('ready', this.#ready)
    client.on('error', this.#failed)
    // It reconnects by itself; that Redis is away the other connection tells.
    this.#subscriber.on('error', () => undefined)
    this.#connecting = client.isOpen
      ? Promise.resolve()
      : client.connect().then(() => undefined, this.#failed)
  }

  /** Waits for the first connection, for so long at most. */
  async connected(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs)
    })
    await Promise.race([this.#connecting, limit])
    clearTimeout(timer)
  }

  readonly #ready = (): void => this.#available?.(true)
  readonly #failed = (reason: unknown): void => this.#available?.(false, reason)

  async find(callId: string, lifetimeMs: number): Promise<ReadonlyMap<string, string>> {
    const key = this.#callKey(callId)
    const [branches] = (await this.#client
      .multi()
      .hGetAll(key)
      .pExpire(key, lifetimeMs)
      .execAsPipeline()) as unknown as [Record<string, string>]
    return new Map(Object.entries(branches))
  }

  async keep(callId: string, viaBranch: string, node: string, lifetimeMs: number): Promise<void> {
    const key = this.#callKey(callId)
    await this.#client.multi().hSet(key, viaBranch, node).pExpire(key, lifetimeMs).execAsPipeline()
  }

  async forget(callId: string, viaBranch: string | undefined): Promise<void> {
    const key = this.#callKey(callId)
    if (viaBranch === undefined) await this.#client.del(key)
    else await this.#client.hDel(key, viaBranch)
  }

  async report(node: string, downForMs: number): Promise<void> {
    const key = `${this.#prefix}down:${node}`
    const change = this.#client.multi()
    if (downForMs > 0) change.set(key, '1', { PX: downForMs })
    else change.del(key)
    await change.publish(`${this.#prefix}nodes`, `${downForMs} ${node}`).execAsPipeline()
  }

  async watch(listener: (node: string, downForMs: number) => void): Promise<void> {
    if (!this.#subscriber.isOpen) await this.#subscriber.connect()
    await this.#subscriber.subscribe(`${this.#prefix}nodes`, (message) => {
      const [, ms, node] = /^(\d{1,10}) (.+)$/s.exec(message) ?? []
      if (node !== undefined) listener(node, Number(ms))
    })
    // After subscribing, so that nothing that changes meanwhile is missed.
    const start = `${this.#prefix}down:`
    for await (const keys of this.#client.scanIterator({ MATCH: `${escaped(start)}*` })) {
      for (const key of keys) {
        const ms = await this.#client.pTTL(key)
        if (ms > 0) listener(key.slice(start.length), ms)
      }
    }
  }

  onAvailable(listener: (available: boolean, reason?: unknown) => void): void {
    this.#available = listener
  }

  async close(): Promise<void> {
    this.#available = undefined
    this.#client.off('ready', this.#ready)
    if (this.#subscriber.isOpen) this.#subscriber.destroy()
    if (!this.#isOurs) {
      this.#client.off('error', this.#failed)
      return
    }
    if (this.#client.isReady) await this.#client.close()
    else if (this.#client.isOpen) this.#client.destroy()
  }

  #callKey(callId: string): string {
    const name =
      callId.length > LONGEST_KEY ? createHash('sha256').update(callId).digest('base64url') : callId
    return `${this.#prefix}call:${name}`
  }
}

/** A prefix is no pattern (`SCAN`, glob style). */
function escaped(prefix: string): string {
  return prefix.replace(/[\\*?[\]]/g, '\\$&')
}
