// The fused paths. SIP message -> NG request: the offsets of the scan are copied straight into the dictionary.
// NG reply -> SIP message: the reply's SDP takes the place of the message's, and Content-Length follows.

import { write, writeDecimal } from './bytes'
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
import { REPLY_SDP } from './reply'
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

/** Where in OUTPUT the SDP stands after a splice: a field behind those of the reply. */
const SPLICED_AT = 50

/** The reply has no SDP to put into the message. */
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
