// The SIP scan without WebAssembly: on the bytes, with `indexOf` from line to line (which costs 10 ns; a loop over the
// bytes takes four times as long, and so does making a string of them). It notes what an NG request needs and where the
// body is; only `essentials` makes strings.

const LF = 10
const CR = 13
const COLON = 58

/** Letters of the names it looks for, in lower case. */
const CALL_ID = Buffer.from('call-id')
const CONTENT_LENGTH = Buffer.from('content-length')
const CONTENT_TYPE = Buffer.from('content-type')
const TAG = Buffer.from('tag')
const FROM = Buffer.from('from')
const TO = Buffer.from('to')
const VIA = Buffer.from('via')
const CSEQ = Buffer.from('cseq')
const BRANCH = Buffer.from('branch')

// What the last scan found: the end of what is not there is 0.
export let isRequest = false
export let callId = 0
export let callIdEnd = 0
export let fromTag = 0
export let fromTagEnd = 0
export let toTag = 0
export let toTagEnd = 0
let branch = 0
let branchEnd = 0
let method = 0
let methodEnd = 0
export let length = 0
export let lengthEnd = 0
export let type = 0
export let typeEnd = 0
export let body = 0
export let bodyEnd = 0
/** Set by `trim` and `parameter`. */
let found = 0
let foundEnd = 0

/**
 * What a proxy reads of every message, as strings.
 *
 * @param {Buffer} message
 */
export function essentials(message) {
  scan(message, true)
  return {
    callId: text(message, callId, callIdEnd),
    fromTag: text(message, fromTag, fromTagEnd),
    toTag: text(message, toTag, toTagEnd),
    method: text(message, method, methodEnd),
    branch: text(message, branch, branchEnd),
  }
}

/** @type {(message: Buffer, start: number, end: number) => string | undefined} */
function text(message, start, end) {
  // A Buffer method that Node has and its types leave out; no reader of short strings is faster.
  const bytes = /** @type {Buffer & {utf8Slice(start: number, end: number): string}} */ (message)
  return end === 0 ? undefined : bytes.utf8Slice(start, end)
}

/**
 * @param {Buffer} m the message
 * @param {boolean} all whether branch and method are wanted too
 */
export function scan(m, all) {
  callIdEnd = fromTagEnd = toTagEnd = branchEnd = methodEnd = lengthEnd = typeEnd = 0
  let at = m.indexOf(LF) + 1
  if (at === 0) throw new Error('no SIP message')
  // A method of a request may begin with S, I and P too, but has no slash.
  isRequest = !(m[0] === 83 && m[1] === 73 && m[2] === 80 && m[3] === 47)
  for (;;) {
    const first = m[at]
    if (first === CR && m[at + 1] === LF) {
      at += 2
      break
    }
    if (first === LF) {
      at++
      break
    }
    let end = m.indexOf(LF, at)
    if (end < 0) throw new Error('the header section does not end')
    // A line that begins with white space continues the one before (RFC 3261, 7.3.1).
    while (m[end + 1] === 32 || m[end + 1] === 9) end = m.indexOf(LF, end + 1)
    header(m, at, end, all)
    at = end + 1
  }
  body = at
  bodyEnd = m.length
  if (lengthEnd !== 0) {
    let value = 0
    for (let i = length; i < lengthEnd; i++) value = value * 10 + /** @type {number} */ (m[i]) - 48
    if (body + value > bodyEnd) throw new Error('Content-Length is larger than the body')
    bodyEnd = body + value
  }
}

/**
 * @param {Buffer} m
 * @param {number} at
 * @param {number} end
 * @param {boolean} all
 */
function header(m, at, end, all) {
  switch (lower(m[at])) {
    case 0x63: // c
      if (m[at + 7] === COLON && named(m, at, CALL_ID)) callIdAt(m, at + 8, end)
      else if (m[at + 14] === COLON && named(m, at, CONTENT_LENGTH)) lengthAt(m, at + 15, end)
      else if (m[at + 12] === COLON && named(m, at, CONTENT_TYPE)) typeAt(m, at + 13, end)
      else if (m[at + 1] === COLON) typeAt(m, at + 2, end)
      else if (all && m[at + 4] === COLON && named(m, at, CSEQ)) cseqAt(m, at + 5, end)
      return
    case 0x76: // v
      if (!all || branchEnd !== 0) return
      if ((m[at + 3] === COLON && named(m, at, VIA)) || m[at + 1] === COLON) viaAt(m, at, end)
      return
    case 0x66: // f
      if (m[at + 4] === COLON && named(m, at, FROM)) fromAt(m, at + 5, end)
      else if (m[at + 1] === COLON) fromAt(m, at + 2, end)
      return
    case 0x74: // t
      if (m[at + 2] === COLON && named(m, at, TO)) toAt(m, at + 3, end)
      else if (m[at + 1] === COLON) toAt(m, at + 2, end)
      return
    case 0x69: // i
      if (m[at + 1] === COLON) callIdAt(m, at + 2, end)
      return
    case 0x6c: // l
      if (m[at + 1] === COLON) lengthAt(m, at + 2, end)
  }
}

/** @param {number | undefined} letter */
export function lower(letter = 0) {
  return letter | 0x20
}

/**
 * @param {Buffer} m
 * @param {number} at
 * @param {Buffer} name
 */
function named(m, at, name) {
  for (let i = 1; i < name.length; i++) {
    if (lower(m[at + i]) !== name[i]) return false
  }
  return true
}

// Of a header that may stand only once, the first counts.

/** @type {(m: Buffer, at: number, end: number) => void} */
function callIdAt(m, at, end) {
  if (callIdEnd !== 0) return
  trim(m, at, end)
  callId = found
  callIdEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function lengthAt(m, at, end) {
  if (lengthEnd !== 0) return
  trim(m, at, end)
  length = found
  lengthEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function typeAt(m, at, end) {
  if (typeEnd !== 0) return
  trim(m, at, end)
  type = found
  typeEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function fromAt(m, at, end) {
  if (fromTagEnd !== 0) return
  parameter(m, afterAddress(m, at, end), end, TAG)
  fromTag = found
  fromTagEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function toAt(m, at, end) {
  if (toTagEnd !== 0) return
  parameter(m, afterAddress(m, at, end), end, TAG)
  toTag = found
  toTagEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function viaAt(m, at, end) {
  parameter(m, at, end, BRANCH)
  branch = found
  branchEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function cseqAt(m, at, end) {
  if (methodEnd !== 0) return
  trim(m, at, end)
  method = m.indexOf(32, found) + 1
  methodEnd = foundEnd
}

/** @type {(m: Buffer, at: number, end: number) => void} */
function trim(m, at, end) {
  while (at < end && /** @type {number} */ (m[at]) <= 32) at++
  while (end > at && /** @type {number} */ (m[end - 1]) <= 32) end--
  found = at
  foundEnd = end
}

/**
 * Behind the `>` of an address, which may have a quoted display name before it.
 *
 * @param {Buffer} m
 * @param {number} at
 * @param {number} end
 */
function afterAddress(m, at, end) {
  while (m[at] === 32 || m[at] === 9) at++
  if (m[at] === 34) {
    do at = m.indexOf(34, at + 1)
    while (m[at - 1] === 92)
  }
  for (; at < end; at++) {
    if (m[at] === 60) return m.indexOf(62, at) + 1
    // An addr-spec without brackets has no parameters of its own.
    if (m[at] === 59) return at
  }
  return end
}

/**
 * Finds `;name=value` in [at, end).
 *
 * @param {Buffer} m
 * @param {number} at
 * @param {number} end
 * @param {Buffer} name
 */
function parameter(m, at, end, name) {
  found = 0
  foundEnd = 0
  while (at < end) {
    if (m[at++] !== 59) continue
    let i = 0
    while (i < name.length && lower(m[at + i]) === name[i]) i++
    if (i < name.length || m[at + i] !== 61) continue
    found = at + i + 1
    foundEnd = found
    while (foundEnd < end) {
      const c = /** @type {number} */ (m[foundEnd])
      if (c === 59 || c === 44 || c <= 32) return
      foundEnd++
    }
    return
  }
}
