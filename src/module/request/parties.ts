import type { RtpengineFlags } from '../../protocol/rtpengine-flags/flags.ts'
import { keyOf } from '../../protocol/vocabulary/keys.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import type { SipMessage } from '../message.ts'

/** Commands that are about all of a call, unless a direction is asked for. */
const OF_THE_CALL: ReadonlySet<string> = new Set([
  'block DTMF',
  'unblock DTMF',
  'block media',
  'unblock media',
  'silence media',
  'unsilence media',
  'start forwarding',
  'stop forwarding',
])

/** Commands about a subscription that is there already: it is called by the tag of who receives the copy. */
const OF_A_SUBSCRIPTION: ReadonlySet<string> = new Set(['subscribe answer', 'unsubscribe'])

/** Keys that say whose media is copied. With a From tag beside them rtpengine would look at that alone. */
const SOURCES: ReadonlySet<string> = new Set(['from-tags', 'label', 'address', 'all', 'rtpp-flags'])

/** What a command is made of, as far as its parties go. */
export interface PartyContext {
  readonly flags: RtpengineFlags
  /** Whether the To tag goes along at all. */
  readonly withToTag: boolean
  /** What the caller adds. */
  readonly parameters: NgParameters | undefined
}

/** Call and parties where they are others than a query of the same message would name; null for those it must not name. */
export function partiesOf(
  name: string,
  message: SipMessage,
  { flags, withToTag, parameters }: PartyContext,
): NgParameters | undefined {
  const { isRequest } = message
  const { callId, directional } = flags
  const givenToTag = flags.toTag ?? message.toTag ?? null
  if (OF_THE_CALL.has(name) && !directional) return { 'call-id': callId, 'from-tag': null, 'to-tag': null }
  if (OF_A_SUBSCRIPTION.has(name))
    return { 'call-id': callId, 'from-tag': flags.fromTag ?? null, 'to-tag': givenToTag }
  if (name === 'subscribe request') {
    const isNamed = picksSources(flags.parameters) || picksSources(parameters ?? {})
    const sender = isNamed && !directional ? null : (message.fromTag ?? null)
    // A new party is to hear: with the other party's tag, that one would hear the copy and no longer the call.
    const toTag = flags.sendsToTag ? givenToTag : null
    return { 'call-id': callId, 'from-tag': flags.fromTag ?? sender, 'to-tag': toTag }
  }
  // The roles change in the delete of a call that was refused for the module, but not for its successor.
  const isTurned = name === 'answer' ? isRequest : !isRequest && (name === 'delete' || directional)
  const keepsRoles = isTurned && (name === 'delete' || directional)
  const fromTag = flags.fromTag ?? (keepsRoles ? message.fromTag : undefined)
  const toTag = flags.toTag ?? (keepsRoles ? (withToTag && message.toTag) || null : undefined)
  if ((callId ?? fromTag ?? toTag) === undefined) return undefined
  return { 'call-id': callId, 'from-tag': fromTag, 'to-tag': toTag }
}

function picksSources(parameters: NgParameters): boolean {
  return Object.entries(parameters).some(([spelling, value]) => {
    const name = keyOf(spelling)?.name ?? spelling
    return SOURCES.has(name) || (name === 'flags' && Array.isArray(value) && value.includes('all'))
  })
}
