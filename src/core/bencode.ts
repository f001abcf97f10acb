/**
 * Bencode (BEP 3), the encoding of the NG protocol.
 *
 * @module rtpproxy-ng/bencode
 */

export { type BencodeMapValue, type BencodeValue, type DecodeOptions, decode } from './bencode-decode.ts'
export { type BencodeInput, type EncodeOptions, encode, encodingLength } from './bencode-encode.ts'
export { type BencodeDecoded, BencodeDecoder, type BencodeDecoderOptions } from './plain/decoder.ts'
