// The fused paths. SIP message -> NG request: the offsets of the scan are copied straight into the dictionary.
// NG reply -> SIP message: the reply's SDP takes the place of the message's, and Content-Length follows.

import { equals, isDigit, write, writeDecimal } from './bytes'
import {
  BODY,
  BRANCH,
  CALL_ID,
  CONTENT_LENGTH,
  FROM_TAG,
  HEADER_COUNT,
  HEADER_SIZE,
  ID_CONTENT_LENGTH,
  KIND,
  KIND_REQUEST,
  SDP,
  SDP_KIND,
  TO,
  TO_TAG,
} from './fields'
import { field, INPUT, OUTPUT, PARAMS, REPLY, setField, TABLE } from './memory'
import { sipScan } from './sip'

// Commands; src/core/ng.ts has the same list.
const COMMAND_OFFER = 0
const COMMAND_ANSWER = 1

// Why there is no request, below zero; src/core/ng.ts has the same list.
const NO_SCAN = -1
const NO_CALL_ID = -2
const NO_TO = -3
const NO_FROM_TAG = -4
const NO_SDP = -5
const NO_BRANCH = -6
const NO_TO_TAG = -7

/** Behind `via-branch`: 0 none, 1 and 2 the first and second Via, 3 the bytes in PARAMS. */
const BRANCH_PARAMETER = 3

const KEY_SDP = memory.data<u8>([0x33, 0x3a, 0x73, 0x64, 0x70]) // 3:sdp
const KEY_CALL_ID = memory.data<u8>([0x37, 0x3a, 0x63, 0x61, 0x6c, 0x6c, 0x2d, 0x69, 0x64]) // 7:call-id
const KEY_BRANCH = memory.data<u8>([
  0x31, 0x30, 0x3a, 0x76, 0x69, 0x61, 0x2d, 0x62, 0x72, 0x61, 0x6e, 0x63, 0x68, // 10:via-branch
])
const KEY_FROM_TAG = memory.data<u8>([0x38, 0x3a, 0x66, 0x72, 0x6f, 0x6d, 0x2d, 0x74, 0x61, 0x67]) // 8:from-tag
const KEY_TO_TAG = memory.data<u8>([0x36, 0x3a, 0x74, 0x6f, 0x2d, 0x74, 0x61, 0x67]) // 6:to-tag

/**
 * Scans the SIP message of `length` bytes at INPUT and writes its NG request to OUTPUT, behind `room` bytes left for the
 * cookie. PARAMS holds, one behind the other: what the flags became (`flagsLength` bytes of key-value pairs), a
 * via-branch for `branch` = 3 (`branchLength`), what stands between via-branch and the tags (`middleLength`), and the
 * pair that ends the dictionary, `7:command...` (`commandLength`).
 *
 * `toTag`: whether a To tag goes into a request whose roles are not swapped. Returns the length written, `room`
 * included, or one of the reasons above.
 */
export function ngRequest(
  length: i32,
  command: i32,
  toTag: bool,
  branch: i32,
  room: i32,
  flagsLength: i32,
  branchLength: i32,
  middleLength: i32,
  commandLength: i32,
): i32 {
  if (sipScan(length) != 0) return NO_SCAN
  if (field(CALL_ID + 1) == 0) return NO_CALL_ID
  if (field(TO) == 0) return NO_TO
  if (field(FROM_TAG + 1) == 0) return NO_FROM_TAG

  let p = OUTPUT + <usize>room
  store<u8>(p++, 0x64) // d
  if (command == COMMAND_OFFER || command == COMMAND_ANSWER) {
    if (field(SDP_KIND) <= 0) return NO_SDP
    p = write(p, KEY_SDP, 5)
    p = writeString(p, INPUT + <usize>field(SDP), field(SDP + 1) - field(SDP))
  }
  let parameter = PARAMS
  p = write(p, parameter, flagsLength)
  parameter += flagsLength
  p = write(p, KEY_CALL_ID, 9)
  p = writeField(p, CALL_ID)
  if (branch != 0) {
    p = write(p, KEY_BRANCH, 13)
    if (branch == BRANCH_PARAMETER) p = writeString(p, parameter, branchLength)
    else {
      const index = BRANCH + (branch - 1) * 2
      if (field(index) < 0 || field(index + 1) == 0) return NO_BRANCH
      p = writeField(p, index)
    }
  }
  parameter += branchLength
  p = write(p, parameter, middleLength)
  parameter += middleLength

  // An answer travels against the dialog's direction in a reply, everything else does in a request.
  const straight = (field(KIND) == KIND_REQUEST) != (command == COMMAND_ANSWER)
  if (!straight && field(TO_TAG + 1) == 0) return NO_TO_TAG
  p = write(p, KEY_FROM_TAG, 10)
  p = writeField(p, straight ? FROM_TAG : TO_TAG)
  if (!straight || (toTag && field(TO_TAG + 1) != 0)) {
    p = write(p, KEY_TO_TAG, 8)
    p = writeField(p, straight ? TO_TAG : FROM_TAG)
  }
  p = write(p, parameter, commandLength)
  store<u8>(p++, 0x65) // e
  return <i32>(p - OUTPUT)
}

// @ts-ignore: decorator
@inline
function writeField(p: usize, index: i32): usize {
  return writeString(p, INPUT + <usize>field(index), field(index + 1))
}

// @ts-ignore: decorator
@inline
function writeString(p: usize, from: usize, length: i32): usize {
  p = writeDecimal(p, length)
  store<u8>(p++, 0x3a)
  return write(p, from, length)
}

// What a reply says, left in the field table behind the SIP scan's; src/core/ng.ts has the same list. Ranges are
// start (from REPLY) and length; start 0: not there.
const RESULT = 40
const RESULT_TEXT = 41
const REPLY_SDP = 43
const REASON = 45 // error-reason, or message
const WARNING = 47
const REPLY_ERROR_AT = 49
/** Where in OUTPUT the SDP stands after a splice. */
const SPLICED_AT = 50

const RESULT_OTHER = 0
const RESULT_OK = 1
const RESULT_ERROR = 2
const RESULT_PONG = 3
const RESULT_LOAD_LIMIT = 4
const REPLY_MALFORMED = -1

const WORD_RESULT = memory.data<u8>([0x72, 0x65, 0x73, 0x75, 0x6c, 0x74])
const WORD_ERROR_REASON = memory.data<u8>([0x65, 0x72, 0x72, 0x6f, 0x72, 0x2d, 0x72, 0x65, 0x61, 0x73, 0x6f, 0x6e])
const WORD_MESSAGE = memory.data<u8>([0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65])
const WORD_WARNING = memory.data<u8>([0x77, 0x61, 0x72, 0x6e, 0x69, 0x6e, 0x67])
const WORD_ERROR = memory.data<u8>([0x65, 0x72, 0x72, 0x6f, 0x72])
const WORD_PONG = memory.data<u8>([0x70, 0x6f, 0x6e, 0x67])
const WORD_LOAD_LIMIT = memory.data<u8>([0x6c, 0x6f, 0x61, 0x64, 0x20, 0x6c, 0x69, 0x6d, 0x69, 0x74])

const MAX_DEPTH = 64

/** The string `string` has just read: where its bytes are, how many, and where what follows begins (0: no string). */
let text: usize = 0
let textLength: i32 = 0

/**
 * Reads the dictionary of `length` bytes at REPLY: checks its whole form (as strict as the decoder) and notes what its
 * top level says. Returns the kind of result, or -1 with the place of the error.
 */
export function ngReplyScan(length: i32): i32 {
  setField(RESULT_TEXT, 0)
  setField(REPLY_SDP, 0)
  setField(REASON, 0)
  setField(WARNING, 0)
  const end = REPLY + <usize>length
  // A sentinel no token can contain keeps look-ahead from running on.
  store<u8>(end, 0)
  let p = REPLY
  if (load<u8>(p) != 0x64) return malformed(p)
  p++
  let result = RESULT_OTHER
  while (load<u8>(p) != 0x65) {
    const keyEnd = string(p, end)
    if (keyEnd == 0) return malformed(p)
    const key = text
    const keyLength = textLength
    const valueEnd = value(keyEnd, end)
    if (valueEnd == 0) return malformed(keyEnd)
    if (isDigit(load<u8>(keyEnd))) {
      string(keyEnd, end)
      if (keyLength == 3 && equals(key, KEY_SDP + 2, 3)) setText(REPLY_SDP)
      else if (keyLength == 6 && equals(key, WORD_RESULT, 6)) {
        setText(RESULT_TEXT)
        result = resultKind()
      } else if (keyLength == 7 && equals(key, WORD_WARNING, 7)) setText(WARNING)
      else if (keyLength == 12 && equals(key, WORD_ERROR_REASON, 12)) setText(REASON)
      else if (keyLength == 7 && field(REASON) == 0 && equals(key, WORD_MESSAGE, 7)) setText(REASON)
    }
    p = valueEnd
  }
  if (p + 1 != end) return malformed(p + 1)
  setField(RESULT, result)
  return result
}

function malformed(at: usize): i32 {
  setField(REPLY_ERROR_AT, <i32>(at - REPLY))
  return REPLY_MALFORMED
}

function setText(index: i32): void {
  setField(index, <i32>(text - REPLY))
  setField(index + 1, textLength)
}

function resultKind(): i32 {
  if (textLength == 2 && load<u16>(text) == 0x6b6f) return RESULT_OK
  if (textLength == 5 && equals(text, WORD_ERROR, 5)) return RESULT_ERROR
  if (textLength == 4 && equals(text, WORD_PONG, 4)) return RESULT_PONG
  return textLength == 10 && equals(text, WORD_LOAD_LIMIT, 10) ? RESULT_LOAD_LIMIT : RESULT_OTHER
}

/** A byte string at `p`: returns the place behind it and notes its bytes, or 0. */
function string(p: usize, end: usize): usize {
  const first = <u32>load<u8>(p)
  if (!isDigit(first)) return 0
  let length = first - 48
  p++
  if (first != 48) {
    while (isDigit(load<u8>(p))) {
      length = length * 10 + (load<u8>(p++) - 48)
      if (length > 0xffff) return 0
    }
  }
  if (load<u8>(p) != 0x3a) return 0
  p++
  if (<usize>length > end - p) return 0
  text = p
  textLength = <i32>length
  return p + length
}

/** An integer at `p` (behind its `i`): the place behind its `e`, or 0. Signed 64 bits, no leading zeros, no -0. */
function integer(p: usize): usize {
  const negative = load<u8>(p) == 0x2d
  if (negative) p++
  const digits = p
  let magnitude: u64 = 0
  while (isDigit(load<u8>(p))) {
    const digit = <u64>load<u8>(p) - 48
    if (p - digits >= 18) {
      const limit: u64 = negative ? 0x8000000000000000 : 0x7fffffffffffffff
      if (magnitude > limit / 10 || magnitude * 10 > limit - digit) return 0
    }
    magnitude = magnitude * 10 + digit
    p++
  }
  if (p == digits || load<u8>(p) != 0x65) return 0
  if (load<u8>(digits) == 48 && (negative || p - digits > 1)) return 0
  return p + 1
}

/** Any value at `p`: the place behind it, or 0. A bit a level says which levels are dictionaries, and which of those
 *  wait for a value. The value itself stands at level 1: it is already inside the reply's dictionary. */
function value(p: usize, end: usize): usize {
  let depth = 1
  let dictionaries: u64 = 0
  let waiting: u64 = 0
  do {
    const bit = <u64>1 << <u64>(depth - 1)
    const inside = depth > 1
    const c = <u32>load<u8>(p)
    if (c == 0x65 && inside) {
      if ((waiting & bit) != 0) return 0
      depth--
      p++
      continue
    }
    if (inside && (dictionaries & bit) != 0 && (waiting & bit) == 0) {
      p = string(p, end)
      if (p == 0) return 0
      waiting |= bit
      continue
    }
    waiting &= ~bit
    if (c == 0x64 || c == 0x6c) {
      if (depth == MAX_DEPTH) return 0
      depth++
      const next = bit << 1
      dictionaries = c == 0x64 ? dictionaries | next : dictionaries & ~next
      waiting &= ~next
      p++
    } else {
      p = c == 0x69 ? integer(p + 1) : string(p, end)
      if (p == 0) return 0
    }
  } while (depth > 1)
  return p
}

/** What `ngReply` returns when the message has no SDP to replace; below zero like the others. */
const NO_REPLY_SDP = -8

/**
 * Puts the SDP of the NG reply (`replyLength` bytes at REPLY, already read by `ngReplyScan`) into the SIP message of
 * `length` bytes at INPUT and writes the message to OUTPUT. Every Content-Length follows; bytes that Content-Length cut
 * off stay off. Returns the new length, or a reason below zero.
 */
export function ngReply(length: i32): i32 {
  if (field(REPLY_SDP) == 0) return NO_REPLY_SDP
  const sdp = REPLY + <usize>field(REPLY_SDP)
  return splice(length, sdp, field(REPLY_SDP + 1))
}

/** The same with an SDP of `sdpLength` bytes at REPLY. */
export function sipSplice(length: i32, sdpLength: i32): i32 {
  return splice(length, REPLY, sdpLength)
}

function splice(length: i32, sdp: usize, sdpLength: i32): i32 {
  if (sipScan(length) != 0) return NO_SCAN
  if (field(SDP_KIND) <= 0) return NO_SDP
  const start = field(SDP)
  const end = field(SDP + 1)
  const bodyEnd = field(BODY + 1)
  const contentLength = bodyEnd - field(BODY) - (end - start) + sdpLength

  let p = OUTPUT
  let copied = 0
  if (field(CONTENT_LENGTH) >= 0) {
    let record = TABLE
    for (let i = field(HEADER_COUNT); i > 0; i--, record += HEADER_SIZE) {
      if (load<i32>(record + 4) >> 16 != ID_CONTENT_LENGTH) continue
      const from = load<i32>(record + 8)
      p = write(p, INPUT + <usize>copied, from - copied)
      p = writeDecimal(p, contentLength)
      copied = load<i32>(record + 12)
    }
  }
  p = write(p, INPUT + <usize>copied, start - copied)
  setField(SPLICED_AT, <i32>(p - OUTPUT))
  p = write(p, sdp, sdpLength)
  p = write(p, INPUT + <usize>end, bodyEnd - end)
  return <i32>(p - OUTPUT)
}
