import { isUint8Array } from 'node:util/types'
import { NgError, RtpProxyNgError, SipError } from '../errors.ts'
import {
  copyIn,
  copyOutput,
  FIELD_WORDS,
  MAX_INPUT,
  memory,
  ngReply,
  ngReplyScan,
  ngReplyScanned,
  ngRequest,
  ngRequestScanned,
  PARAMS,
  PARAMS_SIZE,
  partOfCopy,
  REPLY,
  sipSplice,
  words,
} from './instance.ts'
import { loadScanned, loadSip, noSdpError, type SipFields, scanError } from './sip.ts'

/** The commands a SIP message can become. */
export type MessageCommand = 'offer' | 'answer' | 'delete' | 'query' | 'start recording'

const COMMAND_NUMBERS: Record<MessageCommand, number> = {
  offer: 0,
  answer: 1,
  delete: 2,
  query: 3,
  'start recording': 4,
}

// As in assembly/ng.ts.
const WITH_TO_TAG = 1
const KEEP_ROLES = 2

/** Which `via-branch` goes along: none, of the first or second Via, or a value of the caller's. */
export type BranchSource = 0 | 1 | 2 | 3
export const BRANCH_GIVEN = 3

/** What a request takes from elsewhere than its SIP message. The Buffers hold ready bencode, and nobody writes to them. */
export interface RequestPlan {
  readonly command: MessageCommand
  /** Key-value pairs the flags became. */
  readonly flags: Buffer
  /** Whether a To tag goes along when the roles are not swapped. */
  readonly toTag: boolean
  /** The sender is who From names: the roles are never swapped. */
  readonly keepsRoles?: boolean | undefined
  readonly branch: BranchSource
  /** The bytes of `via-branch` when `branch` is 3. */
  readonly branchValue: Buffer | undefined
  /** `received-from` and, if wanted, `media address`, as key-value pairs. */
  readonly middle: Buffer
}

// The fragments that are in PARAMS now. Those of the last request often serve the next.
let flags: Buffer | undefined
let middle: Buffer | undefined

/** Puts the plan's fragments into PARAMS; returns the length of its branch value. */
function loadPlan(plan: RequestPlan): number {
  const fixed = plan.flags.length + plan.middle.length
  const branchLength = plan.branchValue?.length ?? 0
  if (fixed + branchLength > PARAMS_SIZE) {
    throw new RtpProxyNgError(
      'ERR_RTPPROXY_TOO_LARGE',
      `the parameters of ${plan.command} make ${fixed + branchLength} bytes`,
    )
  }
  if (plan.flags !== flags || plan.middle !== middle) {
    memory.set(plan.flags, PARAMS)
    memory.set(plan.middle, PARAMS + plan.flags.length)
    flags = plan.flags
    middle = plan.middle
  }
  if (plan.branchValue !== undefined) memory.set(plan.branchValue, PARAMS + fixed)
  return branchLength
}

/**
 * Makes the NG request of a SIP message, behind `room` bytes left free for the cookie, in a Buffer of its own.
 *
 * @param fields what `scanSip` has found in the message, if it has been scanned already.
 * @throws SipError when the message lacks what the command needs, RtpProxyNgError `ERR_RTPPROXY_TOO_LARGE` when the
 * parameters exceed 69,632 bytes.
 */
export function encodeRequest(
  message: Uint8Array,
  plan: RequestPlan,
  room: number,
  fields?: SipFields,
): Buffer {
  const branchLength = loadPlan(plan)
  const length = fields === undefined ? loadSip(message) : loadScanned(message, fields)
  const command = COMMAND_NUMBERS[plan.command]
  const parties = (plan.toTag ? WITH_TO_TAG : 0) | (plan.keepsRoles ? KEEP_ROLES : 0)
  const flagsLength = plan.flags.length
  const middleLength = plan.middle.length
  const written =
    fields === undefined
      ? ngRequest(length, command, parties, plan.branch, room, flagsLength, middleLength, branchLength)
      : ngRequestScanned(length, command, parties, plan.branch, room, flagsLength, middleLength, branchLength)
  if (written < 0) throw requestError(written, plan)
  return copyOutput(written)
}

function requestError(reason: number, plan: RequestPlan): SipError {
  switch (reason) {
    case -1:
      return scanError()
    case -2:
      return new SipError('ERR_RTPPROXY_NO_CALL_ID', 'the SIP message has no Call-ID')
    case -3:
      return new SipError('ERR_RTPPROXY_NO_TO_TAG', 'the SIP message has no To header')
    case -4:
      return new SipError('ERR_RTPPROXY_NO_FROM_TAG', 'the SIP message has no From tag')
    case -5:
      return noSdpError()
    case -6:
      return new SipError('ERR_RTPPROXY_NO_VIA_BRANCH', `Via number ${plan.branch} has no branch`)
    case -7:
      return new SipError(
        'ERR_RTPPROXY_NO_TO_TAG',
        `the SIP message has no To tag, which ${plan.command} needs to swap the roles`,
      )
    default:
      return changedError()
  }
}

/** The bytes of a message have become fewer since they were scanned: their ArrayBuffer was transferred or resized. */
export function changedError(): SipError {
  return new SipError('ERR_RTPPROXY_SIP', 'the bytes of the SIP message have changed since it was parsed')
}

/** What the top level of an NG reply says. */
export interface ReplySummary {
  readonly result: 'ok' | 'pong' | 'error' | 'load limit' | 'other'
  /** `result` as sent; undefined when the reply has none. */
  readonly resultText: string | undefined
  readonly hasSdp: boolean
  /** `error-reason`, else `message`. */
  readonly reason: string | undefined
  readonly warning: string | undefined
}

const RESULTS = ['other', 'ok', 'error', 'pong', 'load limit'] as const
// Indices of the reply's fields, as in assembly/reply.ts and assembly/ng.ts.
const RESULT_TEXT = FIELD_WORDS + 41
const REPLY_SDP = FIELD_WORDS + 43
const REASON = FIELD_WORDS + 45
const WARNING = FIELD_WORDS + 47
const REPLY_ERROR_AT = FIELD_WORDS + 49
const SPLICED_AT = FIELD_WORDS + 50

function replyText(index: number): string | undefined {
  const start = words[index]!
  if (start === 0) return undefined
  return memory.toString('utf8', REPLY + start, REPLY + start + words[index + 1]!)
}

/** Copies a reply's dictionary in and checks it; returns the number of its result. */
function loadReply(reply: Buffer, offset: number, command: string, node: string | undefined): number {
  const length = reply.length - offset
  if (length > MAX_INPUT) {
    throw new NgError('ERR_RTPPROXY_REPLY', `reply of ${length} bytes; the limit is ${MAX_INPUT}`, {
      command,
      node,
    })
  }
  reply.copy(memory, REPLY, offset)
  const result = ngReplyScan(length)
  if (result < 0) {
    const at = words[REPLY_ERROR_AT]
    throw new NgError(
      'ERR_RTPPROXY_REPLY',
      `${command}: ${node} answered no bencoded dictionary (byte ${at})`,
      {
        command,
        node,
      },
    )
  }
  return result
}

function summary(result: number): ReplySummary {
  return {
    result: RESULTS[result]!,
    resultText: replyText(RESULT_TEXT),
    hasSdp: words[REPLY_SDP] !== 0,
    reason: replyText(REASON),
    warning: replyText(WARNING),
  }
}

/**
 * Reads what the top level of the reply at `offset` of `reply` says, having checked its whole form.
 *
 * @throws NgError `ERR_RTPPROXY_REPLY`: not a bencoded dictionary, or larger than 65,535 bytes.
 */
export function readReply(
  reply: Buffer,
  offset: number,
  command: string,
  node: string | undefined,
): ReplySummary {
  return summary(loadReply(reply, offset, command, node))
}

/** A SIP message with the SDP of a reply in it, in a Buffer of the caller's own, and that SDP, a view into it. */
export interface RewrittenMessage {
  readonly message: Buffer
  readonly sdp: Buffer
  readonly warning: string | undefined
}

/**
 * Puts the SDP of a reply with `result` = `ok` into its SIP message; every other byte but Content-Length stays. Any other
 * reply is returned as a summary for the caller to turn into an error.
 *
 * @param fields what `scanSip` has found in the message, if it has been scanned already.
 * @throws NgError as `readReply`; SipError if the message has no SDP to replace.
 */
export function rewriteMessage(
  message: Uint8Array,
  reply: Buffer,
  offset: number,
  command: string,
  node: string | undefined,
  fields?: SipFields,
): RewrittenMessage | ReplySummary {
  const result = loadReply(reply, offset, command, node)
  if (RESULTS[result] !== 'ok' || words[REPLY_SDP] === 0) return summary(result)
  const warning = replyText(WARNING)
  const written =
    fields === undefined ? ngReply(loadSip(message)) : ngReplyScanned(loadScanned(message, fields))
  if (written < 0) throw spliceError(written)
  const rewritten = copyOutput(written)
  const sdp = partOfCopy(words[SPLICED_AT]!, words[REPLY_SDP + 1]!)
  return { message: rewritten, sdp, warning }
}

/** Puts `sdp` in place of the message's SDP; Content-Length follows. */
export function replaceSdp(message: Uint8Array, sdp: Uint8Array): Buffer {
  if (!isUint8Array(sdp)) throw new SipError('ERR_RTPPROXY_SIP', 'the SDP must be a Uint8Array')
  if (sdp.length > MAX_INPUT) {
    throw new SipError('ERR_RTPPROXY_SIP', `SDP of ${sdp.length} bytes; the limit is ${MAX_INPUT}`)
  }
  copyIn(sdp, REPLY)
  const written = sipSplice(loadSip(message), REPLY, sdp.length)
  if (written < 0) throw spliceError(written)
  return copyOutput(written)
}

function spliceError(reason: number): SipError {
  if (reason === -1) return scanError()
  return reason === -5 ? noSdpError() : changedError()
}
