// Walks over the headers of a message that the scan has accepted, for what is seldom asked for: all of them, the branch of
// a Via behind the second, a Content-Length that comes again.

import { findByte, isWhite, LF } from '../bytes'
import { BODY, BRANCH_WANTED, HEADER_SIZE } from './fields'
import { branchEnd, foundEnd, foundStart } from './header-value'
import { INPUT, rangeStart, setField, setRange, TABLE } from '../memory'
import { headerId, ID_CONTENT_LENGTH, ID_VIA, isBlank, nameEnd, sipScan } from '../sip'

/** The header that `nextHeader` has read: its name and its value. */
let name: usize = 0
let nameStop: usize = 0
export let value: usize = 0
export let valueEnd: usize = 0

/** Reads the header at `p`, over folded lines; returns the place behind it, or 0 if there is none before `end`. */
function nextHeader(p: usize, end: usize): usize {
  const colon = findByte(p, end, 0x3a)
  if (colon == end) return 0
  let eol = findByte(colon, end, LF)
  while (eol < end && isBlank(load<u8>(eol + 1))) eol = findByte(eol + 1, end, LF)
  name = p
  nameStop = nameEnd(p, colon)
  value = colon + 1
  valueEnd = eol
  while (value < valueEnd && isWhite(load<u8>(value))) value++
  while (valueEnd > value && isWhite(load<u8>(valueEnd - 1))) valueEnd--
  return eol + 1
}

// @ts-ignore: decorator
@inline
function isHeader(id: i32): bool {
  return headerId(name, <i32>(nameStop - name)) == id
}

/** Where the headers of the message begin: behind the start line, which may stand behind empty lines. */
function firstHeader(end: usize): usize {
  let p = INPUT
  while (p < end && isWhite(load<u8>(p))) p++
  return findByte(p, end, LF) + 1
}

/** Scans the message of `length` bytes at INPUT and leaves a record of each header in TABLE. Returns how many there are,
 *  or -1 with an error as `sipScan` leaves it. */
export function sipHeaders(length: i32): i32 {
  if (sipScan(length) != 0) return -1
  const end = rangeStart(BODY)
  let record = TABLE
  for (let p = nextHeader(firstHeader(end), end); p != 0; p = nextHeader(p, end)) {
    store<i32>(record, <i32>(name - INPUT))
    store<i32>(record, <i32>(nameStop - INPUT), 4)
    store<i32>(record, <i32>(value - INPUT), 8)
    store<i32>(record, <i32>(valueEnd - INPUT), 12)
    record += HEADER_SIZE
  }
  return <i32>((record - TABLE) / HEADER_SIZE)
}

/** Scans as `sipScan`, and notes the branch of the Via with this number, counted from 1. */
export function sipBranch(length: i32, number: i32): i32 {
  const code = sipScan(length)
  if (code != 0) return code
  setField(BRANCH_WANTED, 0)
  const end = rangeStart(BODY)
  for (let p = nextHeader(firstHeader(end), end); p != 0; p = nextHeader(p, end)) {
    if (!isHeader(ID_VIA)) continue
    for (let at = value; at < valueEnd; at++) {
      at = branchEnd(at, valueEnd)
      if (--number == 0 && foundStart != 0) setRange(BRANCH_WANTED, foundStart, foundEnd)
    }
  }
  return 0
}

/** Reads on, from inside a header's value, to the next Content-Length before `end`; false: there is none. */
export function nextContentLength(p: usize, end: usize): bool {
  p = findByte(p, end, LF) + 1
  while (p < end) {
    p = nextHeader(p, end)
    if (p == 0) return false
    if (isHeader(ID_CONTENT_LENGTH)) return true
  }
  return false
}
