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
  /** Scans the SIP message of `length` bytes at INPUT to the field table; 0, or the number of an error. */
  sipScan(length: number): number
  /** The same, with a record of every header at TABLE; how many there are, or -1. */
  sipHeaders(length: number): number
  /** As `sipScan`, with the branch of the Via numbered `number`. */
  sipBranch(length: number, number: number): number
  /** Scans the SDP of `length` bytes at INPUT to line records at TABLE. */
  sdpScan(length: number): number
  /** The fused path out; see assembly/ng.ts. */
  ngRequest: EncodeRequest
  /** The same with the table of an earlier scan in FIELDS. */
  ngRequestScanned: EncodeRequest
  /** Reads the NG reply of `length` bytes at REPLY to the field table. */
  ngReplyScan(length: number): number
  /** The fused path back: the SIP message of `length` bytes at INPUT with the SDP of the reply read last. */
  ngReply(length: number): number
  /** The same with the table of an earlier scan in FIELDS. */
  ngReplyScanned(length: number): number
  /** As `ngReply`, with an SDP of `sdpLength` bytes at `sdp`. */
  sipSplice(length: number, sdp: number, sdpLength: number): number
}

type EncodeRequest = (
  length: number,
  command: number,
  parties: number,
  branch: number,
  room: number,
  flagsLength: number,
  middleLength: number,
  branchLength: number,
) => number

const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(coreWasm, 'base64')))
const core = instance.exports as CoreExports

// Each by a name of its own: V8 compiles a call of a constant function into its caller, but looks up `core.sipScan` anew
// every time.
export const {
  bencodeDecode,
  bencodeEncode,
  ngReply,
  ngReplyScan,
  ngReplyScanned,
  ngRequest,
  ngRequestScanned,
  sdpScan,
  sipBranch,
  sipHeaders,
  sipScan,
  sipSplice,
} = core

/** Buffer methods that Node has and its type declarations leave out; several times faster than TextDecoder and `write`. */
interface Memory extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, start: number, room: number): number
}

/** The whole memory as a Buffer, for bytes and text. */
export const memory: Memory = Buffer.from(core.memory.buffer) as Memory
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

/** What `subarray` of a Buffer makes, without its bookkeeping: a fresh Buffer on the same memory. */
export const Bytes = (
  Buffer as unknown as { [Symbol.species]: new (b: ArrayBufferLike, at: number, length: number) => Buffer }
)[Symbol.species]

/** Where a range starts that the core has noted as one word, start << 16 | length. */
export function rangeStart(range: number): number {
  return range >>> 16
}

export function rangeEnd(range: number): number {
  return (range >>> 16) + (range & 0xffff)
}

/** Copies `bytes` in. Those whose ArrayBuffer was transferred to another thread are none, and `set` would throw at them. */
export function copyIn(bytes: Uint8Array, at: number): void {
  if (bytes.length > 0) memory.set(bytes, at)
}

// Results are cut from slabs, as Node does for small Buffers, because memory of its own costs a result more than all the
// rest; a slab lives as long as the last result in it. Node's own hold too few SIP messages to be worth their making.
const SLAB_SIZE = 65536
let slab: Buffer = Buffer.alloc(0)
let slabMemory = slab.buffer
let slabUsed = 0

// Views of the first bytes of an area in steps of 64: looking one up is faster than making the one that fits.
const STEP = 64
const LARGEST = 16384
const outputs = views(OUTPUT)
const tables = views(TABLE)

function views(start: number): Uint8Array[] {
  return Array.from({ length: LARGEST / STEP + 1 }, (_, i) => new Uint8Array(memory.buffer, start, i * STEP))
}

// Where the last copy of OUTPUT lies: asking a Buffer for its memory leaves JavaScript, and costs as much as a small copy.
let copyMemory = slab.buffer
let copyAt = 0

/** The first `length` bytes of OUTPUT in a Buffer for the caller to keep. */
export function copyOutput(length: number): Buffer {
  if (length > LARGEST) {
    const copy = Buffer.allocUnsafeSlow(length)
    copy.set(new Uint8Array(memory.buffer, OUTPUT, length))
    copyMemory = copy.buffer
    copyAt = 0
    return copy
  }
  copyAt = reserve(length + STEP)
  copyMemory = slabMemory
  slab.set(outputs[(length + STEP - 1) >>> 6]!, copyAt)
  use(length)
  return new Bytes(slabMemory, copyAt, length)
}

/** A view into what `copyOutput` has returned last. */
export function partOfCopy(start: number, length: number): Buffer {
  return new Bytes(copyMemory, copyAt + start, length)
}

/** The first `length` words of TABLE for the caller to keep. */
export function copyRecords(length: number): Int32Array {
  const size = length * 4
  if (size > LARGEST) return words.slice(TABLE_WORDS, TABLE_WORDS + length)
  const at = reserve(size + STEP)
  slab.set(tables[(size + STEP - 1) >>> 6]!, at)
  use(size)
  return new Int32Array(slabMemory, at, length)
}

/** `bytes` in a Buffer for the caller to keep. */
export function copyOf(bytes: Uint8Array): Buffer {
  const length = bytes.length
  if (length > LARGEST) return Buffer.from(bytes)
  const at = reserve(length)
  slab.set(bytes, at)
  use(length)
  return new Bytes(slabMemory, at, length)
}

/** Where in the slab `length` bytes are free. */
function reserve(length: number): number {
  // A slab that someone has transferred to another thread has no bytes left, and is left behind here.
  if (slabUsed + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE)
    slabMemory = slab.buffer
    slabUsed = 0
  }
  return slabUsed
}

/** Results start at multiples of eight, as Node's do. */
function use(length: number): void {
  slabUsed += (length + 7) & ~7
}
