import { encode } from '../../core/bencode.ts'
import { FlagError, optionError, SipError } from '../../errors.ts'
import type { RtpengineFlags } from '../../protocol/rtpengine-flags/flags.ts'
import { parseKamailioFlags } from '../../protocol/rtpengine-flags/kamailio.ts'
import { parseOpenSipsFlags } from '../../protocol/rtpengine-flags/opensips.ts'
import { checkParameters } from '../../protocol/vocabulary/check.ts'
import type { Strictness } from '../../protocol/vocabulary/strict.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import type { SipMessage } from '../message.ts'

/** Who reads `rtpengineFlags`: the client, as Kamailio's or OpenSIPS's `rtpengine` module does, or rtpengine itself. */
export type FlagGrammar = 'kamailio' | 'opensips' | 'rtpengine'

/** What a string of rtpengine flags asks for, made once for each distinct string and command. */
export interface RtpenginePlan {
  readonly flags: RtpengineFlags
  /** The bencoded pairs of `flags.parameters`. */
  readonly pairs: Buffer
}

/** Bounds the memory of plans: a configuration has a handful of flag strings, unless they are made from user input. */
const MAX_PLANS = 256
const plans = new Map<string, RtpenginePlan>()

/** What flags are read for. */
export interface RtpengineContext {
  readonly command: string
  readonly grammar: FlagGrammar
  readonly isRequest: boolean
  readonly strict: Strictness
}

/**
 * Reads a string of rtpengine flags; the plans of the strings seen lately are kept.
 *
 * @param text undefined: nothing but what the command needs.
 * @throws FlagError with the place of what is wrong; with `strict` also ParameterError.
 */
export function rtpenginePlan(text: string | undefined, context: RtpengineContext): RtpenginePlan {
  if (text !== undefined && typeof text !== 'string')
    throw new FlagError(String(text), 0, 'rtpengineFlags must be a string')
  const { command, grammar, isRequest, strict } = context
  const key = `${grammar} ${strict} ${isRequest} ${command} ${text === undefined ? '' : `:${text}`}`
  let plan = plans.get(key)
  if (plan === undefined) {
    const flags = parse(text ?? '', command, grammar)
    const parameters = { ...addition(text, context), ...flags.parameters }
    if (strict) checkKnown(command, parameters, strict)
    plan = { flags, pairs: encode(parameters).subarray(1, -1) }
    if (plans.size >= MAX_PLANS) plans.delete(plans.keys().next().value!)
    plans.set(key, plan)
  }
  return plan
}

function parse(text: string, command: string, grammar: FlagGrammar): RtpengineFlags {
  switch (grammar) {
    case 'kamailio':
      return parseKamailioFlags(text, command)
    case 'opensips':
      return parseOpenSipsFlags(text, command)
    case 'rtpengine':
      return { ...parseKamailioFlags('', command), parameters: text === '' ? {} : { 'rtpp-flags': text } }
  }
}

/** What goes along with flags: like Kamailio's module, but `supports` only where rtpengine looks at it. */
function addition(
  text: string | undefined,
  { command, grammar, isRequest }: RtpengineContext,
): RtpengineFlags['parameters'] {
  return {
    // Asks for the result `load limit`, by which a full media proxy can be told from one that failed.
    ...(command === 'offer' && { supports: ['load limit'] }),
    ...(text !== undefined &&
      grammar !== 'opensips' && { 'sip-message-type': isRequest ? 'sip_request' : 'sip_reply' }),
  }
}

/** What the message adds is not there yet, so only what is there is checked. */
function checkKnown(command: string, parameters: NgParameters, strict: Exclude<Strictness, false>): void {
  const message = { sdp: '-', 'call-id': '-', 'from-tag': '-', 'to-tag': '-' }
  checkParameters(command, { ...message, ...parameters }, strict)
}

/** What a call gives for `via-branch=` beside the message. */
export interface BranchValues {
  readonly extraId?: string | null | undefined
  readonly nextBranch?: string | undefined
}

/**
 * The branch that `via-branch=` chooses; undefined without it.
 *
 * @throws SipError when the message or the call does not have it, ConfigurationError when there is no such choice.
 */
export function chosenBranch(
  choice: RtpengineFlags['viaBranch'],
  message: SipMessage,
  { extraId, nextBranch }: BranchValues,
): string | undefined {
  if (choice === undefined || choice === 'none') return undefined
  if (typeof choice === 'object') return choice.value
  const isRequest = message.isRequest
  switch (choice) {
    case '1':
      return via(message, 1)
    case '2':
      return via(message, 2)
    case 'auto':
      return via(message, isRequest ? 1 : 2)
    case 'extra':
      return extra(extraId)
    case 'next':
      return next(nextBranch)
    // A request's next branch is the first Via of its replies.
    case 'auto-next':
    case 'next-auto':
      return isRequest ? next(nextBranch) : via(message, 1)
    case 'auto-extra':
    case 'extra-auto':
      return isRequest ? extra(extraId) : via(message, 1)
    default: {
      // A flag string cannot say it, but a caller can; without its branch the command would be about another call.
      const what = `viaBranch must be none, 1, 2, auto, extra, next or a pair of auto with one of them, not ${choice}`
      throw optionError('viaBranch', what)
    }
  }
}

function via(message: SipMessage, number: number): string {
  const branch = message.viaBranch(number)
  if (branch === undefined)
    throw new SipError('ERR_RTPPROXY_NO_VIA_BRANCH', `Via number ${number} has no branch`)
  return branch
}

function extra(extraId: string | null | undefined): string {
  if (typeof extraId !== 'string' || extraId === '')
    throw new SipError('ERR_RTPPROXY_NO_EXTRA_ID', 'via-branch=extra was given, but there is no extra id')
  return extraId
}

function next(nextBranch: string | undefined): string {
  if (typeof nextBranch !== 'string' || nextBranch === '')
    throw new SipError('ERR_RTPPROXY_NO_VIA_BRANCH', 'via-branch=next was given, but no nextBranch')
  return nextBranch
}
