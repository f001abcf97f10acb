import { SipError } from '../errors.ts'
import { core, FIELD_WORDS, INPUT, MAX_INPUT, memory, TABLE_WORDS, words } from './instance.ts'

/**
 * Indices of the field table (`assembly/fields.ts`). Ranges are start and length, but for `BODY` and `SDP`: start and
 * end. Offsets count from the first byte of the message; a start of 0 (-1 for a branch) means "not there".
 */
export const Field = {
  ERROR: 0,
  ERROR_AT: 1,
  KIND: 2,
  STATUS: 3,
  METHOD: 4,
  REQUEST_URI: 6,
  CALL_ID: 8,
  FROM: 10,
  TO: 12,
  FROM_TAG: 14,
  TO_TAG: 16,
  CSEQ: 18,
  CSEQ_METHOD: 19,
  VIA_COUNT: 21,
  BRANCH: 22,
  CONTENT_TYPE: 26,
  CONTENT_LENGTH: 28,
  BODY: 29,
  SDP: 31,
  SDP_KIND: 33,
  HEADER_COUNT: 34,
  CALL_ID_SUM: 35,
  BRANCH_WANTED: 36,
} as const
const FIELD_COUNT = 38

export const KIND_REQUEST = 1

/** How the SDP was found, or (below zero) why it was not: `SDP_KIND`. */
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
  memory.set(bytes, INPUT)
  return length
}

/** The error the last scan left in the field table. */
export function scanError(): SipError {
  const code = words[FIELD_WORDS + Field.ERROR]!
  return new SipError('ERR_RTPPROXY_SIP', SCAN_ERRORS[code]!, words[FIELD_WORDS + Field.ERROR_AT])
}

/** The error for a message without usable SDP, `kind` being its `SDP_KIND`. */
export function noSdpError(kind: number): SipError {
  return new SipError('ERR_RTPPROXY_NO_SDP', `the SIP message has no SDP: ${SDP_REASONS[kind]}`)
}

/**
 * Scans a SIP message (RFC 3261, section 7) and returns its field table: offsets only, no strings.
 *
 * @throws SipError `ERR_RTPPROXY_SIP`: no SIP message, or larger than 65,535 bytes.
 */
export function scanSip(bytes: Uint8Array): Int32Array {
  if (core.sipScan(loadSip(bytes)) !== 0) throw scanError()
  return words.slice(FIELD_WORDS, FIELD_WORDS + FIELD_COUNT)
}

/** Scans again for the headers: four offsets each (name start, name end, value start, value end), in order. */
export function scanHeaders(bytes: Uint8Array): Int32Array {
  if (core.sipScan(loadSip(bytes)) !== 0) throw scanError()
  const count = words[FIELD_WORDS + Field.HEADER_COUNT]!
  const headers = words.slice(TABLE_WORDS, TABLE_WORDS + count * 4)
  // The second word of a record is id << 16 | name length.
  for (let i = 0; i < headers.length; i += 4) headers[i + 1] = headers[i]! + (headers[i + 1]! & 0xffff)
  return headers
}

/** Scans again for the branch of the Via with this number, counted from 1: its start and length, -1 if it has none. */
export function scanBranch(bytes: Uint8Array, number: number): readonly [start: number, length: number] {
  if (core.sipBranch(loadSip(bytes), number) !== 0) throw scanError()
  const at = FIELD_WORDS + Field.BRANCH_WANTED
  return [words[at]!, words[at + 1]!]
}
