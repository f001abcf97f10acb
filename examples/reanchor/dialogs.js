// What a re-INVITE within a dialog needs to be known of it (RFC 3261, 12.2.1.1), learnt from the messages that pass.

/**
 * One side of a dialog.
 *
 * @typedef {object} Party
 * @property {string} tag
 * @property {string} address its From or To header without the tag
 * @property {string | undefined} contact the URI that reaches it
 * @property {number} cseq of its last request, as it counts
 * @property {number} shift how many requests were sent in its name: its later ones count on from there
 */

/** @typedef {{caller: Party, callee: Party | undefined}} Dialog a call that is not forked */

const MAX_DIALOGS = 10_000

export class Dialogs {
  /** @type {Map<string, Dialog>} */
  #dialogs = new Map()

  /** @param {string} callId */
  get(callId) {
    return this.#dialogs.get(callId)
  }

  /** @param {import('rtpproxy-ng').SipMessage} message */
  learn(message) {
    const { callId, fromTag, toTag, cseqMethod, cseq = 0 } = message
    if (callId === undefined || fromTag === undefined) return
    const known = this.#dialogs.get(callId)
    const contact = /sip:[^>;\s]+/i.exec(message.header('Contact') ?? message.header('m') ?? '')?.[0]
    if (message.isRequest && cseqMethod === 'INVITE' && toTag === undefined) {
      const caller = { tag: fromTag, address: withoutTag(message.from), contact, cseq, shift: 0 }
      this.#dialogs.set(callId, { caller, callee: undefined })
      if (this.#dialogs.size > MAX_DIALOGS) this.#dialogs.delete(this.#dialogs.keys().next().value ?? '')
    } else if (message.isRequest) {
      const party = known === undefined ? undefined : partyOf(known, fromTag)
      if (party !== undefined && cseqMethod !== 'ACK') party.cseq = Math.max(party.cseq, cseq)
    } else if (cseqMethod === 'INVITE' && toTag !== undefined && known !== undefined) {
      const isSuccess =
        message.statusCode !== undefined && message.statusCode >= 200 && message.statusCode < 300
      if (isSuccess && known.callee === undefined)
        known.callee = { tag: toTag, address: withoutTag(message.to), contact, cseq: 0, shift: 0 }
    }
    if (cseqMethod === 'BYE' && !message.isRequest) this.#dialogs.delete(callId)
  }
}

/** @param {Dialog} dialog @param {string | undefined} tag */
export function partyOf({ caller, callee }, tag) {
  if (tag === caller.tag) return caller
  return tag === callee?.tag ? callee : undefined
}

/** @param {string | undefined} address */
function withoutTag(address = '') {
  return address.replace(/;tag=[^;,\s]*/i, '')
}
