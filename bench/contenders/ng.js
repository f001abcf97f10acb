// The fused paths without WebAssembly: what careful JavaScript can do for well-formed messages. It checks less than the
// core: no multipart bodies, comments, repeated headers that contradict each other, nothing about characters.

import {
  body,
  bodyEnd,
  callId,
  callIdEnd,
  fromTag,
  fromTagEnd,
  isRequest,
  length,
  lengthEnd,
  lower,
  scan,
  toTag,
  toTagEnd,
  type,
  typeEnd,
} from './sip.js'
import { Bytes, copy, cut, putDecimal, reserve, slab, slabUsed } from './slab.js'

const SDP_TYPE = Buffer.from('application/sdp')
const SDP = Buffer.from('d3:sdp')
const CALL_ID = Buffer.from('7:call-id')
const FROM_TAG = Buffer.from('8:from-tag')
const TO_TAG = Buffer.from('6:to-tag')
const ENDS = {
  offer: Buffer.from('7:command5:offere'),
  answer: Buffer.from('7:command6:answere'),
  delete: Buffer.from('7:command6:deletee'),
}

/**
 * An NG request of a SIP message.
 *
 * @param {Buffer} message
 * @param {'offer' | 'answer' | 'delete'} command
 * @param {Buffer} flags key-value pairs in bencode
 * @param {Buffer} middle the same, behind the Call-ID
 */
export function request(message, command, flags, middle) {
  scan(message, false)
  if (callIdEnd === 0 || fromTagEnd === 0) throw new Error('no Call-ID or no From tag')
  reserve(message.length + flags.length + middle.length + 128)
  const to = slab
  let at = slabUsed
  if (command === 'delete') to[at++] = 100
  else {
    if (!isSdp(message)) throw new Error('no SDP')
    const size = bodyEnd - body
    at = copy(to, at, SDP, 0, 6)
    at = putDecimal(to, at, size)
    to[at++] = 58
    to.set(message.subarray(body, bodyEnd), at)
    at += size
  }
  at = copy(to, at, flags, 0, flags.length)
  at = putField(to, at, CALL_ID, message, callId, callIdEnd)
  at = copy(to, at, middle, 0, middle.length)
  if (isRequest !== (command === 'answer')) {
    at = putField(to, at, FROM_TAG, message, fromTag, fromTagEnd)
    if (toTagEnd !== 0) at = putField(to, at, TO_TAG, message, toTag, toTagEnd)
  } else {
    if (toTagEnd === 0) throw new Error('no To tag')
    at = putField(to, at, FROM_TAG, message, toTag, toTagEnd)
    at = putField(to, at, TO_TAG, message, fromTag, fromTagEnd)
  }
  const end = ENDS[command]
  return cut(copy(to, at, end, 0, end.length))
}

/**
 * @param {Buffer} to
 * @param {number} at
 * @param {Buffer} key in bencode
 * @param {Buffer} message
 * @param {number} start
 * @param {number} end
 */
function putField(to, at, key, message, start, end) {
  at = copy(to, at, key, 0, key.length)
  at = putDecimal(to, at, end - start)
  to[at++] = 58
  return copy(to, at, message, start, end)
}

/** @param {Buffer} message */
function isSdp(message) {
  if (body === bodyEnd || typeEnd - type < 15) return false
  for (let i = 0; i < 15; i++) {
    if (lower(message[type + i]) !== SDP_TYPE[i]) return false
  }
  const next = message[type + 15]
  return typeEnd - type === 15 || next === 59 || next === 32
}

/** Where in the reply read last its SDP is. */
let sdp = 0
let sdpEnd = 0

/**
 * The message with the SDP of a reply in place of its own, and that SDP.
 *
 * @param {Buffer} message
 * @param {Buffer} reply
 */
export function rewrite(message, reply) {
  readReply(reply)
  scan(message, false)
  if (!isSdp(message) || lengthEnd === 0) throw new Error('no SDP')
  reserve(message.length + sdpEnd - sdp + 8)
  const to = slab
  let at = slabUsed
  to.set(message.subarray(0, length), at)
  at = putDecimal(to, at + length, sdpEnd - sdp)
  at = copy(to, at, message, lengthEnd, body)
  to.set(reply.subarray(sdp, sdpEnd), at)
  const rewritten = cut(at + sdpEnd - sdp)
  return { message: rewritten, sdp: new Bytes(to.buffer, at, sdpEnd - sdp), warning: undefined }
}

/** @param {Buffer} reply */
function readReply(reply) {
  let ok = false
  let at = 1
  sdpEnd = 0
  if (reply[0] !== 100) throw new Error('no dictionary')
  while (reply[at] !== 101) {
    const key = stringStart(reply, at)
    const keyEnd = stringEnd
    const value = skip(reply, keyEnd)
    if (keyEnd - key === 3 && reply[key] === 115 && reply[key + 1] === 100 && reply[key + 2] === 112) {
      sdp = stringStart(reply, keyEnd)
      sdpEnd = stringEnd
    } else if (keyEnd - key === 6 && reply[key] === 114 && reply[key + 5] === 116) {
      const result = stringStart(reply, keyEnd)
      ok = stringEnd - result === 2 && reply[result] === 111 && reply[result + 1] === 107
    }
    at = value
  }
  if (!ok || sdpEnd === 0 || at + 1 !== reply.length) throw new Error('unexpected reply')
}

/** Where the string ends that `stringStart` found. */
let stringEnd = 0

/**
 * @param {Buffer} bytes
 * @param {number} at
 */
function stringStart(bytes, at) {
  let size = 0
  for (;;) {
    const digit = /** @type {number} */ (bytes[at++]) - 48
    if (digit === 10) break
    if (!(digit >= 0 && digit <= 9)) throw new Error('no string')
    size = size * 10 + digit
  }
  stringEnd = at + size
  if (stringEnd > bytes.length) throw new Error('a string is longer than what is left')
  return at
}

/**
 * The place behind the value at `at`.
 *
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {number}
 */
function skip(bytes, at) {
  const first = bytes[at]
  if (first === 105) {
    while (bytes[at] !== 101) if (++at >= bytes.length) throw new Error('an integer does not end')
    return at + 1
  }
  if (first === 100 || first === 108) {
    at++
    while (bytes[at] !== 101) at = skip(bytes, at)
    return at + 1
  }
  stringStart(bytes, at)
  return stringEnd
}
