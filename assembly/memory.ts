// The memory map. Everything has a fixed place and a fixed limit, so there is no allocator, memory never grows
// and no offset has to be checked for overflow: the largest input is 65,535 bytes, and every table has room for
// the densest input of that size. Nothing survives a call but a cache of dictionary keys, which changes no result,
// and the fragments in PARAMS, which the TypeScript side knows it has put there.
//
//   1,024      constants the compiler lays down
//   16,384     FIELDS   i32 results of a call (the SIP field table, counts, error and its place)
//   20,480     PARAMS   prepared fragments the caller passes to the fused paths
//   94,208     INPUT    the bytes to scan (SIP message, SDP body, bencode)
//   163,840    REPLY    a second input: the NG reply beside its SIP message
//   233,472    TABLE    records of a scan: SIP headers, SDP lines, bencode tokens
//   1,871,872  OUTPUT   what a call writes
//   2,396,160  CACHE    dictionary keys seen before, by hash (see bencode.ts)

/** Largest input a call takes, in bytes: what fits in one UDP datagram. */
export const MAX_INPUT: i32 = 65535

export const FIELDS: usize = 16384
export const PARAMS: usize = 20480
export const PARAMS_SIZE: i32 = 69632
export const INPUT: usize = 94208
export const REPLY: usize = 163840
export const TABLE: usize = 233472
export const TABLE_SIZE: i32 = 1638400
export const OUTPUT: usize = 1871872
export const OUTPUT_SIZE: i32 = 524288
export const CACHE: usize = 2396160

/** Writes the i32 at `index` of the field table. */
// @ts-ignore: decorator
@inline
export function setField(index: i32, value: i32): void {
  store<i32>(FIELDS + (<usize>index << 2), value)
}

/** Reads the i32 at `index` of the field table. */
// @ts-ignore: decorator
@inline
export function field(index: i32): i32 {
  return load<i32>(FIELDS + (<usize>index << 2))
}

/** Notes a range of INPUT as one word. */
// @ts-ignore: decorator
@inline
export function setRange(index: i32, start: usize, end: usize): void {
  setField(index, <i32>(((start - INPUT) << 16) | (end - start)))
}

/** Where the range at `index` starts. */
// @ts-ignore: decorator
@inline
export function rangeStart(index: i32): usize {
  return INPUT + (<usize>field(index) >> 16)
}

// @ts-ignore: decorator
@inline
export function rangeLength(index: i32): i32 {
  return field(index) & 0xffff
}

// @ts-ignore: decorator
@inline
export function rangeEnd(index: i32): usize {
  return rangeStart(index) + <usize>rangeLength(index)
}
