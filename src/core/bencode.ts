/** Bencode (BEP 3), the encoding of the NG protocol: the public module `rtpproxy-ng/bencode`. */
export { type BencodeMapValue, type BencodeValue, type DecodeOptions, decode } from './bencode-decode.ts'
export { type BencodeInput, encode } from './bencode-encode.ts'
