import { isUint8Array } from 'node:util/types'
import { SdpError } from '../errors.ts'
import {
  copyIn,
  copyRecords,
  FIELD_WORDS,
  INPUT,
  MAX_INPUT,
  rangeEnd,
  rangeStart,
  sdpScan,
  words,
} from './instance.ts'

/**
 * A record, as in `assembly/sdp.ts`, in i32. `LINE`, `VALUE`, `A` and `B` are ranges: start << 16 | length, or 0 when there
 * is none.
 */
export const Line = {
  TYPE: 0,
  NAME: 1,
  LINE: 2,
  VALUE: 3,
  A: 4,
  B: 5,
  NUMBER: 6,
  COUNT: 7,
  WORDS: 8,
} as const

/** The names of attributes that the scan knows, by its numbers for them. */
export const NAMES = [
  undefined,
  'rtpmap',
  'fmtp',
  'rtcp',
  'candidate',
  'crypto',
  'mid',
  'ptime',
  'maxptime',
  'sendrecv',
  'sendonly',
  'recvonly',
  'inactive',
  'rtcp-mux',
  'setup',
  'fingerprint',
  'group',
  'ice-ufrag',
  'ice-pwd',
  'ice-options',
  'ice-lite',
] as const

const ERRORS: Record<number, string> = {
  1: 'malformed SDP line: it must be a letter, = and a value',
  2: 'SDP must begin with the line v=0',
  3: 'malformed m= line',
  4: 'malformed c= line',
}

/** From the first byte to behind the last, counted from the start of the SDP. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The lines of an SDP (RFC 8866) as offsets into its bytes; `i` counts lines from 0. */
export class SdpLines {
  readonly bytes: Buffer
  readonly count: number
  readonly #records: Int32Array

  constructor(bytes: Buffer, records: Int32Array) {
    this.bytes = bytes
    this.count = records.length / Line.WORDS
    this.#records = records
  }

  #at(i: number, index: number): number {
    return this.#records[i * Line.WORDS + index]!
  }

  #range(i: number, index: number): Range {
    const range = this.#at(i, index)
    return { start: rangeStart(range), end: rangeEnd(range) }
  }

  #rangeIfAny(i: number, index: number): Range | undefined {
    return this.#at(i, index) === 0 ? undefined : this.#range(i, index)
  }

  text(range: Range): string {
    return this.bytes.toString('utf8', range.start, range.end)
  }

  /** The letter before the equals sign. */
  type(i: number): string {
    return String.fromCharCode(this.#at(i, Line.TYPE) & 0xff)
  }

  /** The whole line with its line end. */
  line(i: number): Range {
    return this.#range(i, Line.LINE)
  }

  /** What stands behind the equals sign. */
  value(i: number): Range {
    return this.#range(i, Line.VALUE)
  }

  /** 0 for the session, n for the section of the nth `m=`. */
  section(i: number): number {
    return this.#at(i, Line.TYPE) >> 8
  }

  /** Name of an `a=`. */
  attributeName(i: number): string {
    const known = NAMES[this.#at(i, Line.NAME)]
    if (known !== undefined) return known
    const { start } = this.value(i)
    return this.text({ start, end: start + this.#at(i, Line.NUMBER) })
  }

  /** Value of an `a=`, behind the colon. */
  attributeValue(i: number): Range | undefined {
    return this.#rangeIfAny(i, Line.A)
  }

  /** The number that begins the value of an `a=` (a port, a payload type), or -1. */
  attributeNumber(i: number): number {
    return this.#at(i, Line.COUNT)
  }

  /** Address of a `c=` or `o=`, without TTL; undefined for an `o=` that has none. */
  address(i: number): Range | undefined {
    return this.#rangeIfAny(i, Line.A)
  }

  /** Network type, address type and address of a `c=` or of an `o=` with an address, as one range. */
  networkAddress(i: number): Range {
    return this.type(i) === 'c' ? this.value(i) : this.#range(i, Line.B)
  }

  /** 4 or 6, of a `c=` or `o=` with an address of the Internet; 0 for others. */
  family(i: number): number {
    return this.#at(i, Line.NUMBER)
  }

  /** Port of an `m=`. */
  port(i: number): number {
    return this.#at(i, Line.NUMBER)
  }

  portRange(i: number): Range {
    return this.#range(i, Line.A)
  }

  /** Number of ports of an `m=`: 1 unless it says otherwise. */
  portCount(i: number): number {
    return this.#at(i, Line.COUNT)
  }

  /** Transport protocol of an `m=`. */
  protocol(i: number): Range {
    return this.#range(i, Line.B)
  }
}

/** Scans `bytes` to records at TABLE, which the next call overwrites; returns how many there are. */
export function scanLines(bytes: Uint8Array): number {
  if (!isUint8Array(bytes)) throw new SdpError('this is no Uint8Array, so there is no SDP', 0)
  if (bytes.length > MAX_INPUT) throw new SdpError(`SDP of ${bytes.length} bytes goes on`, MAX_INPUT)
  copyIn(bytes, INPUT)
  const count = sdpScan(bytes.length)
  if (count < 0) throw new SdpError(ERRORS[words[FIELD_WORDS]!]!, words[FIELD_WORDS + 1]!)
  return count
}

/**
 * Scans an SDP to its lines. CRLF and bare LF end lines, the last line end may be missing, empty lines at the end are
 * passed over.
 *
 * @param bytes at most 65,535 bytes; kept, not copied.
 * @throws SdpError with the byte offset of the line that is wrong.
 */
export function scanSdp(bytes: Uint8Array): SdpLines {
  const count = scanLines(bytes)
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new SdpLines(buffer, copyRecords(count * Line.WORDS))
}
