// Bytes: SIMD search, case folding, decimal numbers. A 16-byte load may reach past the end of its input; that is
// safe because memory goes on behind every area, and harmless because hits behind `end` are cut off.

export const LF: u32 = 0x0a
export const CR: u32 = 0x0d
export const SP: u32 = 0x20
export const HT: u32 = 0x09

/** From here on, in bytes, `memory.copy` is faster than a loop over blocks. */
const LONG: i32 = 256

/** First place of `byte` in [p, end), or `end`. */
export function findByte(p: usize, end: usize, byte: u32): usize {
  const wanted = i8x16.splat(<i8>byte)
  while (p < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(p), wanted))
    if (mask != 0) {
      const at = p + <usize>ctz(mask)
      return at < end ? at : end
    }
    p += 16
  }
  return end
}

/** First line end from `p` on, whose first block is `chunk`; there must be one, if only behind the input. */
// @ts-ignore: decorator
@inline
export function lineEnd(p: usize, chunk: v128): usize {
  let mask = i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(<i8>LF)))
  while (mask == 0) {
    p += 16
    mask = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(<i8>LF)))
  }
  return p + <usize>ctz(mask)
}

/** First place of `a` or `b` in [p, end), or `end`. */
export function findEither(p: usize, end: usize, a: u32, b: u32): usize {
  const wantedA = i8x16.splat(<i8>a)
  const wantedB = i8x16.splat(<i8>b)
  while (p < end) {
    const chunk = v128.load(p)
    const mask = i8x16.bitmask(v128.or(i8x16.eq(chunk, wantedA), i8x16.eq(chunk, wantedB)))
    if (mask != 0) {
      const at = p + <usize>ctz(mask)
      return at < end ? at : end
    }
    p += 16
  }
  return end
}

/** ASCII lower case of one byte; other bytes as they are. */
// @ts-ignore: decorator
@inline
export function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c
}

// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 48 < 10
}

/** SP, HT, CR or LF: linear white space of a header that may be folded (RFC 3261, 25.1 LWS). */
// @ts-ignore: decorator
@inline
export function isWhite(c: u32): bool {
  return c <= SP && (c == SP || c == HT || c == CR || c == LF)
}

/** Whether the `length` bytes at `p` are, case aside, the lower-case ASCII bytes at `word`. */
export function equalsFolded(p: usize, word: usize, length: i32): bool {
  for (let i: usize = 0; i < <usize>length; i++) {
    if (lower(load<u8>(p + i)) != load<u8>(word + i)) return false
  }
  return true
}

/** Whether [p, p + length) and [q, q + length) hold the same bytes. */
export function equals(p: usize, q: usize, length: i32): bool {
  const end = p + <usize>length
  while (p + 16 <= end) {
    if (i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(q))) != 0xffff) return false
    p += 16
    q += 16
  }
  while (p < end) {
    if (load<u8>(p++) != load<u8>(q++)) return false
  }
  return true
}

/** Writes `value` in decimal at `p`; returns the place behind it. */
export function writeDecimal(p: usize, value: u32): usize {
  let digits: usize = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10000 ? 4 : 5
  for (let limit: u64 = 100000; value >= limit; limit *= 10) digits++
  let at = p + digits
  do {
    const rest = value / 10
    store<u8>(--at, 48 + (value - rest * 10))
    value = rest
  } while (at > p)
  return p + digits
}

/**
 * Copies `length` bytes from `from` to `p`, and up to 15 more, which what follows writes over; returns the place behind
 * them. Most strings are short, and for those `memory.copy` costs more than a block too many.
 */
// @ts-ignore: decorator
@inline
export function write(p: usize, from: usize, length: i32): usize {
  if (length > LONG) memory.copy(p, from, <usize>length)
  else for (let i: usize = 0; i < <usize>length; i += 16) v128.store(p + i, v128.load(from + i))
  return p + <usize>length
}

/** All bytes of [p, end) added up. */
export function byteSum(p: usize, end: usize): u32 {
  let sums = i32x4.splat(0)
  for (; p + 16 <= end; p += 16) sums = i32x4.add(sums, pairs(v128.load(p)))
  // Of the last block only the bytes before the end count.
  const inside = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>(end - p)))
  sums = i32x4.add(sums, pairs(v128.and(v128.load(p), inside)))
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)
}

// @ts-ignore: decorator
@inline
function pairs(chunk: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(chunk))
}
