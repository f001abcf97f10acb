import { SipError } from '../../errors.ts'
import type { CallKey } from '../../nodes/affinity/calls.ts'
import type { Node } from '../../nodes/node.ts'
import type { Pool } from '../../nodes/pool.ts'
import type { ReanchorResult } from '../calls.ts'
import { PendingSdp } from '../request/pending.ts'
import { type Dialogs, deleteOf, tagsOf } from './dialogs.ts'

export interface ReanchorContext {
  readonly pool: Pool
  readonly dialogs: Dialogs | undefined
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
}

/** Sets a call up again on another node by replaying its last offer and answer. */
export async function reanchor(call: CallKey, context: ReanchorContext): Promise<ReanchorResult> {
  const { callId, viaBranch } = call
  const { pool, dialogs } = context
  const dialog = dialogs?.get(callId, viaBranch)
  if (dialog === undefined) {
    throw new SipError('ERR_RTPPROXY_NOT_APPLICABLE', `no offer of call ${callId} is kept`)
  }
  const previous = pool.pins.memory?.find(callId, viaBranch)
  const replay = (name: string, datagram: Buffer, avoid: Node | undefined) =>
    new Promise<{ node: string; sdp: Buffer }>((resolve, reject) => {
      const request = {
        name,
        // The kept one stays as it is: each sending writes a cookie of its own.
        datagram: Buffer.from(datagram),
        set: pool.set(dialog.set, 'reanchor'),
        sum: dialog.sum,
        callId,
        viaBranch,
        token: undefined,
        signal: context.signal,
        deadlineMs: context.deadlineMs,
        avoid,
        only: undefined,
        isLeg: false,
      }
      pool.send(new PendingSdp(request, resolve, reject))
    })
  const offered = await replay('offer', dialog.offer, previous)
  let answered: { sdp: Buffer } | undefined
  try {
    if (dialog.answer !== undefined) answered = await replay('answer', dialog.answer, undefined)
  } catch (error) {
    // Half a call is no call: it is where it was, and what was begun elsewhere ends.
    const half = pool.node(offered.node, dialog.set)
    if (half !== undefined) pool.deletes.add(half, deleteOf(dialog.offer))
    pool.pins.restore(call, previous)
    throw error
  }
  // If the old node is alive, or comes back, it must not hold the call's ports.
  if (previous !== undefined) pool.deletes.add(previous, deleteOf(dialog.offer))
  // An answer names the party that offered in its to-tag or its from-tag, whichever the offer's from-tag is.
  const offererTag = tagsOf(dialog.offer).from
  const { from, to } = dialog.answer === undefined ? tagsOf(dialog.offer) : tagsOf(dialog.answer)
  return {
    node: offered.node,
    previous: previous?.url,
    offererTag,
    answererTag: from === offererTag ? to : from,
    sdpForAnswerer: offered.sdp,
    sdpForOfferer: answered?.sdp,
  }
}
