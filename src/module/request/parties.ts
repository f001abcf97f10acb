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

/**
 * Whether the sender is who From names, in an answer or a reply too: there the roles are swapped otherwise, for which there must be a To
 * tag. For commands that name other parties, or none, it is all the same.
 */
export function keepsRoles(name: string, { directional, toTag }: RtpengineFlags): boolean {
  // The roles change in the delete of a call that was refused for the module, but not for its successor.
  if (name === 'delete' || directional || toTag !== undefined) return true
  return OF_THE_CALL.has(name) || OF_A_SUBSCRIPTION.has(name) || name === 'subscribe request'
}

/**
 * Call and parties where they are others than the message's own; null for those the command must not name.
 *
 * @param parameters what the caller adds.
 */
export function partiesOf(
  name: string,
  message: SipMessage,
  flags: RtpengineFlags,
  parameters: NgParameters | undefined,
): NgParameters | undefined {
  const { callId, directional, fromTag, toTag } = flags
  const givenToTag = toTag ?? message.toTag ?? null
  if (OF_THE_CALL.has(name) && !directional) return { 'call-id': callId, 'from-tag': null, 'to-tag': null }
  if (OF_A_SUBSCRIPTION.has(name))
    return { 'call-id': callId, 'from-tag': fromTag ?? null, 'to-tag': givenToTag }
  if (name === 'subscribe request') {
    const isNamed = picksSources(flags.parameters) || picksSources(parameters ?? {})
    const sender = isNamed && !directional ? null : (message.fromTag ?? null)
    // A new party is to hear: with the other party's tag, that one would hear the copy and no longer the call.
    return {
      'call-id': callId,
      'from-tag': fromTag ?? sender,
      'to-tag': flags.sendsToTag ? givenToTag : null,
    }
  }
  if ((callId ?? fromTag ?? toTag) === undefined) return undefined
  // `to-tag=` stands for the To tag of the message, and so for the sender where the roles are swapped.
  const isSwapped = (name === 'answer') === message.isRequest && name !== 'delete' && !directional
  return isSwapped && toTag !== undefined
    ? { 'call-id': callId, 'from-tag': toTag, 'to-tag': message.fromTag }
    : { 'call-id': callId, 'from-tag': fromTag, 'to-tag': toTag }
}

function picksSources(parameters: NgParameters): boolean {
  return Object.entries(parameters).some(([spelling, value]) => {
    const name = keyOf(spelling)?.name ?? spelling
    return SOURCES.has(name) || (name === 'flags' && Array.isArray(value) && value.includes('all'))
  })
}
