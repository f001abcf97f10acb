// Bencode, both ways. Decoding leaves a flat tape of tokens, so the TypeScript side builds values without looking at a
// byte; encoding goes from such a tape and the strings, laid end to end, to finished bencode.
//
// Dictionary keys come from a small vocabulary, so both ways remember some: a slot holds a key as it stands in bencode
// (`7:command`), 32 bytes of it at most, behind its length. The slots are a cache and nothing more; the TypeScript side
// fills them between calls and keeps the JavaScript string of each.

import { isDigit, writeDecimal } from './bytes'
import { CACHE, INPUT, OUTPUT, OUTPUT_SIZE, setField, TABLE } from './memory'

// What src/core/bencode*.ts know too.
// FIELDS after decoding: the error and its offset, or where the value ends and whether all bytes are ASCII.
const ERROR = 0
const ERROR_AT = 1
const VALUE_END = 2
const ASCII = 3

const ENDS_EARLY = -1
const NO_VALUE = -2
const LEADING_ZERO = -3
const NEGATIVE_ZERO = -4
const NO_INTEGER = -5
const OUT_OF_RANGE = -6
const NO_LENGTH = -7
const TOO_LONG = -8
const NO_KEY = -9
const KEY_ALONE = -10
const TRAILING = -11
const TOO_DEEP = -12

// A decoded token is four i32: STRING start end slot, INTEGER low high, LIST count, DICTIONARY count (keys and values).
// slot: 0 no slot fits; n > 0 the key of slot n - 1; n < 0 a key that slot -n - 1 does not hold.
const TOKEN_SIZE: usize = 16
const STRING = 1
const INTEGER = 2
const LIST = 3
const DICTIONARY = 4

// A token to encode is one i32: n >= 0 a string of n bytes, then the marks below, KEY + n the key of slot n,
// and -n for n bytes that are bencode already.
const KEY = 0x40000000
const OPEN_LIST = 0x20000000
const OPEN_DICTIONARY = 0x20000001
const CLOSE = 0x20000002

// In CACHE: the slots of decoding, then those of encoding. A slot is its length in 16 bytes and 32 bytes of key.
const SLOT_BITS: u64 = 9
const SLOT_SIZE: usize = 48
const SLOT_ROOM: i32 = 32
const DECODE_SLOTS: usize = CACHE
const ENCODE_SLOTS: usize = DECODE_SLOTS + (SLOT_SIZE << <usize>SLOT_BITS)

let token: usize = 0
/** Where the last number read ended, or where it went wrong. */
let numberEnd: usize = 0

/** The tape of the one value that `length` bytes at INPUT are: its number of tokens, or an error below zero. */
export function bencodeDecode(length: i32, maxDepth: i32): i32 {
  const end = INPUT + <usize>length
  const code = scan(INPUT, end, maxDepth)
  if (code < 0) return code
  if (numberEnd != end) return refuse(TRAILING, numberEnd)
  setField(VALUE_END, length)
  setField(ASCII, isAscii(INPUT, end) ? 1 : 0)
  return <i32>((token - TABLE) / TOKEN_SIZE)
}

function refuse(code: i32, at: usize): i32 {
  setField(ERROR, code)
  setField(ERROR_AT, <i32>(at - INPUT))
  return code
}

/** Reads one value at `p`; the containers still open are linked through their third word, innermost first. */
function scan(p: usize, end: usize, maxDepth: i32): i32 {
  token = TABLE
  let open: usize = 0
  let isDictionary = false
  let count = 0
  let depth = 0
  do {
    if (p == end) return refuse(ENDS_EARLY, p)
    const c = <u32>load<u8>(p)
    const isKey = isDictionary && (count & 1) == 0
    if (isDigit(c)) {
      const code = readString(p, end, isKey)
      if (code < 0) return code
      p = numberEnd
      count++
    } else if (c == 0x65 && open != 0) {
      if (isDictionary && !isKey) return refuse(KEY_ALONE, p)
      p++
      store<i32>(open, count, 4)
      open = <usize>load<i32>(open, 8)
      depth--
      if (open != 0) {
        isDictionary = load<i32>(open) == DICTIONARY
        count = load<i32>(open, 4)
      }
    } else if (isKey) return refuse(NO_KEY, p)
    else if (c == 0x69) {
      const code = readInteger(p, end)
      if (code < 0) return code
      p = numberEnd
      count++
    } else if (c == 0x6c || c == 0x64) {
      if (depth == maxDepth) return refuse(TOO_DEEP, p)
      depth++
      p++
      if (open != 0) store<i32>(open, count + 1, 4)
      isDictionary = c == 0x64
      store<i32>(token, isDictionary ? DICTIONARY : LIST)
      store<i32>(token, <i32>open, 8)
      open = token
      token += TOKEN_SIZE
      count = 0
    } else return refuse(NO_VALUE, p)
  } while (open != 0)
  numberEnd = p
  return 0
}

/** `p` is at the first digit of the length. */
function readString(p: usize, end: usize, isKey: bool): i32 {
  let at = p
  let length: usize = load<u8>(at++) - 48
  while (at < end && isDigit(load<u8>(at))) {
    if (length == 0) return refuse(LEADING_ZERO, p)
    // No input holds a string of ten million bytes, so more digits need not be exact, only not overflow.
    if (length < 1000000) length = length * 10 + (load<u8>(at) - 48)
    at++
  }
  if (at == end) return refuse(ENDS_EARLY, at)
  if (load<u8>(at) != 0x3a) return refuse(NO_LENGTH, at)
  at++
  if (length > end - at) return refuse(TOO_LONG, p)
  const stop = at + length
  store<i32>(token, STRING)
  store<i32>(token, <i32>(at - INPUT), 4)
  store<i32>(token, <i32>(stop - INPUT), 8)
  store<i32>(token, isKey ? slotOf(p, <i32>(stop - p)) : 0, 12)
  token += TOKEN_SIZE
  numberEnd = stop
  return 0
}

/** `p` is at the `i`. */
function readInteger(p: usize, end: usize): i32 {
  let at = p + 1
  const negative = at < end && load<u8>(at) == 0x2d
  if (negative) at++
  const first = at
  let value: u64 = 0
  while (at < end && isDigit(load<u8>(at))) {
    const digit = <u64>load<u8>(at) - 48
    if (at > first && value == 0) return refuse(LEADING_ZERO, first)
    if (negative && digit == 0 && at == first) return refuse(NEGATIVE_ZERO, p)
    // 9,223,372,036,854,775,807 is the largest, and one more the smallest.
    if (value > 922337203685477580 || (value == 922337203685477580 && digit > (negative ? 8 : 7))) {
      return refuse(OUT_OF_RANGE, p)
    }
    value = value * 10 + digit
    at++
  }
  if (at == end) return refuse(ENDS_EARLY, at)
  if (at == first || load<u8>(at) != 0x65) return refuse(NO_INTEGER, at)
  store<i32>(token, INTEGER)
  store<u64>(token, negative ? 0 - value : value, 4)
  token += TOKEN_SIZE
  numberEnd = at + 1
  return 0
}

function slotOf(p: usize, length: i32): i32 {
  if (length > SLOT_ROOM) return 0
  let hash = load<u64>(p)
  if (length < 8) hash &= ((<u64>1) << (<u64>length << 3)) - 1
  else hash = (hash * 0x9e3779b97f4a7c15) ^ load<u64>(p + <usize>length - 8)
  const index = <usize>((hash * 0xd6e8feb86659fd93) >> (64 - SLOT_BITS))
  const slot = DECODE_SLOTS + index * SLOT_SIZE
  if (load<i32>(slot) == length) {
    const low = i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(slot, 16)))
    const high = i8x16.bitmask(i8x16.eq(v128.load(p, 16), v128.load(slot, 32)))
    const wanted = ((<u64>1) << <u64>length) - 1
    if (((<u64>(<u32>low | (<u32>high << 16))) & wanted) == wanted) return <i32>index + 1
  }
  return -1 - <i32>index
}

function isAscii(p: usize, end: usize): bool {
  let all = i8x16.splat(0)
  while (p + 16 <= end) {
    all = v128.or(all, v128.load(p))
    p += 16
  }
  let rest: u32 = 0
  while (p < end) rest |= load<u8>(p++)
  return i8x16.bitmask(all) == 0 && rest < 128
}

/** Bencode at OUTPUT from `tokens` tokens at TABLE and their bytes at INPUT; returns its length, or -1: no room. */
export function bencodeEncode(tokens: i32): i32 {
  let from = INPUT
  let to = OUTPUT
  const room = OUTPUT + <usize>OUTPUT_SIZE
  const end = TABLE + (<usize>tokens << 2)
  for (let at = TABLE; at < end; at += 4) {
    const what = load<i32>(at)
    if (what >= KEY) {
      if (to + <usize>SLOT_ROOM > room) return -1
      const slot = ENCODE_SLOTS + <usize>(what - KEY) * SLOT_SIZE
      v128.store(to, v128.load(slot, 16))
      v128.store(to, v128.load(slot, 32), 16)
      to += <usize>load<i32>(slot)
    } else if (what >= OPEN_LIST) {
      if (to == room) return -1
      store<u8>(to++, what == OPEN_LIST ? 0x6c : what == OPEN_DICTIONARY ? 0x64 : 0x65)
    } else {
      const length = what < 0 ? -what : what
      if (to + <usize>length + 32 > room) return -1
      if (what >= 0) {
        to = writeDecimal(to, length)
        store<u8>(to++, 0x3a)
      }
      // Most strings are short, and for those memory.copy costs more than a block too many.
      for (let i: usize = 0; i < <usize>length; i += 16) v128.store(to + i, v128.load(from + i))
      to += <usize>length
      from += <usize>length
    }
  }
  return <i32>(to - OUTPUT)
}
