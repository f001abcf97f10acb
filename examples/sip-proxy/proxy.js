// A small SIP proxy over UDP with a media proxy in every call. It keeps no state of its own: requests go to the host of
// their Request-URI (or the topmost Route behind our own), replies go back by Via (RFC 3261, 16.6 and 16.7), and
// everything passes `manage` on the way. It shows where the library belongs in a proxy; it has no registrar, no DNS, no
// authentication and no timers.

import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { RtpProxyNg, RtpProxyNgError, SipMessage } from 'rtpproxy-ng'
import {
  headerValue,
  isHeader,
  joinHeaders,
  removeTopVia,
  setMaxForwards,
  splitComma,
  splitHeaders,
  stampVia,
  uriTarget,
  viaTarget,
} from './headers.js'

/** @typedef {import('./headers.js').Headers} Headers */

/**
 * @typedef {object} SipProxyOptions
 * @property {string | string[]} sockets media proxies, as RtpProxyNg takes them
 * @property {string} [host] address to listen on and to announce; default 127.0.0.1
 * @property {number} [port] default: any free one
 * @property {string} [flags] flags of `manage`; default `co`: replace origin and session connection
 * @property {{host: string, port: number} | undefined} [next] where requests go whose Request-URI does not say it; default: by the URI
 * @property {Omit<import('rtpproxy-ng').RtpProxyNgOptions, 'sockets'>} [media] further options of RtpProxyNg; with `tokenKey`
 *   the Record-Route names the call's media proxy, so that any proxy with the key finds it again
 * @property {(event: ProxyEvent) => void} [observe] told of everything that passes, for a trace
 */

/**
 * @typedef {{kind: 'in' | 'out', bytes: Buffer, peer: {address: string, port: number}}
 *   | {kind: 'media', command: 'offer' | 'answer' | 'delete', node: string, before: Buffer, after: Buffer}} ProxyEvent
 */

export class SipProxy {
  /** @param {SipProxyOptions} options */
  constructor({ sockets, host = '127.0.0.1', port = 0, flags = 'co', next, media, observe }) {
    this.media = new RtpProxyNg({ ...media, sockets })
    this.host = host
    this.port = port
    this.flags = flags
    this.next = next
    this.observe = observe
    this.counters = { forwarded: 0, rejected: 0, dropped: 0, mediaFailures: 0 }
    this.socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
    this.socket.on('message', (bytes, peer) => {
      this.observe?.({ kind: 'in', bytes, peer })
      this.receive(bytes, peer).catch(() => {
        this.counters.dropped++
      })
    })
    // A peer that is gone shows as an error of some earlier send; a proxy has nothing to do about it.
    this.socket.on('error', () => undefined)
  }

  async start() {
    this.socket.bind(this.port, this.host)
    await once(this.socket, 'listening')
    this.port = this.socket.address().port
    await this.media.start()
  }

  async close() {
    await new Promise((resolve) => this.socket.close(() => resolve(undefined)))
    await this.media.close()
  }

  get hostPort() {
    return `${isIP(this.host) === 6 ? `[${this.host}]` : this.host}:${this.port}`
  }

  /**
   * @param {Buffer} bytes
   * @param {{address: string, port: number}} peer
   */
  async receive(bytes, peer) {
    if (/^[\r\n\0]*$/.test(bytes.toString('latin1'))) return // a keep-alive (RFC 5626, 3.5.1)
    const message = SipMessage.parse(bytes, peer)
    if (message.isRequest) await this.request(message, peer)
    else await this.reply(message)
  }

  /**
   * @param {SipMessage} message
   * @param {{address: string, port: number}} peer
   */
  async request(message, peer) {
    const hops = Number(message.header('Max-Forwards') ?? 70)
    if (hops === 0) return this.reject(message, peer, '483 Too Many Hops')
    let out
    let token
    try {
      ;({ message: out, token } = await this.throughMedia(message, message.header('Route')))
    } catch (error) {
      this.counters.mediaFailures++
      // A call without media is worse than none; anything else may well pass without a media proxy.
      if (message.cseqMethod === 'INVITE') return this.reject(message, peer, failureStatus(error))
      out = message.buffer
    }
    const headers = splitHeaders(out)
    const target = this.route(headers, message)
    if (target === undefined) return this.reject(message, peer, '404 Not Found')
    stampVia(headers, peer)
    headers.lines.splice(1, 0, `Via: SIP/2.0/UDP ${this.hostPort};branch=${branchOf(message, this.hostPort)}`)
    if (message.method === 'INVITE') {
      // The user part, since parameters of a URI are compared without regard to case (RFC 3261, 19.1.4).
      const user = token === undefined ? '' : `${token}@`
      headers.lines.splice(2, 0, `Record-Route: <sip:${user}${this.hostPort};lr>`)
    }
    setMaxForwards(headers, hops - 1)
    this.leaving(headers, message)
    this.send(joinHeaders(headers), target)
  }

  /**
   * What the library is for: one call for every message, and what comes back is what to send on.
   *
   * @param {SipMessage} message
   * @param {string | undefined} routes where our own URI may stand, with the token we put there
   */
  async throughMedia(message, routes) {
    const token = this.tokenIn(routes)
    const result = await this.media.manage(message, { flags: this.flags, token })
    if (result.command !== null) {
      const { command, node, message: after } = result
      this.observe?.({ kind: 'media', command, node, before: message.buffer, after })
    }
    return { message: result.message, token: 'token' in result ? result.token : token }
  }

  /** @param {string | undefined} routes */
  tokenIn(routes) {
    if (routes === undefined) return undefined
    const own = splitComma(routes).find((route) => route.includes(`@${this.hostPort}`))
    return own === undefined ? undefined : /sip:([^@>]+)@/i.exec(own)?.[1]
  }

  /** @param {SipMessage} message */
  async reply(message) {
    if (message.statusCode === 100) return // hop by hop (RFC 3261, 16.7)
    let out = message.buffer
    try {
      ;({ message: out } = await this.throughMedia(message, message.header('Record-Route')))
    } catch {
      this.counters.mediaFailures++
    }
    const headers = splitHeaders(out)
    removeTopVia(headers)
    this.leaving(headers, message)
    const via = headers.lines.find((line) => isHeader(line, 'via', 'v'))
    const target = via === undefined ? undefined : viaTarget(via)
    if (target === undefined) this.counters.dropped++
    else this.send(joinHeaders(headers), target)
  }

  /**
   * Called with everything that is about to be sent on, for those who build on this class.
   *
   * @param {Headers} _headers as they will leave
   * @param {SipMessage} _message as it came
   */
  leaving(_headers, _message) {}

  /**
   * Takes our own Route off and says where the request goes.
   *
   * @param {Headers} headers
   * @param {SipMessage} message
   */
  route(headers, message) {
    const own = headers.lines.findIndex((line) => isHeader(line, 'route'))
    if (own >= 0) {
      const [first = '', ...rest] = splitComma(headerValue(headers, own))
      if (first.includes(this.hostPort)) {
        if (rest.length > 0) headers.lines[own] = `Route: ${rest.join(', ')}`
        else headers.lines.splice(own, 1)
      }
    }
    const route = headers.lines.find((line) => isHeader(line, 'route'))
    if (route !== undefined) return uriTarget(route)
    const target = uriTarget(message.requestUri ?? '')
    // A request for an address of ours, as a phone sends it before it knows its peer, goes to the configured next hop.
    const isOurs = target?.host === this.host && target.port === this.port
    return (isOurs || target === undefined) && this.next !== undefined
      ? this.next
      : isOurs
        ? undefined
        : target
  }

  /**
   * @param {SipMessage} message
   * @param {{address: string, port: number}} peer
   * @param {string} status
   */
  reject(message, peer, status) {
    if (message.method === 'ACK') return // never answered (RFC 3261, 17)
    this.counters.rejected++
    const copied = splitHeaders(message.buffer).lines.filter((line) =>
      isHeader(line, 'via', 'v', 'from', 'f', 'call-id', 'i', 'cseq'),
    )
    const to =
      message.toTag === undefined ? `${message.to};tag=${branchOf(message, 'reject').slice(-8)}` : message.to
    const lines = [`SIP/2.0 ${status}`, ...copied, `To: ${to}`, 'Content-Length: 0', '', '']
    this.send(Buffer.from(lines.join('\r\n'), 'latin1'), { host: peer.address, port: peer.port }, true)
  }

  /**
   * @param {Buffer} bytes
   * @param {{host: string, port: number}} target
   */
  send(bytes, target, isOwn = false) {
    if (!isOwn) this.counters.forwarded++
    this.observe?.({ kind: 'out', bytes, peer: { address: target.host, port: target.port } })
    this.socket.send(bytes, target.port, target.host)
  }
}

/** @param {unknown} error */
function failureStatus(error) {
  if (error instanceof RtpProxyNgError && error.code === 'ERR_RTPPROXY_LOAD_LIMIT')
    return '503 Service Unavailable'
  if (error instanceof RtpProxyNgError && error.code === 'ERR_RTPPROXY_NG') return '488 Not Acceptable Here'
  return '500 Media Proxy Unavailable'
}

/**
 * The same for every retransmission of a request, and another for every transaction (RFC 3261, 16.11).
 *
 * @param {SipMessage} message
 * @param {string} salt
 */
function branchOf(message, salt) {
  // A CANCEL, and the ACK of a failure, belong to their INVITE and share its branch.
  const method =
    message.cseqMethod === 'CANCEL' || message.cseqMethod === 'ACK' ? 'INVITE' : message.cseqMethod
  const key = [salt, message.viaBranch(1), message.callId, message.fromTag, message.cseq, method].join(' ')
  return `z9hG4bK${createHash('sha256').update(key).digest('hex').slice(0, 24)}`
}
