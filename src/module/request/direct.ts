import type { MessageCommand, RequestPlan } from '../../core/ng.ts'
import type { ViaBranchChoice } from '../../protocol/rtpengine-flags/flags.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import { requestOf, type SipMessage } from '../message.ts'
import type { CheckedOptions } from '../options/check.ts'
import { type PlanInput, requestPlan } from './plan.ts'
import type { BranchValues, FlagGrammar } from './rtpengine-flags.ts'

/** What a call of a method gives beside the message. */
export interface MessageInput extends PlanInput, BranchValues {
  readonly rtpengineFlags?: string | undefined
  readonly flagGrammar?: FlagGrammar | undefined
  readonly viaBranch?: ViaBranchChoice | undefined
  readonly parameters?: NgParameters | undefined
  /** Instead of the message's. */
  readonly sdp?: string | Uint8Array | undefined
  /** The body is a fragment of SDP, of whatever type. */
  readonly fragment?: boolean | undefined
}

/** A command made of a SIP message. */
export interface MessageRequest {
  /** Name of the command, which flags may have changed from offer to answer. */
  readonly name: string
  readonly datagram: Buffer
  readonly plan: RequestPlan
  /** Call-ID in place of the message's. */
  readonly callId: string | undefined
}

/** The commands that the core makes of a message without a dictionary in between. */
export const DIRECT: ReadonlySet<string> = new Set(['offer', 'answer', 'delete', 'query', 'start recording'])

/** Whether nothing was given that the module did not know, so that the core makes all of the command. */
export function isDirect(name: string, input: MessageInput): boolean {
  return DIRECT.has(name) && input.parameters === undefined && !isRtpengine(input)
}

/** Whether the message is to be taken in the way of the module's successor. */
export function isRtpengine({
  rtpengineFlags,
  flagGrammar,
  viaBranch,
  sdp,
  fragment,
}: MessageInput): boolean {
  return (rtpengineFlags ?? flagGrammar ?? viaBranch ?? sdp ?? fragment) !== undefined
}

/**
 * Makes one of the commands in `DIRECT` of a SIP message as the module does, behind `room` bytes left free for the cookie.
 *
 * @throws FlagError or SipError when it cannot be made.
 */
export function directRequest(
  name: string,
  message: SipMessage,
  input: PlanInput,
  options: CheckedOptions,
  room: number,
): MessageRequest {
  const plan = requestPlan(name as MessageCommand, message, input, options)
  return { name, datagram: requestOf(message, plan, room), plan, callId: undefined }
}
