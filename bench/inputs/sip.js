/** Where the messages came from. */
export const source = '192.0.2.7'

/**
 * @param {readonly string[]} head without Content-Length
 * @param {string} body
 */
export function sipMessage(head, body) {
  return Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/**
 * What a media proxy makes of `sdp` for an offer or an answer: addresses and ports of its own.
 *
 * @param {string} sdp
 */
export function ngReply(sdp) {
  const replaced = sdp
    .replaceAll('192.0.2.7', '203.0.113.9')
    .replace('11780', '30000')
    .replace('11781', '30001')
  return Buffer.from(`d3:sdp${replaced.length}:${replaced}6:result2:oke`)
}
