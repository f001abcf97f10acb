// The fused paths. SIP message -> NG request: what the scan found is copied straight into the dictionary. NG reply -> SIP
// message: the reply's SDP takes the place of the message's, and Content-Length follows.
//
// Each comes in two: one that scans the message first, and one for a table that a scan of the same message has left
// before and the caller has put back into the first words of FIELDS.

import { write, writeDecimal } from './bytes'
import {
  BODY,
  BRANCH,
  CALL_ID,
  CONTENT_LENGTH,
  CONTENT_LENGTH_AGAIN,
  FROM_TAG,
  METHOD,
  SDP,
  SUMMARY,
  TO,
  TO_TAG,
} from './sip/fields'
import { nextContentLength, value, valueEnd } from './sip/headers'
import { field, FIELDS, INPUT, OUTPUT, PARAMS, rangeEnd, rangeLength, rangeStart, REPLY, setField } from './memory'
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
const NO_REPLY_SDP = -8
const OTHER_MESSAGE = -9

// What `parties` is made of; src/core/ng.ts has the same list.
/** A To tag goes into a request whose roles are not swapped. */
const WITH_TO_TAG = 1
/** The sender is who From names, whatever the message and the command. */
const KEEP_ROLES = 2

/** Behind `via-branch`: 0 none, 1 and 2 the first and second Via, 3 the bytes in PARAMS. */
const BRANCH_PARAMETER = 3

const KEY_SDP = memory.data<u8>([0x33, 0x3a, 0x73, 0x64, 0x70]) // 3:sdp
const KEY_CALL_ID = memory.data<u8>([0x37, 0x3a, 0x63, 0x61, 0x6c, 0x6c, 0x2d, 0x69, 0x64]) // 7:call-id
const KEY_BRANCH = memory.data<u8>([
  0x31, 0x30, 0x3a, 0x76, 0x69, 0x61, 0x2d, 0x62, 0x72, 0x61, 0x6e, 0x63, 0x68, // 10:via-branch
])
const KEY_FROM_TAG = memory.data<u8>([0x38, 0x3a, 0x66, 0x72, 0x6f, 0x6d, 0x2d, 0x74, 0x61, 0x67]) // 8:from-tag
const KEY_TO_TAG = memory.data<u8>([0x36, 0x3a, 0x74, 0x6f, 0x2d, 0x74, 0x61, 0x67]) // 6:to-tag
const KEY_COMMAND = memory.data<u8>([0x37, 0x3a, 0x63, 0x6f, 0x6d, 0x6d, 0x61, 0x6e, 0x64]) // 7:command
/** 32 bytes for each command: a length, and that many bytes of what ends the dictionary. */
const COMMANDS = memory.data<u8>([
  0x08, 0x35, 0x3a, 0x6f, 0x66, 0x66, 0x65, 0x72, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, // 5:offere
  0x09, 0x36, 0x3a, 0x61, 0x6e, 0x73, 0x77, 0x65, 0x72, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, // 6:answere
  0x09, 0x36, 0x3a, 0x64, 0x65, 0x6c, 0x65, 0x74, 0x65, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, // 6:deletee
  0x08, 0x35, 0x3a, 0x71, 0x75, 0x65, 0x72, 0x79, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, // 5:querye
  0x13, 0x31, 0x35, 0x3a, 0x73, 0x74, 0x61, 0x72, 0x74, 0x20, 0x72, 0x65, 0x63, 0x6f, 0x72, 0x64, 0x69, 0x6e,
  0x67, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 15:start recordinge
])

/**
 * Scans the SIP message of `length` bytes at INPUT and writes its NG request to OUTPUT, behind `room` bytes left for the
 * cookie. PARAMS holds, one behind the other: what the flags became (`flagsLength` bytes of key-value pairs), what stands
 * between via-branch and the tags (`middleLength`), and a via-branch for `branch` = 3 (`branchLength`).
 *
 * `parties`: which tags go where. Returns the length written, `room` included, or one of the reasons above.
 */
export function ngRequest(
  length: i32,
  command: i32,
  parties: i32,
  branch: i32,
  room: i32,
  flagsLength: i32,
  middleLength: i32,
  branchLength: i32,
): i32 {
  if (sipScan(length) != 0) return NO_SCAN
  return request(command, parties, branch, room, flagsLength, middleLength, branchLength)
}

/** The same with the table in FIELDS. */
export function ngRequestScanned(
  length: i32,
  command: i32,
  parties: i32,
  branch: i32,
  room: i32,
  flagsLength: i32,
  middleLength: i32,
  branchLength: i32,
): i32 {
  if (!fits(length)) return OTHER_MESSAGE
  return request(command, parties, branch, room, flagsLength, middleLength, branchLength)
}

/** Whether every range of the table that is read here lies inside a message of `length` bytes. */
function fits(length: i32): bool {
  const low = i32x4.splat(0xffff)
  const most = i32x4.splat(length)
  const a = v128.load(FIELDS)
  const b = v128.load(FIELDS, 16)
  const beyond = v128.or(
    i32x4.gt_u(i32x4.add(i32x4.shr_u(a, 16), v128.and(a, low)), most),
    i32x4.gt_u(i32x4.add(i32x4.shr_u(b, 16), v128.and(b, low)), most),
  )
  return !v128.any_true(beyond)
}

function request(
  command: i32,
  parties: i32,
  branch: i32,
  room: i32,
  flagsLength: i32,
  middleLength: i32,
  branchLength: i32,
): i32 {
  if (rangeLength(CALL_ID) == 0) return NO_CALL_ID
  if (field(TO) == 0) return NO_TO
  if (rangeLength(FROM_TAG) == 0) return NO_FROM_TAG

  let p = OUTPUT + <usize>room
  store<u8>(p++, 0x64) // d
  if (command == COMMAND_OFFER || command == COMMAND_ANSWER) {
    if (field(SDP) == 0) return NO_SDP
    p = writeKey(p, KEY_SDP, 5)
    p = writeField(p, SDP)
  }
  const flags = PARAMS
  const middle = flags + <usize>flagsLength
  p = write(p, flags, flagsLength)
  p = writeKey(p, KEY_CALL_ID, 9)
  p = writeField(p, CALL_ID)
  if (branch != 0) {
    p = writeKey(p, KEY_BRANCH, 13)
    if (branch == BRANCH_PARAMETER) p = writeString(p, middle + <usize>middleLength, branchLength)
    else {
      if (rangeLength(BRANCH + branch - 1) == 0) return NO_BRANCH
      p = writeField(p, BRANCH + branch - 1)
    }
  }
  p = write(p, middle, middleLength)

  // An answer travels against the dialog's direction in a reply, everything else does in a request.
  const straight = (parties & KEEP_ROLES) != 0 || (field(METHOD) != 0) != (command == COMMAND_ANSWER)
  if (!straight && rangeLength(TO_TAG) == 0) return NO_TO_TAG
  p = writeKey(p, KEY_FROM_TAG, 10)
  p = writeField(p, straight ? FROM_TAG : TO_TAG)
  if (!straight || ((parties & WITH_TO_TAG) != 0 && rangeLength(TO_TAG) != 0)) {
    p = writeKey(p, KEY_TO_TAG, 8)
    p = writeField(p, straight ? TO_TAG : FROM_TAG)
  }
  p = writeKey(p, KEY_COMMAND, 9)
  const name = COMMANDS + ((<usize>command) << 5)
  return <i32>(write(p, name + 1, load<u8>(name)) - OUTPUT)
}

/** Writes a constant of at most sixteen bytes. */
// @ts-ignore: decorator
@inline
function writeKey(p: usize, key: usize, length: usize): usize {
  v128.store(p, v128.load(key))
  return p + length
}

function writeField(p: usize, index: i32): usize {
  return writeString(p, rangeStart(index), rangeLength(index))
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

/**
 * Puts the SDP of the NG reply at REPLY, already read by `ngReplyScan`, into the SIP message of `length` bytes at INPUT
 * and writes the message to OUTPUT. Every Content-Length follows; bytes that Content-Length cut off stay off. Returns the
 * new length, or a reason below zero.
 */
export function ngReply(length: i32): i32 {
  if (field(REPLY_SDP) == 0) return NO_REPLY_SDP
  return sipSplice(length, REPLY + <usize>field(REPLY_SDP), field(REPLY_SDP + 1))
}

/** The same with the table in FIELDS. */
export function ngReplyScanned(length: i32): i32 {
  if (field(REPLY_SDP) == 0) return NO_REPLY_SDP
  if (!fits(length)) return OTHER_MESSAGE
  return splice(REPLY + <usize>field(REPLY_SDP), field(REPLY_SDP + 1))
}

/** The same with an SDP of `sdpLength` bytes at `sdp`. */
export function sipSplice(length: i32, sdp: usize, sdpLength: i32): i32 {
  if (sipScan(length) != 0) return NO_SCAN
  return splice(sdp, sdpLength)
}

function splice(sdp: usize, sdpLength: i32): i32 {
  if (field(SDP) == 0) return NO_SDP
  const start = rangeStart(SDP)
  const end = rangeEnd(SDP)
  const body = rangeStart(BODY)
  const bodyEnd = rangeEnd(BODY)
  const contentLength = <i32>(bodyEnd - body) - <i32>(end - start) + sdpLength
  if (rangeEnd(CONTENT_LENGTH) > body || start < body || end > bodyEnd) return OTHER_MESSAGE

  let p = OUTPUT
  let copied = INPUT
  if (field(CONTENT_LENGTH) != 0) {
    let from = rangeStart(CONTENT_LENGTH)
    let to = rangeEnd(CONTENT_LENGTH)
    const again = (field(SUMMARY) & CONTENT_LENGTH_AGAIN) != 0
    while (true) {
      p = write(p, copied, <i32>(from - copied))
      p = writeDecimal(p, contentLength)
      copied = to
      if (!again || !nextContentLength(to, body)) break
      from = value
      to = valueEnd
    }
  }
  p = write(p, copied, <i32>(start - copied))
  setField(SPLICED_AT, <i32>(p - OUTPUT))
  p = write(p, sdp, sdpLength)
  p = write(p, end, <i32>(bodyEnd - end))
  return <i32>(p - OUTPUT)
}
