// Where the contenders put their answers: Buffers cut from slabs, as Node cuts small ones from its pool. The pool's 8 kB
// hold too few SIP messages to be worth their making, so these are larger.

const SLAB_SIZE = 65_536

/** What `subarray` of a Buffer makes, without its bookkeeping. */
export const Bytes = /** @type {new (memory: ArrayBufferLike, at: number, length: number) => Buffer} */ (
  /** @type {unknown} */ (Reflect.get(Buffer, Symbol.species))
)

/** The slab to write to, from `slabUsed` on. */
export let slab = Buffer.allocUnsafeSlow(SLAB_SIZE)
export let slabUsed = 0

/**
 * Makes sure that `length` bytes are free behind `slabUsed`.
 *
 * @param {number} length
 */
export function reserve(length) {
  if (slabUsed + length <= slab.length) return
  slab = Buffer.allocUnsafeSlow(Math.max(SLAB_SIZE, length))
  slabUsed = 0
}

/**
 * The bytes from `slabUsed` to `end` as a Buffer to keep.
 *
 * @param {number} end
 */
export function cut(end) {
  const result = new Bytes(slab.buffer, slabUsed, end - slabUsed)
  slabUsed = (end + 7) & ~7
  return result
}

/**
 * Copies [start, end) of `bytes` to `at` of `to`: below some 60 bytes faster than `set`, which is a call into Node.
 *
 * @param {Buffer} to
 * @param {number} at
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 */
export function copy(to, at, bytes, start, end) {
  for (let i = start; i < end; i++) to[at++] = /** @type {number} */ (bytes[i])
  return at
}

/**
 * Writes a decimal number from 0 to 99,999.
 *
 * @param {Buffer} to
 * @param {number} at
 * @param {number} value
 */
export function putDecimal(to, at, value) {
  let end = at + (value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5)
  const after = end
  do {
    const rest = (value / 10) | 0
    to[--end] = 48 + value - rest * 10
    value = rest
  } while (value > 0)
  return after
}
