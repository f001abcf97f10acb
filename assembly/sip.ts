// SIP header scan (RFC 3261): one pass over the header section fills the field table with what an NG command needs.
// Lenient where the wild is (compact names, any case, white space before the colon, folding, bare LF, comments), strict
// where leniency would guess.

import { byteSum, CR, findByte, HT, isDigit, isWhite, LF, lineEnd, lower, SP } from './bytes'
import { branchEnd, foundEnd, foundStart, tagIn } from './sip/header-value'
import { locateSdp } from './sip/body'
import {
  BRANCH,
  CALL_ID,
  CONTENT_LENGTH,
  CONTENT_LENGTH_AGAIN,
  CONTENT_TYPE,
  CSEQ,
  CSEQ_METHOD,
  ERROR,
  ERROR_AT,
  FROM,
  FROM_TAG,
  METHOD,
  REQUEST_URI,
  SUMMARY,
  TO,
  TO_TAG,
} from './sip/fields'
import { field, FIELDS, INPUT, setField, setRange } from './memory'

const ERROR_START_LINE = 1
const ERROR_HEADER = 2
const ERROR_NO_END = 3
const ERROR_CONTENT_LENGTH = 4
const ERROR_CSEQ = 5

const OTHER = 0
const ID_CALL_ID = 1
const ID_FROM = 2
const ID_TO = 3
export const ID_VIA = 4
const ID_CSEQ = 5
const ID_CONTENT_TYPE = 6
export const ID_CONTENT_LENGTH = 7

/** A bit for every length that `headerId` knows a name of. */
const KNOWN_LENGTHS = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 7) | (1 << 12) | (1 << 14)

// Of the message being scanned.
let vias: i32 = 0
let summary: i32 = 0
/** What Content-Length says; -1: nothing. */
let announced: i32 = -1

/** Scans the message of `length` bytes at INPUT. Returns 0, or an error code with its place in the field table. */
export function sipScan(length: i32): i32 {
  const end = INPUT + <usize>length
  // Line ends behind the end stop every search for one, and no name goes on over them.
  v128.store(end, i8x16.splat(<i8>LF))
  const nothing = i8x16.splat(0)
  v128.store(FIELDS, nothing)
  v128.store(FIELDS, nothing, 16)
  v128.store(FIELDS, nothing, 32)
  v128.store(FIELDS, nothing, 48)
  vias = 0
  summary = 0
  announced = -1

  let p = INPUT
  // RFC 3261, 7.5: empty lines before the start line are keep-alives that stuck to the message.
  while (p < end && (load<u8>(p) == CR || load<u8>(p) == LF)) p++
  let eol = findByte(p, end, LF)
  if (eol >= end || !startLine(p, eol)) return fail(ERROR_START_LINE, p)
  p = eol + 1

  while (true) {
    const chunk = v128.load(p)
    // Adding 1 brings all that is no visible ASCII below 0x22, read as signed bytes.
    const hidden = i8x16.lt_s(i8x16.add(chunk, i8x16.splat(1)), i8x16.splat(0x22))
    let nameLength = <i32>ctz(i8x16.bitmask(v128.or(hidden, i8x16.eq(chunk, i8x16.splat(0x3a)))))
    let colon = p + <usize>nameLength
    // Nearly every name has its colon in its first block, and nothing between the two.
    if (<u32>nameLength - 1 > 14 || load<u8>(colon) != 0x3a) {
      if (p >= end) return fail(ERROR_NO_END, end)
      const first = <u32>load<u8>(p)
      if (first == LF || (first == CR && load<u8>(p + 1) == LF && p + 1 < end)) {
        p += first == LF ? 1 : 2
        break
      }
      colon = oddColon(p, end)
      if (colon == 0) return fail(ERROR_HEADER, p)
      nameLength = <i32>(nameEnd(p, colon) - p)
      if (nameLength == 0) return fail(ERROR_HEADER, p)
    }
    eol = lineEnd(p, chunk)
    // A line that begins with white space continues the one before (RFC 3261, 7.3.1).
    while (isBlank(load<u8>(eol + 1)) && eol < end) eol = findByte(eol + 1, end, LF)
    if (eol >= end) return fail(ERROR_NO_END, end)

    if (((1 << nameLength) & KNOWN_LENGTHS) != 0) {
      const id = headerId(p, nameLength)
      if (id != OTHER) {
        let from = colon + 1
        let to = eol
        while (from < to && isWhite(load<u8>(from))) from++
        while (to > from && isWhite(load<u8>(to - 1))) to--
        if (id == ID_VIA) via(from, to)
        else if (id == ID_FROM) address(FROM, FROM_TAG, from, to)
        else if (id == ID_TO) address(TO, TO_TAG, from, to)
        else if (id == ID_CALL_ID) callId(from, to)
        else if (id == ID_CONTENT_TYPE) {
          if (field(CONTENT_TYPE) == 0) setRange(CONTENT_TYPE, from, to)
        } else if (id == ID_CSEQ) {
          if (field(CSEQ_METHOD) == 0 && !cseq(from, to)) return fail(ERROR_CSEQ, from)
        } else if (!contentLength(from, to)) return fail(ERROR_CONTENT_LENGTH, from)
      }
    }
    p = eol + 1
  }
  const kind = locateSdp(p, end, announced)
  setField(SUMMARY, summary | (vias << 16) | (kind & 15))
  return 0
}

function fail(code: i32, at: usize): i32 {
  setField(ERROR, code)
  setField(ERROR_AT, <i32>(at - INPUT))
  return code
}

// @ts-ignore: decorator
@inline
export function isBlank(c: u32): bool {
  return c == SP || c == HT
}

/** RFC 3261, 7.1 and 7.2: ` SIP/2.0` ends a request's, `SIP/2.0 ` begins a reply's. */
function startLine(p: usize, eol: usize): bool {
  let end = eol
  if (end > p && load<u8>(end - 1) == CR) end--
  if (end - p < 11) return false
  if ((load<u64>(p) | 0x202020) == 0x20302e322f706973) {
    const a = <u32>load<u8>(p + 8)
    const b = <u32>load<u8>(p + 9)
    const c = <u32>load<u8>(p + 10)
    if (a - 49 > 5 || !isDigit(b) || !isDigit(c)) return false
    if (p + 11 < end && load<u8>(p + 11) != SP) return false
    setField(REQUEST_URI, <i32>((a - 48) * 100 + (b - 48) * 10 + (c - 48)))
    return true
  }
  const version = end - 8
  if ((load<u64>(version) | 0x20202000) != 0x302e322f70697320) return false
  const space = findByte(p, end, SP)
  // RFC 3261, 7.1: a method, a Request-URI, and no white space inside either.
  if (space == p || space + 1 >= version || findByte(space + 1, version, SP) != version) return false
  setRange(METHOD, p, space)
  setRange(REQUEST_URI, space + 1, version)
  return true
}

/** The colon behind a header name, or 0 if the line is no header. Only blanks may stand between the two. */
function oddColon(p: usize, end: usize): usize {
  let blank = false
  while (p < end) {
    const c = <u32>load<u8>(p)
    if (c == 0x3a) return p
    if (isBlank(c)) blank = true
    else if (blank || c < 33 || c > 126) return 0
    p++
  }
  return 0
}

/** Where the name ends whose colon, perhaps behind blanks, is at `colon`. */
export function nameEnd(p: usize, colon: usize): usize {
  while (colon > p && isBlank(load<u8>(colon - 1))) colon--
  return colon
}

/** Names are compared as words; OR-ing 0x20 folds the letters, and only the letters, of each constant. */
export function headerId(p: usize, length: i32): i32 {
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

// Of a header that may stand only once, the first counts (as in the module).

function callId(from: usize, to: usize): void {
  if (field(CALL_ID) != 0) return
  setRange(CALL_ID, from, to)
  summary |= (byteSum(from, to) & 0xff) << 8
}

/** From and To. */
function address(index: i32, tag: i32, from: usize, to: usize): void {
  if (field(index) != 0) return
  setRange(index, from, to)
  tagIn(from, to)
  if (foundStart != 0) setRange(tag, foundStart, foundEnd)
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
  setRange(CSEQ_METHOD, p, end)
  return true
}

/** RFC 3261, 20.14. Repeated values must agree: two lengths for one body are an attack, not a message. */
function contentLength(p: usize, end: usize): bool {
  if (p == end) return false
  const digits = p
  let value = 0
  while (p < end) {
    const c = <u32>load<u8>(p++)
    if (!isDigit(c)) return false
    // Anything beyond the input is as wrong as anything else beyond it, so it need not be exact.
    if (value < 0x1000000) value = value * 10 + <i32>(c - 48)
  }
  if (announced < 0) {
    announced = value
    setRange(CONTENT_LENGTH, digits, end)
    return true
  }
  summary |= CONTENT_LENGTH_AGAIN
  return announced == value
}

/** Counts the Vias of one header and notes the branches of the first two (RFC 3261, 20.42: they may share a line). */
function via(p: usize, end: usize): void {
  while (p < end) {
    p = branchEnd(p, end)
    if (vias < 2 && foundStart != 0) setRange(BRANCH + vias, foundStart, foundEnd)
    vias++
    p++ // the comma
  }
}
