// Where the SDP stands in a SIP body: the whole of it, or a part of a multipart one (RFC 2046, 5.1), nested or not.

import { CR, equalsFolded, findByte, HT, isWhite, LF, SP } from '../bytes'
import { BODY, CONTENT_TYPE, SDP } from './fields'
import { field, rangeEnd, rangeStart, setRange } from '../memory'

// The kinds of SDP; src/core/sip.ts has the same list. Below zero: why there is none.
const KIND_TYPED = 1
const KIND_UNTYPED = 2
const KIND_MULTIPART = 3
const NONE_TRUNCATED = -1
const NONE_OTHER_TYPE = -2
const NONE_EMPTY = -3
const NONE_NO_BOUNDARY = -4
const NONE_NO_PART = -5
const NONE_ENCODED = -6
const NONE_TOO_DEEP = -7

const MAX_DEPTH = 8

const TYPE_OTHER = 0
const TYPE_SDP = 1
const TYPE_MULTIPART = 2

const APPLICATION_SDP = memory.data<u8>([
  0x61, 0x70, 0x70, 0x6c, 0x69, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x73, 0x64, 0x70, 0,
])
const WORD_APPLICATION = memory.data<u8>([0x61, 0x70, 0x70, 0x6c, 0x69, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e])
const WORD_SDP = memory.data<u8>([0x73, 0x64, 0x70])
const WORD_MULTIPART = memory.data<u8>([0x6d, 0x75, 0x6c, 0x74, 0x69, 0x70, 0x61, 0x72, 0x74])
const WORD_BOUNDARY = memory.data<u8>([0x62, 0x6f, 0x75, 0x6e, 0x64, 0x61, 0x72, 0x79])
const WORD_CONTENT_TYPE = memory.data<u8>([0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65])
const WORD_ENCODING = memory.data<u8>([
  0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x72, 0x61, 0x6e, 0x73, 0x66, 0x65, 0x72, 0x2d, 0x65, 0x6e,
  0x63, 0x6f, 0x64, 0x69, 0x6e, 0x67, // content-transfer-encoding
])
const WORD_7BIT = memory.data<u8>([0x37, 0x62, 0x69, 0x74])
const WORD_8BIT = memory.data<u8>([0x38, 0x62, 0x69, 0x74])
const WORD_BINARY = memory.data<u8>([0x62, 0x69, 0x6e, 0x61, 0x72, 0x79])

/** The boundary `boundary` found; length 0: none. */
let boundaryStart: usize = 0
let boundaryLength: i32 = 0

/** Sets BODY and SDP for the body at `start` of a message that ends at `end`, and returns the kind. A Content-Length
 *  (`announced`; below zero: none) that leaves bytes over cuts them off; one that asks for more than there are leaves no
 *  body to use. */
export function locateSdp(start: usize, end: usize, announced: i32): i32 {
  const truncated = announced > <i32>(end - start)
  const stop = announced < 0 || truncated ? end : start + <usize>announced
  setRange(BODY, start, stop)
  if (truncated) return NONE_TRUNCATED
  if (stop == start) return NONE_EMPTY
  if (field(CONTENT_TYPE) == 0) return found(start, stop, KIND_UNTYPED)
  return search(rangeStart(CONTENT_TYPE), rangeEnd(CONTENT_TYPE), start, stop, 0)
}

function found(start: usize, end: usize, kind: i32): i32 {
  setRange(SDP, start, end)
  return kind
}

function search(type: usize, typeEnd: usize, start: usize, end: usize, depth: i32): i32 {
  const kind = mediaType(type, typeEnd)
  if (kind == TYPE_SDP) return start < end ? found(start, end, depth == 0 ? KIND_TYPED : KIND_MULTIPART) : NONE_EMPTY
  if (kind != TYPE_MULTIPART) return NONE_OTHER_TYPE
  if (depth == MAX_DEPTH) return NONE_TOO_DEEP
  boundary(type, typeEnd)
  if (boundaryLength == 0) return NONE_NO_BOUNDARY
  return parts(start, end, boundaryStart, boundaryLength, depth)
}

/** Goes through the parts between delimiter lines; the first SDP wins, as in the module. */
function parts(start: usize, end: usize, mark: usize, markLength: i32, depth: i32): i32 {
  let reason = NONE_NO_PART
  let line = start
  let part: usize = 0
  while (true) {
    const atEnd = line >= end
    const lineEnd = atEnd ? end : findByte(line, end, LF)
    const delimiter = atEnd ? 0 : delimiterKind(line, lineEnd, mark, markLength)
    if (atEnd || delimiter != 0) {
      if (part != 0) {
        // The line end before a delimiter belongs to the delimiter (RFC 2046, 5.1.1); a missing last delimiter is
        // forgiven, and then the body's end is the part's.
        let partEnd = line < end ? line : end
        if (!atEnd && partEnd > part && load<u8>(partEnd - 1) == LF) {
          partEnd--
          if (partEnd > part && load<u8>(partEnd - 1) == CR) partEnd--
        }
        const kind = onePart(part, partEnd, depth)
        if (kind > 0) return kind
        if (kind == NONE_ENCODED || kind == NONE_TOO_DEEP) reason = kind
      }
      if (atEnd || delimiter == 2) return reason
      part = lineEnd < end ? lineEnd + 1 : end
    }
    line = lineEnd + 1
  }
}

/** 0: no delimiter line; 1: one; 2: the closing one. */
function delimiterKind(line: usize, lineEnd: usize, mark: usize, length: i32): i32 {
  if (<i32>(lineEnd - line) < length + 2) return 0
  if (load<u16>(line) != 0x2d2d) return 0
  for (let i: usize = 0; i < <usize>length; i++) if (load<u8>(line + 2 + i) != load<u8>(mark + i)) return 0
  let p = line + 2 + <usize>length
  let kind = 1
  if (p + 2 <= lineEnd && load<u16>(p) == 0x2d2d) {
    kind = 2
    p += 2
  }
  while (p < lineEnd) if (!isWhite(load<u8>(p++))) return 0
  return kind
}

function onePart(p: usize, end: usize, depth: i32): i32 {
  let type: usize = 0
  let typeEnd: usize = 0
  let encoded = false
  while (true) {
    if (p >= end) return NONE_NO_PART
    if (load<u8>(p) == LF) {
      p++
      break
    }
    if (load<u8>(p) == CR && p + 1 < end && load<u8>(p + 1) == LF) {
      p += 2
      break
    }
    let eol = findByte(p, end, LF)
    while (eol + 1 < end && (load<u8>(eol + 1) == SP || load<u8>(eol + 1) == HT)) eol = findByte(eol + 1, end, LF)
    const colon = findByte(p, eol, 0x3a)
    let nameEnd = colon
    while (nameEnd > p && isWhite(load<u8>(nameEnd - 1))) nameEnd--
    let from = colon < eol ? colon + 1 : eol
    let to = eol
    while (from < to && isWhite(load<u8>(from))) from++
    while (to > from && isWhite(load<u8>(to - 1))) to--
    const nameLength = <i32>(nameEnd - p)
    if ((nameLength == 12 && equalsFolded(p, WORD_CONTENT_TYPE, 12)) || (nameLength == 1 && (load<u8>(p) | 32) == 0x63)) {
      type = from
      typeEnd = to
    } else if (nameLength == 25 && equalsFolded(p, WORD_ENCODING, 25)) encoded = !isIdentity(from, <i32>(to - from))
    p = eol + 1
  }
  if (type == 0) return NONE_OTHER_TYPE
  // The module skips empty lines before a part's SDP.
  if (mediaType(type, typeEnd) == TYPE_SDP) {
    if (encoded) return NONE_ENCODED
    while (p < end && (load<u8>(p) == CR || load<u8>(p) == LF)) p++
  }
  return search(type, typeEnd, p, end, depth + 1)
}

/** RFC 2045, 6.1: the encodings that leave the bytes as they are. */
function isIdentity(p: usize, length: i32): bool {
  if (length == 4) return equalsFolded(p, WORD_7BIT, 4) || equalsFolded(p, WORD_8BIT, 4)
  return length == 6 && equalsFolded(p, WORD_BINARY, 6)
}

/** `type / subtype`, blanks around the slash allowed; the subtype ends at `;`, a blank or the end. */
function mediaType(p: usize, end: usize): i32 {
  // As nearly everybody writes it: application/sdp, compared in one go, every letter in either case.
  const letters = i8x16(32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 0, 32, 32, 32, 0)
  const usual = i8x16.eq(v128.or(v128.load(p), letters), v128.load(APPLICATION_SDP))
  if ((i8x16.bitmask(usual) & 0x7fff) == 0x7fff && (p + 15 == end || (p + 15 < end && endsSubtype(load<u8>(p + 15))))) {
    return TYPE_SDP
  }
  const type = p
  while (p < end && load<u8>(p) != 0x2f && !isWhite(load<u8>(p))) p++
  const typeLength = <i32>(p - type)
  while (p < end && isWhite(load<u8>(p))) p++
  if (p == end || load<u8>(p) != 0x2f) return TYPE_OTHER
  p++
  while (p < end && isWhite(load<u8>(p))) p++
  const subtype = p
  while (p < end && !endsSubtype(load<u8>(p))) p++
  const subtypeLength = <i32>(p - subtype)
  if (typeLength == 11 && subtypeLength == 3 && equalsFolded(type, WORD_APPLICATION, 11)) {
    return equalsFolded(subtype, WORD_SDP, 3) ? TYPE_SDP : TYPE_OTHER
  }
  return typeLength == 9 && subtypeLength > 0 && equalsFolded(type, WORD_MULTIPART, 9) ? TYPE_MULTIPART : TYPE_OTHER
}

// @ts-ignore: decorator
@inline
function endsSubtype(c: u32): bool {
  return c == 0x3b || isWhite(c)
}

/** The boundary parameter of a Content-Type, quoted or not. */
function boundary(p: usize, end: usize): void {
  boundaryLength = 0
  while (p < end) {
    while (p < end && load<u8>(p) != 0x3b) p++
    p++
    while (p < end && isWhite(load<u8>(p))) p++
    const name = p
    while (p < end && load<u8>(p) != 0x3d && load<u8>(p) != 0x3b && !isWhite(load<u8>(p))) p++
    const matches = <i32>(p - name) == 8 && equalsFolded(name, WORD_BOUNDARY, 8)
    while (p < end && isWhite(load<u8>(p))) p++
    if (p < end && load<u8>(p) == 0x3d) {
      p++
      while (p < end && isWhite(load<u8>(p))) p++
      const quoted = p < end && load<u8>(p) == 0x22
      if (quoted) p++
      const value = p
      while (p < end && (quoted ? load<u8>(p) != 0x22 : load<u8>(p) != 0x3b && !isWhite(load<u8>(p)))) p++
      if (matches) {
        boundaryStart = value
        boundaryLength = <i32>(p - value)
        return
      }
      if (quoted) p++
    }
  }
}
