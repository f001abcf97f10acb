// SDP line scan (RFC 8866, section 9): a record for every line at TABLE, offsets only. Line ends may be CRLF or bare LF,
// the last one may be missing; beyond the form of a line, `v=0` first, `m=` and `c=`, nothing is judged here.

import { CR, findByte, isDigit, LF, SP } from './bytes'
import { INPUT, setField, TABLE } from './memory'

// A record, 12 i32 each; src/core/sdp-lines.ts has the same list. Offsets count from INPUT.
const RECORD: usize = 48
const TYPE: usize = 0 // the letter
const START: usize = 4
const VALUE: usize = 8
const END: usize = 12 // without the line end
const NEXT: usize = 16 // behind the line end
const SECTION: usize = 20 // 0: session, n: the nth m=
const A: usize = 24 // a=: the value behind the colon; c=, o=: the address; m=: the port
const A_END: usize = 28
const B: usize = 32 // m=: the protocol; a=: what follows a number that begins the value; o=: the network type
const B_END: usize = 36
const NUMBER: usize = 40 // m=: the port; c=, o=: 4, 6 or 0 for others; a=: length of the name
const COUNT: usize = 44 // m=: the number of ports; a=: the number that begins the value, or -1

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
  // Zeros that end every look-ahead.
  store<u64>(end, 0)
  let p = INPUT
  let record = TABLE
  let section = 0
  while (p < end) {
    const c = <u32>load<u8>(p)
    if ((c == CR || c == LF) && blankToEnd(p, end)) break
    if (c - 0x61 > 25 || load<u8>(p + 1) != 0x3d || p + 2 > end) return fail(ERROR_LINE, p)
    const eol = findByte(p + 2, end, LF)
    const lineEnd = eol > p + 2 && load<u8>(eol - 1) == CR ? eol - 1 : eol
    if (record == TABLE && !(c == 0x76 && lineEnd == p + 3 && load<u8>(p + 2) == 0x30)) return fail(ERROR_VERSION, p)
    const next = eol < end ? eol + 1 : end
    if (c == 0x6d) section++
    set(record, TYPE, c)
    set(record, START, <i32>(p - INPUT))
    set(record, VALUE, <i32>(p + 2 - INPUT))
    set(record, END, <i32>(lineEnd - INPUT))
    set(record, NEXT, <i32>(next - INPUT))
    set(record, SECTION, section)
    set(record, A, -1)
    set(record, A_END, -1)
    set(record, B, -1)
    set(record, B_END, -1)
    set(record, NUMBER, 0)
    set(record, COUNT, 0)
    if (c == 0x61) attribute(record, p + 2, lineEnd)
    else if (c == 0x6d) {
      if (!media(record, p + 2, lineEnd)) return fail(ERROR_MEDIA, p)
    } else if (c == 0x63) {
      if (!address(record, p + 2, lineEnd)) return fail(ERROR_CONNECTION, p)
    } else if (c == 0x6f) origin(record, p + 2, lineEnd)
    record += RECORD
    p = next
  }
  if (record == TABLE) return fail(ERROR_VERSION, INPUT)
  return <i32>((record - TABLE) / RECORD)
}

// @ts-ignore: decorator
@inline
function set(record: usize, index: usize, value: i32): void {
  store<i32>(record + index, value)
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
function attribute(record: usize, p: usize, end: usize): void {
  const colon = findByte(p, end, 0x3a)
  set(record, NUMBER, <i32>(colon - p))
  set(record, COUNT, -1)
  if (colon == end) return
  p = colon + 1
  set(record, A, <i32>(p - INPUT))
  set(record, A_END, <i32>(end - INPUT))
  const number = decimal(p, end)
  while (p < end && isDigit(load<u8>(p))) p++
  if (p < end && load<u8>(p) != SP) return
  set(record, COUNT, number)
  if (number < 0 || p == end) return
  set(record, B, <i32>(p + 1 - INPUT))
  set(record, B_END, <i32>(end - INPUT))
}

/** `media SP port["/" count] SP proto 1*(SP fmt)` */
function media(record: usize, p: usize, end: usize): bool {
  const kind = p
  p = findByte(p, end, SP)
  if (p == kind || p == end) return false
  const port = ++p
  const number = decimal(p, end)
  if (number < 0 || number > 65535) return false
  while (p < end && isDigit(load<u8>(p))) p++
  set(record, A, <i32>(port - INPUT))
  set(record, A_END, <i32>(p - INPUT))
  set(record, NUMBER, number)
  set(record, COUNT, 1)
  if (p < end && load<u8>(p) == 0x2f) {
    const count = decimal(++p, end)
    if (count < 1 || count > 65535) return false
    while (p < end && isDigit(load<u8>(p))) p++
    set(record, COUNT, count)
  }
  if (p == end || load<u8>(p) != SP) return false
  const protocol = ++p
  p = findByte(p, end, SP)
  if (p == protocol) return false
  set(record, B, <i32>(protocol - INPUT))
  set(record, B_END, <i32>(p - INPUT))
  return true
}

/** The number at `p`, or -1 if there is none or it has more than nine digits. */
function decimal(p: usize, end: usize): i32 {
  let value = 0
  const start = p
  while (p < end && isDigit(load<u8>(p))) {
    if (p - start == 9) return -1
    value = value * 10 + <i32>(load<u8>(p++) - 48)
  }
  return p == start ? -1 : value
}

/** `nettype SP addrtype SP address["/" ttl]["/" count]`: the address ends at a slash, a blank or the line's end. */
function address(record: usize, p: usize, end: usize): bool {
  const type = findByte(p, end, SP) + 1
  if (type == p + 1) return false
  const start = findByte(type, end, SP) + 1
  if (start >= end || start == type + 1) return false
  let to = start
  while (to < end && load<u8>(to) != 0x2f && load<u8>(to) != SP) to++
  if (to == start) return false
  set(record, A, <i32>(start - INPUT))
  set(record, A_END, <i32>(to - INPUT))
  if ((load<u32>(p) & 0xffffff) == IN_SP && start == type + 4 && load<u16>(type) == IP) {
    const version = <i32>load<u8>(type + 2) - 48
    if (version == 4 || version == 6) set(record, NUMBER, version)
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
  set(record, B, <i32>(p - INPUT))
  set(record, B_END, <i32>(end - INPUT))
}
