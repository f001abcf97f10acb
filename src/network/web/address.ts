import type { ConnectionOptions } from 'node:tls'
import { ConfigurationError, optionError } from '../../errors.ts'
import { isIPv6 } from '../../protocol/ip.ts'

export interface WebAddress {
  readonly transport: 'websocket' | 'http'
  /** Absolute: `ws://HOST:PORT/PATH`, `wss://`, `http://` or `https://`. */
  readonly url: string
  /** Without cookies: WebSocket subprotocol `ng-plain.rtpengine.com`, HTTP path `/ng-plain`. */
  readonly plain: boolean
}

export interface WebOptions {
  /**
   * Sent with each POST and each WebSocket upgrade, for a proxy in front: `{ authorization: 'Bearer ...' }`. rtpengine 10.5
   * itself refuses long headers.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For `https:` and `wss:`, as for `tls.connect`. Default: the certificate authorities of Node, no client certificate. */
  readonly tls?: WebTlsOptions | undefined
}

export type WebTlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'checkServerIdentity'
  | 'ciphers'
  | 'crl'
  | 'key'
  | 'maxVersion'
  | 'minVersion'
  | 'passphrase'
  | 'pfx'
  | 'rejectUnauthorized'
  | 'secureContext'
  | 'servername'
>

/**
 * Checks the option `web`, so that a header or a certificate that cannot be used shows at once, and not as a node out of order.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` that names what is wrong.
 */
export function checkWebOptions(web: WebOptions | undefined): WebOptions {
  if (web === undefined) return {}
  if (typeof web !== 'object' || web === null) throw optionError('web', 'web must be an object')
  for (const name of Object.keys(web)) {
    if (name !== 'headers' && name !== 'tls')
      throw optionError(`web.${name}`, `there is no web.${name}; there are headers, tls`)
  }
  const { headers = {}, tls = {} } = web
  if (typeof headers !== 'object' || headers === null)
    throw optionError('web.headers', 'web.headers must be an object of strings')
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value)
  if (typeof tls !== 'object' || tls === null)
    throw optionError('web.tls', 'web.tls must be an object of TLS options')
  if (Object.keys(tls).length > 0) {
    try {
      process.getBuiltinModule('node:tls').createSecureContext(tls)
    } catch (cause) {
      throw optionError('web.tls', `web.tls cannot be used: ${(cause as Error).message}`)
    }
  }
  return { headers, tls }
}

function checkHeader(name: string, value: unknown): void {
  const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http')
  try {
    if (typeof value !== 'string') throw new TypeError(`header '${name}' must be a string`)
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (cause) {
    // Never with the value, which may be a secret.
    throw optionError('web.headers', `web.headers cannot be sent: ${(cause as Error).message}`)
  }
}

/** Scheme, host, port with its colon, path. */
const WEB_URL = /^(ws|http)(s?):(?:\/\/)?(\[[^\]]*\]|[^\s/\\:[\]]+)(?::([0-9]{1,5}))?(\/[^\s\\]*)?$/i

function urlError(url: string, why: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_URL', 'rtpproxy_sock', `media proxy '${url}': ${why}`)
}

/**
 * Parses `http:HOST[:PORT][/PATH]`, `https:`, `ws:` or `wss:`, with or without `//` before the host. The port is 80, with TLS 443;
 * the path `/ng` for HTTP and `/` for WebSocket. A path that ends in `/ng-plain` stands for messages without cookies.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_URL`
 */
export function parseWebUrl(url: string): WebAddress {
  if (url.includes('@')) throw urlError(url, 'user and password belong into a header (authorization)')
  if (/[?#]/.test(url)) throw urlError(url, 'a query or fragment cannot be sent')
  const [, kind = '', secure = '', host = '', port, path = '/'] = WEB_URL.exec(url) ?? []
  if (host === '') throw urlError(url, 'the host, port or path is malformed')
  if (host.startsWith('[') && !isIPv6(host.slice(1, -1))) throw urlError(url, `'${host}' is no IPv6 address`)
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    throw urlError(url, `'${port}' is no port`)
  const scheme = `${kind}${secure}`.toLowerCase()
  const isHttp = kind.toLowerCase() === 'http'
  const where = port === undefined ? host : `${host}:${port}`
  const target = `${scheme}://${where}${isHttp && path === '/' ? '/ng' : path}`
  if (!URL.canParse(target)) throw urlError(url, 'the host is malformed')
  const plain = path.endsWith('/ng-plain')
  return { transport: isHttp ? 'http' : 'websocket', url: new URL(target).href, plain }
}
