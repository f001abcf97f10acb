import { decodeLarge, encodeLarge } from '../../core/large/bencode.ts'
import { textOf } from '../../core/large/reply.ts'
import { BRANCH_GIVEN, type MessageCommand, type RequestPlan } from '../../core/ng.ts'
import { FlagError, SipError } from '../../errors.ts'
import type { RtpengineFlags } from '../../protocol/rtpengine-flags/flags.ts'
import { checkParameters } from '../../protocol/vocabulary/check.ts'
import { keyOf } from '../../protocol/vocabulary/keys.ts'
import type { Strictness } from '../../protocol/vocabulary/strict.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import { wireParameters } from '../../protocol/vocabulary/wire.ts'
import { requestOf, type SipMessage } from '../message.ts'
import type { CheckedOptions } from '../options/check.ts'
import { DIRECT, directRequest, isRtpengine, type MessageInput, type MessageRequest } from './direct.ts'
import { keepsRoles, partiesOf } from './parties.ts'
import { middlePairs } from './plan.ts'
import { chosenBranch, rtpenginePlan } from './rtpengine-flags.ts'

/**
 * Makes any command `name` of a SIP message, behind `room` bytes left free for the cookie.
 *
 * @throws FlagError, ParameterError or SipError when it cannot be made.
 */
export function messageRequest(
  name: string,
  message: SipMessage,
  input: MessageInput,
  options: CheckedOptions,
  room: number,
): MessageRequest {
  const { parameters } = input
  if (!isRtpengine(input) && DIRECT.has(name)) {
    const made = directRequest(name, message, input, options, room)
    return parameters === undefined
      ? made
      : withParameters({ ...made, parameters, strict: options.strict, room })
  }
  if (input.flags)
    throw new FlagError(input.flags, 0, `${name} takes rtpengineFlags, or flags in letters, not both`)
  return rtpengineRequest(name, message, input, options, room)
}

function rtpengineRequest(
  given: string,
  message: SipMessage,
  input: MessageInput,
  options: CheckedOptions,
  room: number,
): MessageRequest {
  const { strict } = options
  const { isRequest } = message
  const grammar = input.flagGrammar ?? options.flagGrammar
  const context = { command: given, grammar, isRequest, strict }
  const { flags, pairs } = rtpenginePlan(input.rtpengineFlags, context)
  const name = given === 'offer' && flags.forceAnswer ? 'answer' : given
  const extraId = input.extraId ?? options.extraId?.(message)
  const branch = chosenBranch(input.viaBranch ?? flags.viaBranch, message, {
    extraId,
    nextBranch: input.nextBranch,
  })
  const hasOwnSdp = input.fragment || input.sdp !== undefined
  const isDirect = DIRECT.has(name) && !hasOwnSdp
  const isReadThere = grammar === 'rtpengine'
  const plan: RequestPlan = {
    // What is no such command is made as a query: its call and parties, and no SDP.
    command: isDirect ? (name as MessageCommand) : 'query',
    flags: pairs,
    toTag: name !== 'delete' || flags.sendsToTag || isReadThere,
    keepsRoles: keepsRoles(name, flags),
    branch: branch === undefined ? 0 : BRANCH_GIVEN,
    branchValue: branch === undefined ? undefined : Buffer.from(branch),
    // Flags that are read at the media proxy may say where the message is from.
    middle:
      isReadThere && !input.address
        ? NO_PAIRS
        : middlePairs(flags.receivedFrom ?? message.source.address, input.address),
  }
  const datagram = requestOf(message, plan, room)
  const parties = partiesOf(name, message, flags, input.parameters)
  if (isDirect && parties === undefined && input.parameters === undefined)
    return { name, datagram, plan, callId: undefined }
  const body = input.fragment ? fragmentOf(message, flags) : { sdp: input.sdp }
  const parameters = { ...parties, ...body, ...input.parameters }
  return withParameters({ name, datagram, plan, parameters, strict, room })
}

const NO_PAIRS = Buffer.alloc(0)

function fragmentOf({ body }: SipMessage, { parameters }: RtpengineFlags): NgParameters {
  const { flags } = parameters
  if (body.length === 0) throw new SipError('ERR_RTPPROXY_NO_SDP', 'the SIP message has no body to hand over')
  return { sdp: body, flags: [...(Array.isArray(flags) ? flags : []), 'fragment'] }
}

interface Addition {
  readonly name: string
  readonly datagram: Buffer
  readonly plan: RequestPlan
  readonly parameters: NgParameters
  readonly strict: Strictness
  readonly room: number
}

/** The same request with parameters of the caller's, which stand in place of what it has. */
function withParameters(addition: Addition): MessageRequest {
  const { name, datagram, plan, parameters, strict, room } = addition
  const made = decodeLarge(datagram, room)
  made.delete('command')
  replaceIn(made, parameters)
  const given = wireParameters(name, parameters)
  if (strict) checkParameters(name, { ...(textOf(made) as NgParameters), ...given }, strict)
  const body = encodeLarge({ ...Object.fromEntries(made), ...given, command: name })
  const { 'call-id': callId } = given
  return {
    name,
    datagram: Buffer.concat([Buffer.alloc(room), body]),
    plan,
    callId: callId === undefined ? undefined : String(callId),
  }
}

/** Takes out what `parameters` have in any spelling, or have as null. */
function replaceIn(made: Map<string, unknown>, parameters: NgParameters): void {
  const nameOf = (spelling: string): string => keyOf(spelling)?.name ?? spelling
  const replaced = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const names = new Set(replaced.map(([spelling]) => nameOf(spelling)))
  for (const spelling of [...made.keys()]) if (names.has(nameOf(spelling))) made.delete(spelling)
}
