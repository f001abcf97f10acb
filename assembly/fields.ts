// What the SIP scan leaves behind. src/core/sip.ts has the same lists.
//
// The field table: an index each; ranges are two fields, start and length, unless said otherwise. Offsets count from
// INPUT; a start of 0 means "not there", since offset 0 is always the start line. The starts of branches are -1 when not there.
export const ERROR = 0
export const ERROR_AT = 1
export const KIND = 2
export const STATUS = 3
export const METHOD = 4 // start, length
export const REQUEST_URI = 6
export const CALL_ID = 8
export const FROM = 10
export const TO = 12
export const FROM_TAG = 14
export const TO_TAG = 16
export const CSEQ = 18
export const CSEQ_METHOD = 19
export const VIA_COUNT = 21
export const BRANCH = 22 // first Via: start, length; second Via: start, length
export const CONTENT_TYPE = 26
export const CONTENT_LENGTH = 28
export const BODY = 29 // start, end
export const SDP = 31 // start, end
export const SDP_KIND = 33
export const HEADER_COUNT = 34
export const CALL_ID_SUM = 35
export const BRANCH_WANTED = 36 // of the Via `sipBranch` asked for: start, length
export const FIELD_COUNT = 38

export const KIND_REQUEST = 1
export const KIND_REPLY = 2

// A header's record in TABLE, four i32: name start, id << 16 | name length, value start, value end. Only
// Content-Length needs to be found again there.
export const HEADER_SIZE: usize = 16
export const ID_CONTENT_LENGTH = 7
