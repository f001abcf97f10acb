import { isUint8Array } from 'node:util/types'
import {
  changedError,
  encodeRequest,
  type ReplySummary,
  type RequestPlan,
  type RewrittenMessage,
  replaceSdp,
  rewriteMessage,
} from '../core/ng.ts'
import {
  callIdSum,
  Field,
  rangeEnd,
  rangeStart,
  type SipFields,
  scanBranch,
  scanHeaders,
  scanSip,
  sdpKind,
  viaCount,
} from '../core/sip.ts'
import { optionError, SipError } from '../errors.ts'
import { isIP } from '../protocol/ip.ts'

/** Where a SIP message came from, as the transport saw it (not as Via claims). */
export interface SourceAddress {
  /** IPv4 or IPv6 address in text. */
  readonly address: string
  readonly port?: number | undefined
}

/** `encodeRequest` of a parsed message, which is not scanned again. */
export let requestOf: (message: SipMessage, plan: RequestPlan, room: number) => Buffer

/** `rewriteMessage` of a parsed message, which is not scanned again. */
export let rewritten: (
  message: SipMessage,
  reply: Buffer,
  offset: number,
  command: string,
  node: string | undefined,
) => RewrittenMessage | ReplySummary

/**
 * A SIP message, request or reply: its bytes and where in them things are. Getters make strings only when read.
 *
 * The bytes are kept, not copied: do not write to them while the message is in use. Bytes behind the body that
 * Content-Length announces are ignored (RFC 3261, 18.3).
 */
export class SipMessage {
  /** The message as parsed. */
  readonly buffer: Buffer
  readonly source: SourceAddress
  readonly #fields: SipFields

  // The two functions above are part of this class in all but name: they alone read the table.
  static {
    requestOf = (message, plan, room) => encodeRequest(message.buffer, plan, room, message.#fields)
    rewritten = (message, reply, offset, command, node) =>
      rewriteMessage(message.buffer, reply, offset, command, node, message.#fields)
  }

  private constructor(buffer: Buffer, source: SourceAddress, fields: SipFields) {
    this.buffer = buffer
    this.source = source
    this.#fields = fields
  }

  /**
   * Parses one SIP message (RFC 3261, section 7; compact names, folded lines and bare LF included).
   *
   * @param bytes at most 65,535 bytes.
   * @param source the transport source, which the `received-from` key of NG commands names.
   * @throws SipError `ERR_RTPPROXY_SIP` with the byte offset; ConfigurationError if `source` is no IP address.
   */
  static parse(bytes: Uint8Array, source: SourceAddress): SipMessage {
    if (isIP(source?.address) === 0) {
      throw optionError('source', `source.address is no IP address: ${source?.address}`)
    }
    if (Buffer.isBuffer(bytes)) return new SipMessage(bytes, source, scanSip(bytes))
    if (!isUint8Array(bytes))
      throw new SipError('ERR_RTPPROXY_SIP', 'a SIP message is read from a Uint8Array')
    // Scanned first: what has no bytes any more, since they were transferred to another thread, cannot be viewed either.
    const fields = scanSip(bytes)
    return new SipMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), source, fields)
  }

  get isRequest(): boolean {
    return this.#fields[Field.METHOD] !== 0
  }

  /** Method of the request line; undefined for a reply. */
  get method(): string | undefined {
    return this.#text(Field.METHOD)
  }

  /** Request-URI as it stands; undefined for a reply. */
  get requestUri(): string | undefined {
    return this.isRequest ? this.#text(Field.REQUEST_URI) : undefined
  }

  /** 100 to 699; undefined for a request. */
  get statusCode(): number | undefined {
    return this.isRequest ? undefined : this.#fields[Field.STATUS]!
  }

  get callId(): string | undefined {
    return this.#text(Field.CALL_ID)
  }

  get fromTag(): string | undefined {
    return this.#text(Field.FROM_TAG)
  }

  get toTag(): string | undefined {
    return this.#text(Field.TO_TAG)
  }

  /** CSeq number, 0 to 4,294,967,295; undefined without CSeq. */
  get cseq(): number | undefined {
    return this.cseqMethod === undefined ? undefined : this.#fields[Field.CSEQ]! >>> 0
  }

  get cseqMethod(): string | undefined {
    return this.#text(Field.CSEQ_METHOD)
  }

  get viaCount(): number {
    return viaCount(this.#fields)
  }

  /** Branch of the Via with this number, counted from the top and from 1 (the default); undefined if there is none. */
  viaBranch(number = 1): string | undefined {
    if (!Number.isInteger(number) || number < 1 || number > this.viaCount) return undefined
    if (number <= 2) return this.#text(Field.BRANCH + number - 1)
    return textOf(this.buffer, scanBranch(this.buffer, number))
  }

  get contentType(): string | undefined {
    return this.#text(Field.CONTENT_TYPE)
  }

  /** The whole body, a view into `buffer`; empty if there is none. */
  get body(): Buffer {
    return this.#view(Field.BODY)
  }

  /** The SDP in the body, a view into `buffer`: the body itself or one part of a multipart body. */
  get sdp(): Buffer | undefined {
    return this.#fields[Field.SDP] === 0 ? undefined : this.#view(Field.SDP)
  }

  /** How the SDP was found, or why not: see `SdpKind` in core/sip.ts. */
  get sdpKind(): number {
    return sdpKind(this.#fields)
  }

  /** All bytes of the Call-ID added up, modulo 256: what the module balances by. */
  get callIdSum(): number {
    return callIdSum(this.#fields)
  }

  /** Value of the first header called `name` (case aside, no compact forms); white space at its ends removed. */
  header(name: string): string | undefined {
    const headers = scanHeaders(this.buffer)
    const wanted = name.toLowerCase()
    for (let i = 0; i < headers.length; i += 4) {
      if (headers[i + 1]! - headers[i]! !== wanted.length) continue
      if (this.buffer.toString('latin1', headers[i], headers[i + 1]).toLowerCase() !== wanted) continue
      return this.buffer.toString('utf8', headers[i + 2], headers[i + 3])
    }
    return undefined
  }

  /** Value of the From header, as it stands. */
  get from(): string | undefined {
    return this.#text(Field.FROM)
  }

  /** Value of the To header, as it stands. */
  get to(): string | undefined {
    return this.#text(Field.TO)
  }

  /**
   * The same message with `sdp` in place of its SDP; Content-Length follows.
   *
   * @throws SipError `ERR_RTPPROXY_NO_SDP` if there is no SDP to replace, `ERR_RTPPROXY_SIP` if `sdp` is too large or no Uint8Array.
   */
  withSdp(sdp: Uint8Array): SipMessage {
    return SipMessage.parse(replaceSdp(this.buffer, sdp), this.source)
  }

  #view(index: number): Buffer {
    const range = this.#fields[index]!
    if (this.buffer.length < rangeEnd(range)) throw changedError()
    return this.buffer.subarray(rangeStart(range), rangeEnd(range))
  }

  #text(index: number): string | undefined {
    return textOf(this.buffer, this.#fields[index]!)
  }
}

/** The text of a range; undefined when it is not there or empty. */
function textOf(bytes: Buffer, range: number): string | undefined {
  return (range & 0xffff) === 0 ? undefined : bytes.toString('utf8', rangeStart(range), rangeEnd(range))
}
