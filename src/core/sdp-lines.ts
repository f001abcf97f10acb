import { SdpError } from '../errors.ts'
import { core, FIELD_WORDS, INPUT, MAX_INPUT, memory, TABLE_WORDS, words } from './instance.ts'

/** A record, as in `assembly/sdp.ts`, in i32. */
export const Line = {
  TYPE: 0,
  START: 1,
  VALUE: 2,
  END: 3,
  NEXT: 4,
  SECTION: 5,
  A: 6,
  A_END: 7,
  B: 8,
  B_END: 9,
  NUMBER: 10,
  COUNT: 11,
  WORDS: 12,
} as const

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

  #range(i: number, start: number, end: number): Range | undefined {
    const from = this.#at(i, start)
    return from < 0 ? undefined : { start: from, end: this.#at(i, end) }
  }

  text(range: Range): string {
    return this.bytes.toString('utf8', range.start, range.end)
  }

  /** The letter before the equals sign. */
  type(i: number): string {
    return String.fromCharCode(this.#at(i, Line.TYPE))
  }

  /** The whole line with its line end. */
  line(i: number): Range {
    return { start: this.#at(i, Line.START), end: this.#at(i, Line.NEXT) }
  }

  /** What stands behind the equals sign. */
  value(i: number): Range {
    return { start: this.#at(i, Line.VALUE), end: this.#at(i, Line.END) }
  }

  /** 0 for the session, n for the section of the nth `m=`. */
  section(i: number): number {
    return this.#at(i, Line.SECTION)
  }

  /** Name of an `a=`. */
  attributeName(i: number): string {
    const start = this.#at(i, Line.VALUE)
    return this.text({ start, end: start + this.#at(i, Line.NUMBER) })
  }

  /** Value of an `a=`, behind the colon. */
  attributeValue(i: number): Range | undefined {
    return this.#range(i, Line.A, Line.A_END)
  }

  /** The number that begins the value of an `a=` (a port, a payload type), or -1. */
  attributeNumber(i: number): number {
    return this.#at(i, Line.COUNT)
  }

  /** Address of a `c=` or `o=`, without TTL; undefined for an `o=` that has none. */
  address(i: number): Range | undefined {
    return this.#range(i, Line.A, Line.A_END)
  }

  /** Network type, address type and address of a `c=` or of an `o=` with an address, as one range. */
  networkAddress(i: number): Range {
    return this.#at(i, Line.TYPE) === 0x63 ? this.value(i) : this.#range(i, Line.B, Line.B_END)!
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
    return this.#range(i, Line.A, Line.A_END)!
  }

  /** Number of ports of an `m=`: 1 unless it says otherwise. */
  portCount(i: number): number {
    return this.#at(i, Line.COUNT)
  }

  /** Transport protocol of an `m=`. */
  protocol(i: number): Range {
    return this.#range(i, Line.B, Line.B_END)!
  }
}

/** Scans `bytes` to records at TABLE, which the next call overwrites; returns how many there are. */
export function scanLines(bytes: Uint8Array): number {
  if (bytes.length > MAX_INPUT) throw new SdpError(`SDP of ${bytes.length} bytes goes on`, MAX_INPUT)
  memory.set(bytes, INPUT)
  const count = core.sdpScan(bytes.length)
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
  return new SdpLines(buffer, words.slice(TABLE_WORDS, TABLE_WORDS + count * Line.WORDS))
}
