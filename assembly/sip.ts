// SIP header scan (RFC 3261): one pass over the header section fills the field table with offsets of what an NG command
// needs, and TABLE with a record for every header. Lenient where the wild is (compact names, any case, white space
// before the colon, folding, bare LF, comments), strict where leniency would guess.

import { byteSum, CR, equalsFolded, findByte, HT, isDigit, isWhite, LF, lower, SP } from './bytes'
import { afterAddress, findMark, foundLength, foundStart, parameters, skipComment } from './header-value'
import { locateSdp } from './body'
import {
  BRANCH,
  BRANCH_WANTED,
  CALL_ID,
  CALL_ID_SUM,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  CSEQ,
  CSEQ_METHOD,
  ERROR,
  ERROR_AT,
  FIELD_COUNT,
  FROM,
  FROM_TAG,
  HEADER_COUNT,
  HEADER_SIZE,
  ID_CONTENT_LENGTH,
  KIND,
  KIND_REPLY,
  KIND_REQUEST,
  METHOD,
  REQUEST_URI,
  STATUS,
  TO,
  TO_TAG,
  VIA_COUNT,
} from './fields'
import { FIELDS, INPUT, setField, TABLE } from './memory'

const ERROR_START_LINE = 1
const ERROR_HEADER = 2
const ERROR_NO_END = 3
const ERROR_CONTENT_LENGTH = 4
const ERROR_CSEQ = 5

const OTHER = 0
const ID_CALL_ID = 1
const ID_FROM = 2
const ID_TO = 3
const ID_VIA = 4
const ID_CSEQ = 5
const ID_CONTENT_TYPE = 6

const WORD_SIP = memory.data<u8>([0x73, 0x69, 0x70, 0x2f, 0x32, 0x2e, 0x30]) // sip/2.0
const WORD_BRANCH = memory.data<u8>([0x62, 0x72, 0x61, 0x6e, 0x63, 0x68]) // branch
const WORD_TAG = memory.data<u8>([0x74, 0x61, 0x67]) // tag

/** The number of a Via whose branch is wanted beside those of the first two; 0: none. */
let wantedVia: i32 = 0

/** Scans as `sipScan`, and notes the branch of the Via with this number, counted from 1. */
export function sipBranch(length: i32, number: i32): i32 {
  wantedVia = number
  const code = sipScan(length)
  wantedVia = 0
  return code
}

/** Scans the message of `length` bytes at INPUT. Returns 0, or an error code with its place in the field table. */
export function sipScan(length: i32): i32 {
  memory.fill(INPUT + <usize>length, 0, 16)
  for (let i = 0; i < FIELD_COUNT; i++) setField(i, 0)
  setField(CONTENT_LENGTH, -1)
  setField(CSEQ, -1)
  setField(BRANCH, -1)
  setField(BRANCH + 2, -1)
  setField(BRANCH_WANTED, -1)

  const end = INPUT + <usize>length
  let p = INPUT
  // RFC 3261, 7.5: empty lines before the start line are keep-alives that stuck to the message.
  while (p < end && (load<u8>(p) == CR || load<u8>(p) == LF)) p++
  let eol = findByte(p, end, LF)
  if (eol == end || !startLine(p, eol)) return fail(ERROR_START_LINE, p)
  p = eol + 1

  let record = TABLE
  let contentLengths = 0
  while (true) {
    if (p >= end) return fail(ERROR_NO_END, end)
    const first = <u32>load<u8>(p)
    if (first == LF) {
      p++
      break
    }
    if (first == CR && load<u8>(p + 1) == LF) {
      p += 2
      break
    }
    const line = p
    const colon = nameEnd(p, end)
    if (colon == 0) return fail(ERROR_HEADER, line)
    let nameLength = <i32>(colon - line)
    while (nameLength > 0 && (load<u8>(line + nameLength - 1) == SP || load<u8>(line + nameLength - 1) == HT)) nameLength--
    if (nameLength == 0 || nameLength > 0xffff) return fail(ERROR_HEADER, line)

    // A line that begins with white space continues the one before (RFC 3261, 7.3.1).
    eol = findByte(colon, end, LF)
    while (eol < end && (load<u8>(eol + 1) == SP || load<u8>(eol + 1) == HT)) eol = findByte(eol + 1, end, LF)
    if (eol == end) return fail(ERROR_NO_END, end)
    let from = colon + 1
    let to = eol
    while (from < to && isWhite(load<u8>(from))) from++
    while (to > from && isWhite(load<u8>(to - 1))) to--

    const id = headerId(line, nameLength)
    if (id != OTHER) {
      if (id == ID_VIA) via(from, to)
      else if (id == ID_CONTENT_LENGTH) {
        if (!contentLength(from, to, contentLengths++)) return fail(ERROR_CONTENT_LENGTH, from)
      } else if (!known(id, from, to)) return fail(ERROR_CSEQ, from)
    }
    store<i32>(record, <i32>(line - INPUT))
    store<i32>(record + 4, (id << 16) | nameLength)
    store<i32>(record + 8, <i32>(from - INPUT))
    store<i32>(record + 12, <i32>(to - INPUT))
    record += HEADER_SIZE
    p = eol + 1
  }
  setField(HEADER_COUNT, <i32>((record - TABLE) / HEADER_SIZE))
  locateSdp(<i32>(p - INPUT), length)
  return 0
}

function fail(code: i32, at: usize): i32 {
  setField(ERROR, code)
  setField(ERROR_AT, <i32>(at - INPUT))
  return code
}

// @ts-ignore: decorator
@inline
function setRange(index: i32, start: usize, length: i32): void {
  setField(index, <i32>(start - INPUT))
  setField(index + 1, length)
}

/** RFC 3261, 7.1 and 7.2. */
function startLine(p: usize, eol: usize): bool {
  let end = eol
  if (end > p && load<u8>(end - 1) == CR) end--
  if (end - p < 11) return false
  if (equalsFolded(p, WORD_SIP, 7) && load<u8>(p + 7) == SP) {
    const a = <u32>load<u8>(p + 8)
    const b = <u32>load<u8>(p + 9)
    const c = <u32>load<u8>(p + 10)
    if (a - 49 > 5 || !isDigit(b) || !isDigit(c)) return false
    if (p + 11 < end && load<u8>(p + 11) != SP) return false
    setField(KIND, KIND_REPLY)
    setField(STATUS, <i32>((a - 48) * 100 + (b - 48) * 10 + (c - 48)))
    return true
  }
  const space = findByte(p, end, SP)
  if (space == p || end - space < 9) return false
  const version = end - 7
  if (load<u8>(version - 1) != SP || !equalsFolded(version, WORD_SIP, 7)) return false
  if (version - 1 <= space + 1) return false
  // RFC 3261, 7.1: no white space inside the Request-URI.
  if (findByte(space + 1, version - 1, SP) != version - 1) return false
  setField(KIND, KIND_REQUEST)
  setRange(METHOD, p, <i32>(space - p))
  setRange(REQUEST_URI, space + 1, <i32>(version - 1 - space - 1))
  return true
}

/** The colon behind a header name, or 0 if the line is no header. Only blanks may stand between the two. */
function nameEnd(p: usize, end: usize): usize {
  // Nearly every name and its colon fit into one load: then one comparison shows that nothing odd stands before it.
  const chunk = v128.load(p)
  const colons = i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(0x3a)))
  if (colons != 0) {
    const length = ctz(colons)
    const visible = v128.and(i8x16.gt_s(chunk, i8x16.splat(0x20)), i8x16.ne(chunk, i8x16.splat(0x7f)))
    const before = (1 << length) - 1
    if ((i8x16.bitmask(visible) & before) == before && p + <usize>length < end) return p + <usize>length
  }
  let blank = false
  while (p < end) {
    const c = <u32>load<u8>(p)
    if (c == 0x3a) return p
    if (c == SP || c == HT) blank = true
    else if (blank || c < 33 || c > 126) return 0
    p++
  }
  return 0
}

/** Names are compared as words; OR-ing 0x20 folds the letters, and only the letters, of each constant. */
function headerId(p: usize, length: i32): i32 {
  switch (length) {
    case 1: {
      const c = lower(load<u8>(p))
      if (c == 0x76) return ID_VIA
      if (c == 0x69) return ID_CALL_ID
      if (c == 0x66) return ID_FROM
      if (c == 0x74) return ID_TO
      if (c == 0x63) return ID_CONTENT_TYPE
      if (c == 0x6c) return ID_CONTENT_LENGTH
      return OTHER
    }
    case 2:
      return (load<u16>(p) | 0x2020) == 0x6f74 ? ID_TO : OTHER
    case 3:
      return ((load<u32>(p) & 0xffffff) | 0x202020) == 0x616976 ? ID_VIA : OTHER
    case 4: {
      const word = load<u32>(p) | 0x20202020
      return word == 0x6d6f7266 ? ID_FROM : word == 0x71657363 ? ID_CSEQ : OTHER
    }
    case 7:
      return ((load<u64>(p) & 0xffffffffffffff) | 0x20200020202020) == 0x64692d6c6c6163 ? ID_CALL_ID : OTHER
    case 12:
    case 14: {
      if ((load<u64>(p) | 0x0020202020202020) != 0x2d746e65746e6f63) return OTHER
      const word = load<u32>(p + 8) | 0x20202020
      if (length == 12) return word == 0x65707974 ? ID_CONTENT_TYPE : OTHER
      return word == 0x676e656c && (load<u16>(p + 12) | 0x2020) == 0x6874 ? ID_CONTENT_LENGTH : OTHER
    }
    default:
      return OTHER
  }
}

/** Of a header that may stand only once, the first counts (as in the module). False: a CSeq that is none. */
function known(id: i32, from: usize, to: usize): bool {
  const length = <i32>(to - from)
  if (id == ID_CALL_ID) {
    if (load<i32>(fieldAt(CALL_ID)) != 0) return true
    setRange(CALL_ID, from, length)
    setField(CALL_ID_SUM, byteSum(from, to) & 0xff)
    return true
  }
  if (id == ID_CSEQ) return load<i32>(fieldAt(CSEQ_METHOD)) != 0 || cseq(from, to)
  if (id == ID_CONTENT_TYPE) {
    if (load<i32>(fieldAt(CONTENT_TYPE)) == 0) setRange(CONTENT_TYPE, from, length)
    return true
  }
  const index = id == ID_FROM ? FROM : TO
  if (load<i32>(fieldAt(index)) != 0) return true
  setRange(index, from, length)
  parameters(afterAddress(from, to), to, WORD_TAG, 3, false)
  if (foundStart != 0) setRange(index == FROM ? FROM_TAG : TO_TAG, foundStart, foundLength)
  return true
}

// @ts-ignore: decorator
@inline
function fieldAt(index: i32): usize {
  // Offset 0 of a message is its start line, so a start of 0 means that no such header has been seen.
  return FIELDS + (<usize>index << 2)
}

/** RFC 3261, 20.16: a 32-bit number and a method. */
function cseq(p: usize, end: usize): bool {
  let value: u64 = 0
  const digits = p
  while (p < end && isDigit(load<u8>(p))) {
    value = value * 10 + (load<u8>(p) - 48)
    if (value > 0xffffffff) return false
    p++
  }
  if (p == digits) return false
  const gap = p
  while (p < end && isWhite(load<u8>(p))) p++
  if (p == gap || p == end) return false
  setField(CSEQ, <i32>value)
  setRange(CSEQ_METHOD, p, <i32>(end - p))
  return true
}

/** RFC 3261, 20.14. Repeated values must agree: two lengths for one body are an attack, not a message. */
function contentLength(p: usize, end: usize, before: i32): bool {
  if (p == end) return false
  let value = 0
  while (p < end) {
    const c = <u32>load<u8>(p++)
    if (!isDigit(c)) return false
    // Anything beyond the input is as wrong as anything else beyond it, so it need not be exact.
    if (value < 0x1000000) value = value * 10 + <i32>(c - 48)
  }
  if (before != 0 && load<i32>(fieldAt(CONTENT_LENGTH)) != value) return false
  setField(CONTENT_LENGTH, value)
  return true
}

/** Counts the Vias of one header and notes the branches of the first two (RFC 3261, 20.42: they may share a line). */
function via(p: usize, end: usize): void {
  let count = load<i32>(fieldAt(VIA_COUNT))
  while (p < end) {
    // sent-protocol and sent-by hold neither of these outside comments; an IPv6 reference has colons only.
    p = findMark(p, end, 0x2c, 0x2c)
    while (p < end && load<u8>(p) == 0x28) p = findMark(skipComment(p, end), end, 0x2c, 0x2c)
    p = parameters(p, end, WORD_BRANCH, 6, true)
    if (count < 2 && foundStart != 0) setRange(BRANCH + count * 2, foundStart, foundLength)
    count++
    if (count == wantedVia && foundStart != 0) setRange(BRANCH_WANTED, foundStart, foundLength)
    p++ // the comma
  }
  setField(VIA_COUNT, count)
}
