// The SDP line table without WebAssembly: by `indexOf` from line to line, into records cut from a slab.

const LF = 10
const SP = 32
/** Letter and section, length of an attribute's name, then line, value and two parts of it as start << 16 | length (0: not
 *  there), then two numbers: what a part or a number is depends on the letter. */
const RECORD = 8
const SLAB = RECORD * 4096
let slab = new Int32Array(SLAB)
let used = 0
/** Where the record at hand begins. */
let record = 0
let numberEnd = 0

/** @typedef {(m: Buffer, at: number, end: number) => void} Reader */

/** As `SdpLines` of the package. */
export class PureSdpLines {
  /**
   * @param {Buffer} bytes
   * @param {Int32Array} records
   */
  constructor(bytes, records) {
    this.bytes = bytes
    this.records = records
    this.count = records.length / RECORD
  }

  /** @param {number} i @param {number} word */
  at(i, word) {
    return /** @type {number} */ (this.records[i * RECORD + word])
  }

  /** @param {number} i @param {number} word */
  range(i, word) {
    const range = this.at(i, word)
    return range === 0 ? undefined : { start: range >>> 16, end: (range >>> 16) + (range & 0xffff) }
  }

  /** @param {number} i */
  type(i) {
    return String.fromCharCode(this.at(i, 0) & 0xff)
  }

  /** @param {number} i */
  section(i) {
    return this.at(i, 0) >> 8
  }

  /** @param {number} i */
  attributeName(i) {
    const start = this.at(i, 3) >>> 16
    return this.bytes.toString('utf8', start, start + this.at(i, 1))
  }

  /** @param {number} i */
  line(i) {
    const range = this.at(i, 2)
    return { start: range >>> 16, end: (range >>> 16) + (range & 0xffff) }
  }

  /** @param {number} i */
  value(i) {
    return this.range(i, 3)
  }

  /** @param {number} i */
  attributeValue(i) {
    return this.range(i, 4)
  }

  /** @param {number} i */
  attributeNumber(i) {
    return this.at(i, 7)
  }

  /** @param {number} i */
  address(i) {
    return this.range(i, 4)
  }

  /** @param {number} i */
  networkAddress(i) {
    return this.range(i, this.type(i) === 'c' ? 3 : 5)
  }

  /** @param {number} i */
  family(i) {
    return this.at(i, 6)
  }

  /** @param {number} i */
  port(i) {
    return this.at(i, 6)
  }

  /** @param {number} i */
  portRange(i) {
    return this.range(i, 4)
  }

  /** @param {number} i */
  portCount(i) {
    return this.at(i, 7)
  }

  /** @param {number} i */
  protocol(i) {
    return this.range(i, 5)
  }
}

/** @param {Buffer} m the SDP */
export function scanLines(m) {
  const size = m.length
  if (size > 0xffff) throw new Error('too large')
  let at = 0
  let section = 0
  let start = used
  record = start
  while (at < size) {
    const letter = /** @type {number} */ (m[at])
    if (letter === 13 || letter === LF) break
    if (m[at + 1] !== 61) throw new Error('malformed SDP line')
    let next = m.indexOf(LF, at)
    if (next < 0) next = size - 1
    const end = m[next - 1] === 13 ? next - 1 : next
    if (record + RECORD > SLAB) {
      renew(start)
      start = 0
    }
    if (letter === 0x6d) section++
    const t = slab
    const r = record
    t[r] = (section << 8) | letter
    t[r + 1] = 0
    t[r + 2] = (at << 16) | (next + 1 - at)
    t[r + 3] = ((at + 2) << 16) | (end - at - 2)
    t[r + 4] = t[r + 5] = t[r + 6] = t[r + 7] = 0
    if (letter === 0x61) attribute(m, at + 2, end)
    else if (letter === 0x6d) media(m, at + 2, end)
    else if (letter === 0x63) address(m, at + 2, end)
    else if (letter === 0x6f) origin(m, at + 2, end)
    record += RECORD
    at = next + 1
  }
  used = record
  return new PureSdpLines(m, new Int32Array(slab.buffer, start * 4, used - start))
}

/** @param {number} start of the records that go along */
function renew(start) {
  if (record - start + RECORD > SLAB) throw new Error('too many lines')
  const next = new Int32Array(SLAB)
  next.set(slab.subarray(start, record))
  slab = next
  record -= start
}

/** @type {Reader} */
function attribute(m, at, end) {
  let colon = at
  while (colon < end && m[colon] !== 58) colon++
  slab[record + 1] = colon - at
  slab[record + 7] = -1
  if (colon === end) return
  slab[record + 4] = ((colon + 1) << 16) | (end - colon - 1)
  const digits = readNumber(m, colon + 1, end)
  if (numberEnd < end && m[numberEnd] !== SP) return
  slab[record + 7] = digits
  if (digits >= 0 && numberEnd < end) slab[record + 5] = ((numberEnd + 1) << 16) | (end - numberEnd - 1)
}

/** @type {Reader} */
function media(m, at, end) {
  const start = m.indexOf(SP, at) + 1
  const port = readNumber(m, start, end)
  slab[record + 4] = (start << 16) | (numberEnd - start)
  slab[record + 6] = port
  slab[record + 7] = m[numberEnd] === 47 ? readNumber(m, numberEnd + 1, end) : 1
  if (port < 0 || m[numberEnd] !== SP) throw new Error('malformed m= line')
  const protocol = numberEnd + 1
  const after = m.indexOf(SP, protocol)
  slab[record + 5] = (protocol << 16) | ((after < 0 || after > end ? end : after) - protocol)
}

/** @type {Reader} */
function address(m, at, end) {
  const type = m.indexOf(SP, at) + 1
  const start = m.indexOf(SP, type) + 1
  if (type === 0 || start === 0 || start >= end) throw new Error('malformed c= or o= line')
  let to = start
  while (to < end && m[to] !== 47 && m[to] !== SP) to++
  slab[record + 4] = (start << 16) | (to - start)
  if (start - type === 4 && type - at === 3 && m[at] === 73 && m[at + 1] === 78 && m[type] === 73) {
    slab[record + 6] = m[type + 2] === 52 ? 4 : m[type + 2] === 54 ? 6 : 0
  }
}

/** @type {Reader} */
function origin(m, at, end) {
  for (let i = 0; i < 3; i++) at = m.indexOf(SP, at) + 1
  address(m, at, end)
  slab[record + 5] = (at << 16) | (end - at)
}

/** @type {(m: Buffer, at: number, end: number) => number} */
function readNumber(m, at, end) {
  let value = 0
  const start = at
  for (; at < end; at++) {
    const digit = /** @type {number} */ (m[at]) - 48
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  numberEnd = at
  return at === start || at - start > 9 ? -1 : value
}
