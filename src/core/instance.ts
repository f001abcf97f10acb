import { coreWasm } from './embedded.ts'

// Node's types leave WebAssembly to the DOM's; this is all that is used of it.
interface Global {
  readonly value: number
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/**
 * The one WebAssembly instance of this thread. Its memory is fixed (see `assembly/memory.ts`), so the views below stay
 * valid for ever. Calls never overlap: each copies its input in, runs to its end, and reads its result out.
 */
interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly MAX_INPUT: Global
  readonly FIELDS: Global
  readonly PARAMS: Global
  readonly PARAMS_SIZE: Global
  readonly INPUT: Global
  readonly REPLY: Global
  readonly TABLE: Global
  readonly OUTPUT: Global
  readonly OUTPUT_SIZE: Global
  /** Decodes the bencode of `length` bytes at INPUT to a token tape at TABLE. */
  bencodeDecode(length: number, maxDepth: number): number
  /** Emits the tape at TABLE with the bytes at INPUT as bencode at OUTPUT. */
  bencodeEncode(tokens: number): number
  /** Scans the SIP message of `length` bytes at INPUT to the field table. */
  sipScan(length: number): number
  /** The same, with the branch of the Via numbered `number`. */
  sipBranch(length: number, number: number): number
  /** Scans the SDP of `length` bytes at INPUT to line records at TABLE. */
  sdpScan(length: number): number
  /** The fused path out; see assembly/ng.ts. */
  ngRequest(
    length: number,
    command: number,
    toTag: number,
    branch: number,
    room: number,
    flagsLength: number,
    branchLength: number,
    middleLength: number,
    commandLength: number,
  ): number
  /** Reads the NG reply of `length` bytes at REPLY to the field table. */
  ngReplyScan(length: number): number
  /** The fused path back: the SIP message of `length` bytes at INPUT with the SDP of the reply read last. */
  ngReply(length: number): number
  /** The same with an SDP of `sdpLength` bytes at REPLY. */
  sipSplice(length: number, sdpLength: number): number
}

const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(coreWasm, 'base64')))
export const core = instance.exports as CoreExports

/** The whole memory as a Buffer: its `latin1Slice`, `copy` and friends are the fastest way in and out. */
export const memory: Buffer = Buffer.from(core.memory.buffer)
/** The whole memory as i32, for the field table and the records. */
export const words: Int32Array = new Int32Array(core.memory.buffer)

export const MAX_INPUT: number = core.MAX_INPUT.value
export const FIELDS: number = core.FIELDS.value
export const PARAMS: number = core.PARAMS.value
export const PARAMS_SIZE: number = core.PARAMS_SIZE.value
export const INPUT: number = core.INPUT.value
export const REPLY: number = core.REPLY.value
export const TABLE: number = core.TABLE.value
export const OUTPUT: number = core.OUTPUT.value
export const OUTPUT_SIZE: number = core.OUTPUT_SIZE.value
/** Index of the first field and the first record in `words`. */
export const FIELD_WORDS: number = FIELDS >> 2
export const TABLE_WORDS: number = TABLE >> 2
