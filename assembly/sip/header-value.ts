// What stands in a header value: quoted strings, comments, and `;name=value` parameters (RFC 3261, 25.1). Nothing found here
// lies behind `end`, and a construct that is never closed takes the rest, so that time stays in proportion to size.

import { findByte, findEither, isWhite, lower, SP } from '../bytes'

/** The value `parameters` found: its start (0: none) and end. */
export let foundStart: usize = 0
export let foundEnd: usize = 0

const WORD_TAG: u64 = 0x676174
const WORD_BRANCH: u64 = 0x68636e617262

/** Notes the tag of a From or To value. */
export function tagIn(p: usize, end: usize): void {
  // As nearly everybody writes it: a name or none, `<...>`, then the tag or nothing. Anything else takes the long way.
  let at = p
  if (load<u8>(at) == 0x22) {
    at = findEither(at + 1, end, 0x22, 0x5c)
    if (load<u8>(at) == 0x22) at++
    if (load<u8>(at) == SP) at++
  } else if (load<u8>(at) != 0x3c) at = findMark(at, end, 0x22, 0x3c)
  if (load<u8>(at) == 0x3c) {
    const tag = findByte(at, end, 0x3e) + 1
    foundStart = 0
    if (tag == end) return
    if (((load<u64>(tag) | 0x20202000) & 0xffffffffff) == 0x3d6761743b && tokenEnd(tag + 5, end) == end) {
      foundStart = tag + 5
      foundEnd = end
      return
    }
  }
  parameters(afterAddress(p, end), end, WORD_TAG, 3, false)
}

/** The first control, blank, `;` or mark below `-` in [p, end), or `end`: all that can end a value, and some that cannot. */
// @ts-ignore: decorator
@inline
function tokenEnd(p: usize, end: usize): usize {
  while (p < end) {
    const chunk = v128.load(p)
    const low = i8x16.le_u(chunk, i8x16.splat(0x2c))
    const mask = i8x16.bitmask(v128.or(low, i8x16.eq(chunk, i8x16.splat(0x3b))))
    if (mask != 0) {
      const at = p + <usize>ctz(mask)
      return at < end ? at : end
    }
    p += 16
  }
  return end
}

/** Where the header parameters of a From or To value begin: behind `<...>`, or at the first `;` of an addr-spec. */
function afterAddress(p: usize, end: usize): usize {
  let comments = true
  while (true) {
    p = findMark(p, end, 0x22, 0x3c)
    if (p >= end) return end
    const c = <u32>load<u8>(p)
    if (c == 0x22) p = skipQuoted(p, end)
    else if (c == 0x3c) {
      const close = findByte(p, end, 0x3e)
      return close == end ? end : close + 1
    } else if (c == 0x3b) return p
    else if (c == 0x28 && comments) {
      const after = skipComment(p, end)
      // A smiley in a display name opens no comment; one that is never closed is text, and so is all after it.
      if (after == end && load<u8>(end - 1) != 0x29) {
        comments = false
        p++
      } else p = after
    } else p++
  }
}

/** The first `;`, `(`, `a` or `b` in [p, end), or `end`. */
// @ts-ignore: decorator
@inline
function findMark(p: usize, end: usize, a: u32, b: u32): usize {
  while (p < end) {
    const chunk = v128.load(p)
    const mask = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(chunk, i8x16.splat(0x3b)), i8x16.eq(chunk, i8x16.splat(0x28))),
        v128.or(i8x16.eq(chunk, i8x16.splat(<i8>a)), i8x16.eq(chunk, i8x16.splat(<i8>b))),
      ),
    )
    if (mask != 0) {
      const at = p + <usize>ctz(mask)
      return at < end ? at : end
    }
    p += 16
  }
  return end
}

/** OR-ing 0x20 folds the letters, and only the letters, of a lower-case word. */
const FOLD: u64 = 0x2020202020202020

/**
 * Walks `;name=value` parameters up to `end` or a comma outside quotes, which it returns, and notes the value of the
 * parameter called `word` (the `length` bytes of a little-endian number, lower case): of the first one or of the last, as
 * the module does for branch and tag.
 */
function parameters(p: usize, end: usize, word: u64, length: usize, first: bool): usize {
  const mask = ((<u64>1) << (<u64>length << 3)) - 1
  foundStart = 0
  foundEnd = 0
  while (true) {
    // Of a parameter with another name nothing matters but where the next one begins.
    p = findMark(p, end, 0x22, 0x2c)
    if (p >= end) return end
    const c = <u32>load<u8>(p)
    if (c == 0x2c) return p
    if (c == 0x22) p = skipQuoted(p, end)
    else if (c == 0x28) p = skipComment(p, end)
    else {
      const name = skipBlank(p + 1, end)
      p = name
      if (((load<u64>(name) | FOLD) & mask) != word || name + length > end) continue
      if (load<u8>(name + length) != 0x3d && wordEnd(name, end, 0x3d) != name + length) continue
      if (first && foundStart != 0) continue
      p = skipBlank(name + length, end)
      if (p >= end || load<u8>(p) != 0x3d) continue
      p = skipBlank(p + 1, end)
      if (p < end && load<u8>(p) == 0x22) {
        foundStart = p + 1
        p = skipQuoted(p, end)
        // An unterminated string has no value.
        foundEnd = p > foundStart && load<u8>(p - 1) == 0x22 ? p - 1 : foundStart
      } else {
        foundStart = p
        p = wordEnd(p, end, 0x3b)
        foundEnd = p
      }
    }
  }
}

/** Notes the branch of the Via at `p`; returns the comma behind that Via, or `end`. */
export function branchEnd(p: usize, end: usize): usize {
  // sent-protocol and sent-by hold neither of these outside comments; an IPv6 reference has colons only.
  const start = findMark(p, end, 0x2c, 0x2c)
  // As nearly everybody writes it: parameters without blanks, quotes and comments. Anything else takes the long way.
  foundStart = 0
  p = start
  while (true) {
    if (p >= end || load<u8>(p) == 0x2c) return p
    const first = lower(load<u8>(p + 1))
    if (load<u8>(p) != 0x3b || first <= SP || first == 0x28) break
    if (first == 0x62) {
      if ((load<u64>(p) | 0x0020202020202000) != 0x3d68636e6172623b) break
      const stop = tokenEnd(p + 8, end)
      if (stop < end && load<u8>(stop) != 0x3b) break
      if (foundStart == 0) {
        foundStart = p + 8
        foundEnd = stop
      }
      p = stop
    } else p = findMark(p + 1, end, 0x22, 0x2c)
  }
  p = start
  while (p < end && load<u8>(p) == 0x28) p = findMark(skipComment(p, end), end, 0x2c, 0x2c)
  return parameters(p, end, WORD_BRANCH, 6, true)
}

/** The end of a parameter's name or value: a control or blank, one of `; , ( "`, or `stop`. */
// @ts-ignore: decorator
@inline
function wordEnd(p: usize, end: usize, stop: u32): usize {
  while (p < end) {
    const chunk = v128.load(p)
    const marks = v128.or(
      v128.or(i8x16.eq(chunk, i8x16.splat(0x3b)), i8x16.eq(chunk, i8x16.splat(0x2c))),
      v128.or(i8x16.eq(chunk, i8x16.splat(0x28)), i8x16.eq(chunk, i8x16.splat(0x22))),
    )
    const blanks = i8x16.le_u(chunk, i8x16.splat(<i8>SP))
    const mask = i8x16.bitmask(v128.or(v128.or(marks, blanks), i8x16.eq(chunk, i8x16.splat(<i8>stop))))
    if (mask != 0) {
      const at = p + <usize>ctz(mask)
      return at < end ? at : end
    }
    p += 16
  }
  return end
}

// @ts-ignore: decorator
@inline
function skipBlank(p: usize, end: usize): usize {
  const c = <u32>load<u8>(p)
  return c > SP && c != 0x28 ? p : skipBlanks(p, end)
}

function skipBlanks(p: usize, end: usize): usize {
  while (p < end) {
    const c = <u32>load<u8>(p)
    if (isWhite(c)) p++
    else if (c == 0x28) p = skipComment(p, end)
    else break
  }
  return p
}

/** `p` is at the opening quote; returns the place behind the closing one, or `end` (RFC 3261, 25.1 quoted-string). */
function skipQuoted(p: usize, end: usize): usize {
  p++
  while (true) {
    p = findEither(p, end, 0x22, 0x5c)
    if (p >= end) return end
    if (load<u8>(p) == 0x22) return p + 1
    p += 2
  }
}

/** `p` is at the opening parenthesis; comments nest and may hold quoted pairs (RFC 3261, 25.1 comment). */
function skipComment(p: usize, end: usize): usize {
  let depth = 0
  while (p < end) {
    const c = <u32>load<u8>(p)
    if (c == 0x5c) p++
    else if (c == 0x28) depth++
    else if (c == 0x29 && --depth == 0) return p + 1
    p++
  }
  return end
}
