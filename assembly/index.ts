// The exports of core.wasm, one line each.
export { bencodeDecode, bencodeEncode } from './bencode'
export { sipBranch, sipHeaders } from './sip/headers'
export { FIELDS, INPUT, MAX_INPUT, OUTPUT, OUTPUT_SIZE, PARAMS, PARAMS_SIZE, REPLY, TABLE } from './memory'
export { ngReply, ngReplyScanned, ngRequest, ngRequestScanned, sipSplice } from './ng'
export { ngReplyScan } from './reply'
export { sdpScan } from './sdp'
export { sipScan } from './sip'
