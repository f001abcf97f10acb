// What a proxy does to the headers of a message: lines in, lines out. Only what this example needs.

import { isIP } from 'node:net'

/**
 * @typedef {{lines: string[], body: Buffer}} Headers unfolded lines without line ends, the start line first
 * @param {Buffer} bytes
 * @returns {Headers}
 */
export function splitHeaders(bytes) {
  const end = /\r?\n\r?\n/.exec(bytes.toString('latin1'))
  const at = end === null ? bytes.length : end.index
  const head = bytes.toString('latin1', 0, at).replace(/\r?\n[ \t]+/g, ' ')
  return {
    lines: head.split(/\r?\n/).filter((line) => line !== ''),
    body: bytes.subarray(at + (end?.[0].length ?? 0)),
  }
}

/** @param {Headers} headers */
export function joinHeaders({ lines, body }) {
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}

/**
 * @param {string} line
 * @param {string[]} names
 */
export function isHeader(line, ...names) {
  const colon = line.indexOf(':')
  return colon > 0 && names.includes(line.slice(0, colon).trim().toLowerCase())
}

/**
 * @param {Headers} headers
 * @param {number} index
 */
export function headerValue({ lines }, index) {
  const line = lines[index] ?? ''
  return line.slice(line.indexOf(':') + 1)
}

/** @param {string} value */
export function splitComma(value) {
  return (value.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+/g) ?? []).map((part) => part.trim())
}

/**
 * `received` and `rport` on the sender's Via (RFC 3261, 18.2.1; RFC 3581).
 *
 * @param {Headers} headers
 * @param {{address: string, port: number}} peer
 */
export function stampVia(headers, peer) {
  const index = headers.lines.findIndex((line) => isHeader(line, 'via', 'v'))
  if (index < 0) return
  const [first = '', ...rest] = splitComma(headerValue(headers, index))
  const stamped = `${first.replace(/;rport(?=;|$)/i, `;rport=${peer.port}`)};received=${peer.address}`
  headers.lines[index] = `Via: ${[stamped, ...rest].join(', ')}`
}

/** @param {Headers} headers */
export function removeTopVia(headers) {
  const index = headers.lines.findIndex((line) => isHeader(line, 'via', 'v'))
  if (index < 0) return
  const [, ...rest] = splitComma(headerValue(headers, index))
  if (rest.length > 0) headers.lines[index] = `Via: ${rest.join(', ')}`
  else headers.lines.splice(index, 1)
}

/**
 * @param {Headers} headers
 * @param {number} hops
 */
export function setMaxForwards(headers, hops) {
  const index = headers.lines.findIndex((line) => isHeader(line, 'max-forwards'))
  const line = `Max-Forwards: ${hops}`
  if (index < 0) headers.lines.splice(2, 0, line)
  else headers.lines[index] = line
}

/**
 * Where a reply goes: received and rport before sent-by (RFC 3261, 18.2.2).
 *
 * @param {string} via
 */
export function viaTarget(via) {
  const [first = ''] = splitComma(via.slice(via.indexOf(':') + 1))
  const sentBy = /SIP\s*\/\s*2\.0\s*\/\s*UDP\s+(\[[^\]]+\]|[^:;\s]+)(?:\s*:\s*([0-9]+))?/i.exec(first)
  if (sentBy === null) return undefined
  const parameter = (/** @type {string} */ name) =>
    new RegExp(`;\\s*${name}\\s*=\\s*([^;\\s]+)`, 'i').exec(first)?.[1]
  const host = parameter('received') ?? parameter('maddr') ?? sentBy[1]
  return { host: (host ?? '').replace(/^\[|\]$/g, ''), port: Number(parameter('rport') ?? sentBy[2] ?? 5060) }
}

/**
 * The numeric host and the port of the first SIP URI in `text`; undefined where a name would have to be resolved.
 *
 * @param {string} text
 */
export function uriTarget(text) {
  const found = /sips?:(?:[^@>;,]*@)?(\[[^\]]+\]|[^:;>?\s,]+)(?::([0-9]+))?/i.exec(text)
  const host = found?.[1]?.replace(/^\[|\]$/g, '') ?? ''
  if (host !== 'localhost' && isIP(host) === 0) return undefined
  return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(found?.[2] ?? 5060) }
}
