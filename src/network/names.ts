import type { Resolver } from 'node:dns/promises'
import { optionError } from '../errors.ts'
import { dns } from '../protocol/builtins.ts'
import { isIP } from '../protocol/ip.ts'

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly host: string
  readonly port: number
  /** Lower ones are used first. */
  readonly priority: number
  /** Share among the records of its priority. */
  readonly weight: number
}

/** Answers what a name stands for. Rejects when it stands for nothing, or when that cannot be found out. */
export interface NameResolver {
  /** Numeric addresses of a host, the preferred one first. */
  addresses(host: string, family: 4 | 6): Promise<readonly string[]>
  /** SRV records of a name like `_ng._udp.example.com`, in any order. */
  services(name: string): Promise<readonly ServiceRecord[]>
}

/**
 * The system's own answers: for addresses as every program here gets them (getaddrinfo, so /etc/hosts counts), for
 * services from `dns`, since getaddrinfo has none.
 */
export function systemResolver(source?: Pick<Resolver, 'resolveSrv'>): NameResolver {
  return {
    async addresses(host, family) {
      const answers = await dns().lookup(host, { all: true, family, order: 'verbatim' })
      return answers.map(({ address }) => address)
    },
    async services(name) {
      const records = await (source ?? dns()).resolveSrv(name)
      return records.map(({ name: host, port, priority, weight }) => ({ host, port, priority, weight }))
    },
  }
}

function lookupError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/**
 * Asks `source` one question for a name at a time, however many wait for the answer, and waits `timeoutMs` for it. An IP
 * address stands for itself and is asked of nobody.
 */
export class BoundedResolver implements NameResolver {
  readonly #source: NameResolver
  readonly #timeoutMs: number
  // A question that cannot be called back holds a thread of the pool until the system gives up, long after those who asked:
  // it stays here until then, so that a silent name server gets no second one.
  readonly #addresses = new Map<string, Promise<readonly string[]>>()
  readonly #services = new Map<string, Promise<readonly ServiceRecord[]>>()

  constructor(source: NameResolver, timeoutMs = 5000) {
    this.#source = source
    this.#timeoutMs = timeoutMs
  }

  async addresses(host: string, family: 4 | 6): Promise<readonly string[]> {
    const literal = isIP(host)
    if (literal === family) return [host]
    if (literal !== 0) throw lookupError('ENOTFOUND', `${host} is no IPv${family} address`)
    const key = `${family} ${host}`
    return this.#ask(this.#addresses, key, host, () => this.#source.addresses(host, family))
  }

  async services(name: string): Promise<readonly ServiceRecord[]> {
    return this.#ask(this.#services, name, name, () => this.#source.services(name))
  }

  #ask<T>(
    open: Map<string, Promise<readonly T[]>>,
    key: string,
    name: string,
    question: () => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    let answer = open.get(key)
    if (answer === undefined) {
      answer = question().finally(() => open.delete(key))
      open.set(key, answer)
    }
    return this.#wait(answer, name)
  }

  async #wait<T>(answer: Promise<readonly T[]>, name: string): Promise<readonly T[]> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_, reject) => {
      const late = () => reject(lookupError('ETIMEOUT', `no answer for ${name} within ${this.#timeoutMs} ms`))
      // What asks keeps the process alive, not who waits.
      timer = setTimeout(late, this.#timeoutMs).unref()
    })
    try {
      const found = await Promise.race([answer, limit])
      if (found.length === 0) throw lookupError('ENODATA', `there is no answer for ${name}`)
      return found
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What everything in this process asks unless told otherwise. */
export const systemNames: NameResolver = new BoundedResolver(systemResolver())

/**
 * The option `resolver`, with bounds; the system's without one.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION`
 */
export function checkResolver(resolver: NameResolver | undefined): NameResolver {
  if (resolver === undefined) return systemNames
  if (typeof resolver?.addresses !== 'function' || typeof resolver.services !== 'function') {
    const why = 'resolver must have the methods addresses, services'
    throw optionError('resolver', why)
  }
  return new BoundedResolver(resolver)
}
