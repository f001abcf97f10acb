// What stands in a header value: quoted strings, comments, and `;name=value` parameters (RFC 3261, 25.1). Nothing here
// reads behind `end`, and a construct that is never closed takes the rest, so that time stays in proportion to size.

import { equalsFolded, findByte, findEither, isWhite, SP } from './bytes'

/** The value `parameters` found: its start (0: none) and length. */
export let foundStart: usize = 0
export let foundLength: i32 = 0

/** Where the header parameters of a From or To value begin: behind `<...>`, or at the first `;` of an addr-spec. */
export function afterAddress(p: usize, end: usize): usize {
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
export function findMark(p: usize, end: usize, a: u32, b: u32): usize {
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

/**
 * Walks `;name=value` parameters up to `end` or a comma outside quotes, which it returns, and notes the value of the
 * parameter called `word`: of the first one or of the last, as the module does for branch and tag.
 */
export function parameters(p: usize, end: usize, word: usize, length: i32, first: bool): usize {
  foundStart = 0
  foundLength = 0
  while (p < end) {
    const c = <u32>load<u8>(p)
    if (c == 0x2c) return p
    if (c == 0x22) p = skipQuoted(p, end)
    else if (c == 0x28) p = skipComment(p, end)
    else if (c != 0x3b) p++
    else {
      p = skipBlank(p + 1, end)
      const name = p
      p = wordEnd(p, end, 0x3d)
      const matches = <i32>(p - name) == length && equalsFolded(name, word, length) && !(first && foundStart != 0)
      p = skipBlank(p, end)
      if (p < end && load<u8>(p) == 0x3d) {
        p = skipBlank(p + 1, end)
        let value = p
        let valueEnd: usize
        if (p < end && load<u8>(p) == 0x22) {
          p = skipQuoted(p, end)
          value++
          // An unterminated string has no value.
          valueEnd = p > value && load<u8>(p - 1) == 0x22 ? p - 1 : value
        } else {
          p = wordEnd(p, end, 0x3b)
          valueEnd = p
        }
        if (matches) {
          foundStart = value
          foundLength = <i32>(valueEnd - value)
        }
      }
    }
  }
  return end
}

/** The end of a parameter's name or value: a control or blank, one of `; , ( "`, or `stop`. */
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

function skipBlank(p: usize, end: usize): usize {
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
export function skipComment(p: usize, end: usize): usize {
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
