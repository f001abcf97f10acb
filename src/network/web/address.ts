import { isIPv6 } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { ConfigurationError } from '../../errors.ts'

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
