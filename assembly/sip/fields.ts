// What the SIP scan leaves behind: a table of sixteen words. src/core/sip.ts has the same list.
//
// Sixteen, because a typed array of 64 bytes is a young object to V8, made in 25 ns; one byte more and it is memory of its
// own, which costs more than the whole scan. A range is therefore one word, start << 16 | length: no message is longer
// than 65,535 bytes. Starts count from INPUT. A word of 0 means "not there", since offset 0 is always the start line.

// The first eight are what requests and splices are made of, checked together when a table comes back in.
export const CALL_ID = 0
export const FROM_TAG = 1
export const TO_TAG = 2
export const BRANCH = 3 // of the first Via; then of the second
export const CONTENT_LENGTH = 5 // the digits of the first one
export const BODY = 6
export const SDP = 7
export const METHOD = 8 // of a request; a reply has none
export const REQUEST_URI = 9 // of a reply: the status code
export const FROM = 10
export const TO = 11
export const CONTENT_TYPE = 12
export const CSEQ_METHOD = 13
export const CSEQ = 14
/** Number of Vias << 16 | byte sum of the Call-ID << 8 | 16 if Content-Length comes again | kind of SDP, four bits signed. */
export const SUMMARY = 15

/** Behind the table: a scan that failed says why and where, and `sipBranch` leaves the range of the branch. */
export const ERROR = 16
export const ERROR_AT = 17
export const BRANCH_WANTED = 18

export const CONTENT_LENGTH_AGAIN = 16

/** A header's record in TABLE, four i32: name start, name end, value start, value end. */
export const HEADER_SIZE: usize = 16
