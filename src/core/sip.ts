import { SipError } from '../errors.ts'
import {
  copyIn,
  copyRecords,
  FIELD_WORDS,
  INPUT,
  MAX_INPUT,
  rangeEnd,
  rangeStart,
  sipBranch,
  sipHeaders,
  sipScan,
  words,
} from './instance.ts'

/**
 * Indices of the field table (`assembly/sip/fields.ts`). A range of the message is one word, start << 16 | length; offsets
 * count from the first byte of the message. 0 means "not there".
 */
export const Field = {
  CALL_ID: 0,
  FROM_TAG: 1,
  TO_TAG: 2,
  /** Of the first Via; behind it, of the second. */
  BRANCH: 3,
  /** The digits of the first Content-Length. */
  CONTENT_LENGTH: 5,
  BODY: 6,
  SDP: 7,
  METHOD: 8,
  REQUEST_URI: 9,
  /** In a reply, which has no Request-URI. */
  STATUS: 9,
  FROM: 10,
  TO: 11,
  CONTENT_TYPE: 12,
  CSEQ_METHOD: 13,
  CSEQ: 14,
  /** Number of Vias, byte sum of the Call-ID, kind of SDP: see the functions below. */
  SUMMARY: 15,
} as const
const FIELD_COUNT = 16
const ERROR = FIELD_WORDS + 16
const ERROR_AT = FIELD_WORDS + 17
const BRANCH_WANTED = FIELD_WORDS + 18

/** The field table of one message, as `scanSip` made it; good for that message only. */
export type SipFields = Int32Array

/** The field table where the scan leaves it. */
const table = words.subarray(FIELD_WORDS, FIELD_WORDS + FIELD_COUNT)

export { rangeEnd, rangeStart }

/** All bytes of the Call-ID added up, modulo 256. */
export function callIdSum(fields: SipFields): number {
  return (fields[Field.SUMMARY]! >> 8) & 0xff
}

export function viaCount(fields: SipFields): number {
  return fields[Field.SUMMARY]! >>> 16
}

/** How the SDP was found, a value of `SdpKind`, or (below zero) why it was not. */
export function sdpKind(fields: SipFields): number {
  return (fields[Field.SUMMARY]! << 28) >> 28
}

export const SdpKind = { TYPED: 1, UNTYPED: 2, MULTIPART: 3 } as const

const SDP_REASONS: Record<number, string> = {
  [-1]: 'Content-Length is larger than the body',
  [-2]: 'its Content-Type is neither application/sdp nor multipart',
  [-3]: 'it has no body',
  [-4]: 'its multipart Content-Type has no boundary',
  [-5]: 'no part of its multipart body is application/sdp',
  [-6]: 'the SDP part has a Content-Transfer-Encoding that hides it',
  [-7]: 'its multipart body is nested too deep',
}

const SCAN_ERRORS: Record<number, string> = {
  1: 'malformed SIP start line',
  2: 'malformed SIP header line',
  3: 'the SIP header section does not end with an empty line',
  4: 'malformed or contradictory Content-Length',
  5: 'malformed CSeq',
}

/** Copies `bytes` in as the message to scan; a message that cannot be one for its size is refused. */
export function loadSip(bytes: Uint8Array): number {
  const length = bytes.length
  if (length > MAX_INPUT) {
    throw new SipError('ERR_RTPPROXY_SIP', `SIP message of ${length} bytes; the limit is ${MAX_INPUT}`)
  }
  copyIn(bytes, INPUT)
  return length
}

/** The same for a message that has been scanned before: its table goes back to where the scan left it. */
export function loadScanned(bytes: Uint8Array, fields: SipFields): number {
  table.set(fields)
  return loadSip(bytes)
}

/** The error the last scan left. */
export function scanError(): SipError {
  return new SipError('ERR_RTPPROXY_SIP', SCAN_ERRORS[words[ERROR]!]!, words[ERROR_AT])
}

/** The error for the message whose table is in place, and which has no usable SDP. */
export function noSdpError(): SipError {
  const reason = SDP_REASONS[sdpKind(table)]
  return new SipError('ERR_RTPPROXY_NO_SDP', `the SIP message has no SDP: ${reason}`)
}

/**
 * Scans a SIP message (RFC 3261, section 7) and returns its field table: offsets only, no strings.
 *
 * @throws SipError `ERR_RTPPROXY_SIP`: no SIP message, or larger than 65,535 bytes.
 */
export function scanSip(bytes: Uint8Array): SipFields {
  if (sipScan(loadSip(bytes)) !== 0) throw scanError()
  return new Int32Array(table)
}

/** Scans again for the headers: four offsets each (name start, name end, value start, value end), in order. */
export function scanHeaders(bytes: Uint8Array): Int32Array {
  const count = sipHeaders(loadSip(bytes))
  if (count < 0) throw scanError()
  return copyRecords(count * 4)
}

/** Scans again for the branch of the Via with this number, counted from 1: its range, 0 if it has none. */
export function scanBranch(bytes: Uint8Array, number: number): number {
  if (sipBranch(loadSip(bytes), number) !== 0) throw scanError()
  return words[BRANCH_WANTED]!
}
