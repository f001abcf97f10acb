import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from './options.ts'

/** Why a request is turned away, and with which status. */
export interface Refusal {
  readonly status: 401 | 403
  readonly message: string
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Decides who is let in. */
export class Guard {
  readonly #token: Buffer | undefined

  constructor(token: string | undefined) {
    this.#token = token === undefined ? undefined : digest(token)
  }

  /**
   * With a token: who sends it. Without: programs on this host, but no page that a browser on this host shows, whether it asks from
   * elsewhere (`Origin`) or under a name that was made to lead here (`Host`).
   */
  refusal({ authorization = '', host, origin }: IncomingHttpHeaders, isUnix: boolean): Refusal | undefined {
    if (this.#token !== undefined) {
      const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? ''
      // Of digests, so that neither the length nor the bytes of the token show in the time it takes.
      if (timingSafeEqual(digest(given), this.#token)) return undefined
      return { status: 401, message: 'the token is missing or wrong' }
    }
    if (origin !== undefined && origin !== `http://${host}`)
      return { status: 403, message: `pages of ${origin} are not answered` }
    if (!isUnix && !isLoopback(nameOf(host ?? '')))
      return { status: 403, message: `${host} is no name of this host` }
    return undefined
  }
}

/** The host of `HOST[:PORT]`. */
function nameOf(host: string): string {
  return (/^\[([^\]]*)\]/.exec(host)?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}
