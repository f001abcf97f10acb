// Bencode without WebAssembly, as fast as plain JavaScript gets and as strict as the package: the contender of its encoder and
// its decoder. It knows what the bench needs: plain objects, arrays, strings, integers and bytes; object keys are ASCII.

import { isAscii } from 'node:buffer'

/** @typedef {string | number | Uint8Array | ValueList | ValueObject} Value */
/** @typedef {Value[]} ValueList */
/** @typedef {{[key: string]: Value}} ValueObject */
// Buffer's own methods, which Node's types leave out and which beat `toString` and `write`.
/** @typedef {Buffer & {latin1Slice(start: number, end: number): string, utf8Slice(start: number, end: number): string, utf8Write(text: string, at: number): number}} FastBuffer */

const LIMIT = 65535
const MAX_DEPTH = 64
/** What `subarray` of a Buffer makes, without its bookkeeping. */
const Bytes =
  /** @type {{[Symbol.species]: new (b: ArrayBufferLike, at: number, length: number) => Buffer}} */ (
    /** @type {unknown} */ (Buffer)
  )[Symbol.species]

// Copies are cut from slabs, larger ones than Node's: the same trick as the package's.
let slab = Buffer.allocUnsafeSlow(LIMIT)
let used = 0

/**
 * The caller's own copy of `bytes`.
 *
 * @param {Uint8Array} bytes
 */
function keep(bytes) {
  if (used + bytes.length > slab.length) {
    slab = Buffer.allocUnsafeSlow(LIMIT)
    used = 0
  }
  const copy = new Bytes(slab.buffer, used, bytes.length)
  copy.set(bytes)
  used += (bytes.length + 7) & ~7
  return copy
}

const out = /** @type {FastBuffer} */ (Buffer.allocUnsafeSlow(4 * LIMIT))

/** What has been encoded and not been written to `out` yet. */
let text = ''
let written = 0
/** Whether lengths are counted in bytes; at first all text is taken for ASCII. */
let exact = false
let ascii = true

/** @type {Map<string, string>} */
const encodedKeys = new Map()

/** @param {Value} value */
export function encode(value) {
  if (!encodeAll(value, false) && !encodeAll(value, true)) throw new Error('a string changed')
  return keep(new Uint8Array(out.buffer, 0, written))
}

/**
 * @param {Value} value
 * @param {boolean} exactly
 */
function encodeAll(value, exactly) {
  text = ''
  written = 0
  exact = exactly
  ascii = true
  put(value, 0)
  flush()
  return exact || ascii
}

function flush() {
  if (text.length > LIMIT) throw new RangeError('too large')
  const length = out.utf8Write(text, written)
  if (length !== text.length) ascii = false
  written += length
  if (written > LIMIT) throw new RangeError('too large')
  text = ''
}

/**
 * @param {Value} value
 * @param {number} depth
 */
function put(value, depth) {
  if (typeof value === 'string') text += `${exact ? Buffer.byteLength(value) : value.length}:${value}`
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('not a safe integer')
    text += `i${value}e`
  } else if (Array.isArray(value)) {
    if (depth === MAX_DEPTH) throw new RangeError('too deep')
    text += 'l'
    for (let i = 0; i < value.length; i++) put(/** @type {Value} */ (value[i]), depth + 1)
    text += 'e'
  } else if (value instanceof Uint8Array) {
    text += `${value.length}:`
    flush()
    if (written + value.length > LIMIT) throw new RangeError('too large')
    out.set(value, written)
    written += value.length
  } else {
    if (depth === MAX_DEPTH) throw new RangeError('too deep')
    text += 'd'
    for (const key in value) {
      let encoded = encodedKeys.get(key)
      if (encoded === undefined) {
        encoded = `${key.length}:${key}`
        if (encodedKeys.size < 512) encodedKeys.set(key, encoded)
      }
      text += encoded
      put(/** @type {Value} */ (value[key]), depth + 1)
    }
    text += 'e'
  }
}

// Decoding goes over the bytes once. Where all of them are ASCII, every text is cut from one string of them all, which is
// cheaper than a call into Node for each; keys are looked up by length and two bytes, so that a known one needs no new
// string.
let input = /** @type {FastBuffer} */ (Buffer.alloc(0))
let end = 0
let at = 0
let asText = false
/** @type {string | undefined} */
let whole
const keys = new Array(4096).fill('')

/** @param {Buffer} bytes */
export function decodeBytes(bytes) {
  asText = false
  // The caller's own, as the package's are.
  return decodeAll(bytes.length > LIMIT ? bytes : keep(bytes), false)
}

/** @param {Buffer} bytes */
export function decodeText(bytes) {
  asText = true
  return decodeAll(bytes, isAscii(bytes))
}

/**
 * @param {Buffer} bytes
 * @param {boolean} allAscii
 * @returns {Value}
 */
function decodeAll(bytes, allAscii) {
  input = /** @type {FastBuffer} */ (bytes)
  end = bytes.length
  at = 0
  if (end > LIMIT) throw new RangeError('too large')
  whole = allAscii && asText ? input.latin1Slice(0, end) : undefined
  const value = take(0)
  if (at !== end) throw refused()
  return value
}

function refused() {
  return new SyntaxError(`no bencode at byte ${at}`)
}

/**
 * @param {number} depth
 * @returns {Value}
 */
function take(depth) {
  const c = input[at]
  if (c === 0x64) {
    if (depth === MAX_DEPTH) throw refused()
    at++
    /** @type {{[key: string]: Value}} */
    const object = {}
    while (input[at] !== 0x65) {
      const key = takeKey()
      const value = take(depth + 1)
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
    }
    at++
    return object
  }
  if (c === 0x6c) {
    if (depth === MAX_DEPTH) throw refused()
    at++
    /** @type {Value[]} */
    const list = []
    while (input[at] !== 0x65) list.push(take(depth + 1))
    at++
    return list
  }
  if (c === 0x69) return takeInteger()
  const length = takeLength()
  const start = at
  at += length
  if (!asText) return new Bytes(input.buffer, input.byteOffset + start, length)
  return whole === undefined ? input.utf8Slice(start, at) : whole.slice(start, at)
}

/** The length of the string at `at`, which moves to its first byte. */
function takeLength() {
  const first = input[at]
  if (first === undefined || first < 0x30 || first > 0x39) throw refused()
  let length = first - 0x30
  let c = input[++at]
  while (c !== undefined && c >= 0x30 && c <= 0x39) {
    if (length === 0 || length > LIMIT) throw refused()
    length = length * 10 + c - 0x30
    c = input[++at]
  }
  if (c !== 0x3a || length > end - at - 1) throw refused()
  at++
  return length
}

function takeKey() {
  const length = takeLength()
  const start = at
  at += length
  const slot =
    (length * 31 + /** @type {number} */ (input[start]) * 7 + /** @type {number} */ (input[at - 1]) * 131) &
    4095
  const known = keys[slot]
  if (known.length === length) {
    let i = 0
    while (i < length && known.charCodeAt(i) === input[start + i]) i++
    if (i === length) return known
  }
  const key = input.utf8Slice(start, at)
  // Only what is ASCII can be compared byte by byte.
  if (key.length === length && length <= 32) keys[slot] = key
  return key
}

function takeInteger() {
  const start = at++
  const negative = input[at] === 0x2d
  if (negative) at++
  const first = at
  let value = 0
  let c = input[at]
  while (c !== undefined && c >= 0x30 && c <= 0x39) {
    value = value * 10 + c - 0x30
    c = input[++at]
  }
  if (c !== 0x65 || at === first) throw refused()
  if (input[first] === 0x30 && (negative || at > first + 1)) throw refused()
  at++
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value
  const exactly = BigInt(input.latin1Slice(start + 1, at - 1))
  if (exactly !== BigInt.asIntN(64, exactly)) throw refused()
  return /** @type {never} */ (exactly)
}
