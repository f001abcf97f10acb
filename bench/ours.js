// Our side of the rows: the one file that calls inner functions of the package.

import { SipMessage } from 'rtpproxy-ng'
import { encode } from 'rtpproxy-ng/bencode'
import { encodeRequest, rewriteMessage } from '../dist/core/ng.js'
import { source } from './inputs/sip.js'

export { scanSdp } from '../dist/core/sdp-lines.js'

/** What flags `co` become, in bencode and as a value. */
export const flags = Buffer.from('7:replacel18:session-connection6:origine')
export const replace = ['session-connection', 'origin']
/** `received-from`, likewise. */
export const middle = Buffer.from(`13:received-from${encode(['IP4', source])}`)
export const receivedFrom = ['IP4', source]

const empty = Buffer.alloc(0)

/** @typedef {'offer' | 'answer' | 'delete'} Command */

/** @param {Command} command @returns {import('../dist/core/ng.js').RequestPlan} */
const plan = (command) => ({
  command,
  flags: command === 'delete' ? empty : flags,
  toTag: true,
  branch: 0,
  branchValue: undefined,
  middle,
})
const plans = { offer: plan('offer'), answer: plan('answer'), delete: plan('delete') }

/**
 * @param {Buffer} message
 * @param {Command} command
 */
export function request(message, command) {
  return encodeRequest(message, plans[command], 0)
}

/**
 * @param {Buffer} message
 * @param {Buffer} reply
 */
export function rewrite(message, reply) {
  return rewriteMessage(message, reply, 0, 'offer', '')
}

/**
 * What a proxy reads of every message, as strings.
 *
 * @param {Buffer} message
 */
export function essentials(message) {
  const sip = SipMessage.parse(message, { address: source })
  return {
    callId: sip.callId,
    fromTag: sip.fromTag,
    toTag: sip.toTag,
    method: sip.cseqMethod,
    branch: sip.viaBranch(1),
  }
}
