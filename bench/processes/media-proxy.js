// What both media proxies do with `COOKIE SP DICTIONARY`: the cookie comes back before a reply that is always the same
// (given in base64), or before a pong.

const SPACE = 32
const reply = Buffer.from(process.argv[2] ?? '', 'base64')
const pong = Buffer.from('d6:result4:ponge')
/** Longest request that can be a ping. */
const PING = 100

/**
 * The reply to the request at [start, end).
 *
 * @param {Buffer} bytes
 * @param {number} start
 * @param {number} end
 */
export function answer(bytes, start, end) {
  const head = bytes.indexOf(SPACE, start) + 1 - start
  const body = end - start < PING ? pong : reply
  const datagram = Buffer.allocUnsafe(head + body.length)
  bytes.copy(datagram, 0, start, start + head)
  body.copy(datagram, head)
  return datagram
}

/**
 * Where the request at `start` ends; 0 if not all of it is there.
 *
 * @param {Buffer} bytes
 * @param {number} start
 */
export function frameEnd(bytes, start) {
  let at = bytes.indexOf(SPACE, start) + 1
  if (at === 0) return 0
  let depth = 0
  while (at < bytes.length) {
    const first = /** @type {number} */ (bytes[at])
    if (first === 0x64 || first === 0x6c) {
      depth++
      at++
    } else if (first === 0x65) {
      at++
      if (--depth === 0) return at
    } else if (first === 0x69) at = bytes.indexOf(0x65, at) + 1 || bytes.length
    else {
      let length = 0
      for (; bytes[at] !== 58 && at < bytes.length; at++)
        length = length * 10 + /** @type {number} */ (bytes[at]) - 48
      at += length + 1
    }
  }
  return 0
}
