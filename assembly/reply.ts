// Reading an NG reply: its whole form is checked, and what its top level says is noted, without building anything.

import { equals, isDigit } from './bytes'
import { field, REPLY, setField } from './memory'

// What a reply says, left in the field table behind the SIP scan's; src/core/ng.ts has the same list. Ranges are
// start (from REPLY) and length; start 0: not there.
const RESULT = 40
const RESULT_TEXT = 41
export const REPLY_SDP = 43
const REASON = 45 // error-reason, or message
const WARNING = 47
const REPLY_ERROR_AT = 49

const RESULT_OTHER = 0
const RESULT_OK = 1
const RESULT_ERROR = 2
const RESULT_PONG = 3
const RESULT_LOAD_LIMIT = 4
const REPLY_MALFORMED = -1

const WORD_SDP = memory.data<u8>([0x73, 0x64, 0x70])
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
      if (keyLength == 3 && equals(key, WORD_SDP, 3)) setText(REPLY_SDP)
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
