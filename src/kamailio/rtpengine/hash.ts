import { createHash } from 'node:crypto'
import type { Balanced, BalancedCall, BalancingFunction } from '../../nodes/balancing.ts'

/** CRC-32 (ISO 3309), a byte at a time: a call is balanced once. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

/** The bytes are added up as C has them where a `char` has a sign (x86), into 32 bits without one. */
function sha1Sum(text: string): number {
  const digest = createHash('sha1').update(text).digest()
  return new Int8Array(digest).reduce((sum, byte) => sum + byte, 0) >>> 0
}

/**
 * `hash_algo`: a hash of the Call-ID modulo the total weight falls into one node's share, in configured order. 1 is the sum of the
 * bytes of its SHA-1, 2 its CRC-32.
 */
export function hashBalancing(algorithm: 1 | 2): BalancingFunction {
  return (call: BalancedCall, nodes: readonly Balanced[]): Balanced | undefined => {
    const callId = call.callId ?? ''
    const hash = algorithm === 1 ? sha1Sum(callId) : crc32(Buffer.from(callId))
    const total = nodes.reduce((sum, { weight }) => sum + weight, 0)
    let cut = total === 0 ? 0 : hash % total
    for (const node of nodes) {
      if (cut < node.weight) return node
      cut -= node.weight
    }
    return nodes[0]
  }
}
