// SDP line scan (RFC 8866, section 9): a record for every line at TABLE, offsets only. Line ends may be CRLF or bare LF,
// the last one may be missing; beyond the form of a line, `v=0` first, `m=` and `c=`, nothing is judged here.

import { CR, findByte, findEither, LF, lineEnd, SP } from './bytes'
import { INPUT, setField, TABLE } from './memory'

// A record, eight i32; src/core/sdp-lines.ts has the same list. Ranges of the input are one word, start << 16 | length;
// 0 means "not there", since offset 0 is always the `v`.
const RECORD: usize = 32
const TYPE: usize = 0 // the letter | number of the section << 8: 0 the session's, n that of the nth m=
const NAME: usize = 4 // a=: which of the names at the end of this file it has; 0: another
const LINE: usize = 8 // with its line end
const VALUE: usize = 12
const A: usize = 16 // a=: what stands behind the colon; c=, o=: the address; m=: the port
const B: usize = 20 // m=: the protocol; a=: what follows a number that begins the value; o=: what begins with the network type
const NUMBER: usize = 24 // m=: the port; c=, o=: 4, 6 or 0 for others; a=: length of the name
const COUNT: usize = 28 // m=: the number of ports; a=: the number that begins the value, or -1

const ERROR_LINE = 1
const ERROR_VERSION = 2
const ERROR_MEDIA = 3
const ERROR_CONNECTION = 4

const IN_SP: u32 = 0x204e49 // the bytes of `IN ` as a little-endian number
const IP: u32 = 0x5049

/** Scans the SDP of `length` bytes at INPUT. Returns the number of lines, or -1 with code and place in the first two
 *  fields. */
export function sdpScan(length: i32): i32 {
  const end = INPUT + <usize>length
  // Line ends behind the end stop every search for one.
  v128.store(end, i8x16.splat(<i8>LF))
  let p = INPUT
  let record = TABLE
  let section = 0
  while (p < end) {
    const c = <u32>load<u8>(p)
    if ((c == CR || c == LF) && blankToEnd(p, end)) break
    if (c - 0x61 > 25 || load<u8>(p + 1) != 0x3d) return fail(ERROR_LINE, p)
    const chunk = v128.load(p)
    const eol = lineEnd(p, chunk)
    const value = p + 2
    const stop = eol > value && load<u8>(eol - 1) == CR ? eol - 1 : eol
    if (record == TABLE && !(c == 0x76 && stop == p + 3 && load<u8>(value) == 0x30)) return fail(ERROR_VERSION, p)
    const next = eol < end ? eol + 1 : end
    if (c == 0x6d) section++
    v128.store(record + A, i8x16.splat(0))
    store<i32>(record + TYPE, <i32>c | (section << 8))
    store<i32>(record + NAME, 0)
    setRange(record + LINE, p, next)
    setRange(record + VALUE, value, stop)
    if (c == 0x61) attribute(record, value, stop, i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(0x3a))))
    else if (c == 0x6d) {
      if (!media(record, value, stop)) return fail(ERROR_MEDIA, p)
    } else if (c == 0x63) {
      if (!address(record, value, stop)) return fail(ERROR_CONNECTION, p)
    } else if (c == 0x6f) origin(record, value, stop)
    record += RECORD
    p = next
  }
  if (record == TABLE) return fail(ERROR_VERSION, INPUT)
  return <i32>((record - TABLE) / RECORD)
}

// @ts-ignore: decorator
@inline
function setRange(at: usize, start: usize, end: usize): void {
  store<i32>(at, <i32>(((start - INPUT) << 16) | (end - start)))
}

function fail(code: i32, at: usize): i32 {
  setField(0, code)
  setField(1, <i32>(at - INPUT))
  return -1
}

/** Empty lines behind the last line are a habit of some senders. */
function blankToEnd(p: usize, end: usize): bool {
  while (p < end) {
    if (load<u8>(p) != CR && load<u8>(p) != LF) return false
    p++
  }
  return true
}

/** `name` or `name:value`; many values begin with a number: a payload type, a port, a tag. */
// @ts-ignore: decorator
@inline
function attribute(record: usize, p: usize, end: usize, colons: i32): void {
  // Nearly every colon is among the first bytes of its line, which have been looked at already.
  let colon = p - 2 + <usize>ctz(colons)
  if (colons == 0) colon = findByte(p + 14, end, 0x3a)
  else if (colon > end) colon = end
  store<i32>(record + NAME, nameNumber(p, <i32>(colon - p)))
  store<i32>(record + NUMBER, <i32>(colon - p))
  store<i32>(record + COUNT, -1)
  if (colon == end) return
  p = colon + 1
  setRange(record + A, p, end)
  const number = decimal(p, end)
  p = digitsEnd
  if (p < end && load<u8>(p) != SP) return
  store<i32>(record + COUNT, number)
  if (number >= 0 && p < end) setRange(record + B, p + 1, end)
}

/** `media SP port["/" count] SP proto 1*(SP fmt)` */
function media(record: usize, p: usize, end: usize): bool {
  const kind = p
  p = findByte(p, end, SP)
  if (p == kind || p == end) return false
  const port = ++p
  const number = decimal(p, end)
  if (number < 0 || number > 65535) return false
  p = digitsEnd
  setRange(record + A, port, p)
  store<i32>(record + NUMBER, number)
  store<i32>(record + COUNT, 1)
  if (p < end && load<u8>(p) == 0x2f) {
    const count = decimal(++p, end)
    if (count < 1 || count > 65535) return false
    p = digitsEnd
    store<i32>(record + COUNT, count)
  }
  if (p == end || load<u8>(p) != SP) return false
  const protocol = ++p
  p = findByte(p, end, SP)
  if (p == protocol) return false
  setRange(record + B, protocol, p)
  return true
}

/** Where the digits end that `decimal` has read. */
let digitsEnd: usize = 0

/** The number at `p`, or -1 if there is none or it has more than nine digits. */
// @ts-ignore: decorator
@inline
function decimal(p: usize, end: usize): i32 {
  let value = 0
  const start = p
  for (; p < end; p++) {
    const digit = <u32>load<u8>(p) - 48
    if (digit > 9) break
    // What does not fit makes nonsense here, and -1 below.
    value = value * 10 + digit
  }
  digitsEnd = p
  return p == start || p - start > 9 ? -1 : value
}

/** `nettype SP addrtype SP address["/" ttl]["/" count]`: the address ends at a slash, a blank or the line's end. */
function address(record: usize, p: usize, end: usize): bool {
  const type = findByte(p, end, SP) + 1
  if (type == p + 1) return false
  const start = findByte(type, end, SP) + 1
  if (start >= end || start == type + 1) return false
  const to = findEither(start, end, 0x2f, SP)
  if (to == start) return false
  setRange(record + A, start, to)
  if ((load<u32>(p) & 0xffffff) == IN_SP && start == type + 4 && load<u16>(type) == IP) {
    const version = <i32>load<u8>(type + 2) - 48
    if (version == 4 || version == 6) store<i32>(record + NUMBER, version)
  }
  return true
}

/** `username sess-id sess-version nettype addrtype address`: one that does not fit keeps its place, without an address. */
function origin(record: usize, p: usize, end: usize): void {
  for (let i = 0; i < 3; i++) {
    p = findByte(p, end, SP)
    if (p == end) return
    p++
  }
  if (!address(record, p, end)) return
  setRange(record + B, p, end)
}

/** The names that come often, so that nobody has to make a string of them; src/core/sdp-lines.ts has the same numbers. */
function nameNumber(p: usize, length: i32): i32 {
  const word = length < 8 ? load<u64>(p) & (((<u64>1) << (<u64>length << 3)) - 1) : load<u64>(p)
  switch (length) {
    case 3:
      if (word == 0x64696d) return 6 // mid
      return 0
    case 4:
      if (word == 0x70746d66) return 2 // fmtp
      if (word == 0x70637472) return 3 // rtcp
      return 0
    case 5:
      if (word == 0x656d697470) return 7 // ptime
      if (word == 0x7075746573) return 14 // setup
      if (word == 0x70756f7267) return 16 // group
      return 0
    case 6:
      if (word == 0x70616d707472) return 1 // rtpmap
      if (word == 0x6f7470797263) return 5 // crypto
      return 0
    case 7:
      if (word == 0x6477702d656369) return 18 // ice-pwd
      return 0
    case 8:
      if (word == 0x656d69747078616d) return 8 // maxptime
      if (word == 0x76636572646e6573) return 9 // sendrecv
      if (word == 0x796c6e6f646e6573) return 10 // sendonly
      if (word == 0x796c6e6f76636572) return 11 // recvonly
      if (word == 0x6576697463616e69) return 12 // inactive
      if (word == 0x78756d2d70637472) return 13 // rtcp-mux
      if (word == 0x6574696c2d656369) return 20 // ice-lite
      return 0
    case 9:
      if (word == 0x74616469646e6163 && load<u8>(p, 8) == 0x65) return 4 // candidate
      if (word == 0x617266752d656369 && load<u8>(p, 8) == 0x67) return 17 // ice-ufrag
      return 0
    case 11:
      if (word == 0x72707265676e6966 && (load<u32>(p, 8) & 0xffffff) == 0x746e69) return 15 // fingerprint
      if (word == 0x6974706f2d656369 && (load<u32>(p, 8) & 0xffffff) == 0x736e6f) return 19 // ice-options
      return 0
    default:
      return 0
  }
}
