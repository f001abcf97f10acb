// The example proxy, and what it does when a media proxy dies with calls on it: each call is set up again on another media proxy
// from its last offer and answer, and both parties learn their new SDP from a re-INVITE.
//
// A proxy that sends requests of its own within a dialog is none in the sense of RFC 3261: it counts CSeq on in the name of a
// party, and shifts what that party sends later. A product would be a B2BUA here, with forks, PRACK, authentication and glare (RFC 3261,
// 14.1); this shows where the library's part ends: `node:down`, `callsOn`, `reanchor`, and two SDPs to be sent.

import { createHash } from 'node:crypto'
import { isHeader, uriTarget } from '../sip-proxy/headers.js'
import { SipProxy } from '../sip-proxy/proxy.js'
import { Dialogs, partyOf } from './dialogs.js'

/** @typedef {import('./dialogs.js').Party} Party */

/** Calls moved at a time: the media proxy that takes them has its own to serve. */
const AT_ONCE = 16
/** RFC 3261, 17.1.1.2: timer A begins with T1 and doubles, timer B ends it. */
const T1_MS = 500
const TIMER_B_MS = 64 * T1_MS

export class ReanchoringProxy extends SipProxy {
  /** @param {import('../sip-proxy/proxy.js').SipProxyOptions} options */
  constructor(options) {
    super({ ...options, media: { keepDialogs: 10_000, ...options.media } })
    this.dialogs = new Dialogs()
    this.moved = { calls: 0, failed: 0 }
    /** Our own re-INVITEs that have no final answer yet, by branch. @type {Map<string, (status: number) => void>} */
    this.asked = new Map()
    this.media.on('node:down', ({ url }) => void this.moveCalls(url))
  }

  /** @param {string} url of a media proxy that is down */
  async moveCalls(url) {
    const calls = this.media.callsOn(url)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const call of calls) {
          await this.moveCall(call).then(
            () => this.moved.calls++,
            () => this.moved.failed++,
          )
        }
      }),
    )
  }

  /** @param {import('rtpproxy-ng').CallKey} call */
  async moveCall(call) {
    const dialog = this.dialogs.get(call.callId)
    if (dialog?.callee === undefined) throw new Error('the call is not established')
    const { offererTag, answererTag, sdpForOfferer, sdpForAnswerer } = await this.media.reanchor(call)
    const offerer = partyOf(dialog, offererTag)
    const answerer = partyOf(dialog, answererTag)
    if (offerer === undefined || answerer === undefined || sdpForOfferer === undefined)
      throw new Error('the parties are not those of the dialog')
    await Promise.all([
      this.reInvite(call.callId, offerer, answerer, sdpForAnswerer),
      this.reInvite(call.callId, answerer, offerer, sdpForOfferer),
    ])
  }

  /**
   * Sends `to` an INVITE in the name of `from`; resolves when it is accepted.
   *
   * @param {string} callId
   * @param {Party} from
   * @param {Party} to
   * @param {Buffer} sdp
   */
  async reInvite(callId, from, to, sdp) {
    const target = uriTarget(to.contact ?? '')
    if (target === undefined) throw new Error('the party has no address')
    from.shift++
    const cseq = from.cseq + from.shift
    const branch = `z9hG4bK${createHash('sha256').update(`${callId} ${from.tag} ${cseq}`).digest('hex').slice(0, 24)}`
    const head = (/** @type {string} */ method) => [
      `${method} ${to.contact} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.hostPort};branch=${branch}`,
      'Max-Forwards: 70',
      `From: ${from.address};tag=${from.tag}`,
      `To: ${to.address};tag=${to.tag}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <${from.contact}>`,
    ]
    const lines = [
      ...head('INVITE'),
      'Content-Type: application/sdp',
      `Content-Length: ${sdp.length}`,
      '',
      '',
    ]
    const invite = Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), sdp])
    const status = await this.transaction(branch, () => this.send(invite, target, true))
    if (status === 0) throw new Error('the party does not answer')
    this.send(Buffer.from([...head('ACK'), 'Content-Length: 0', '', ''].join('\r\n'), 'latin1'), target, true)
    if (status >= 300) throw new Error(`the party refused: ${status}`)
  }

  /**
   * Sends until a final answer comes; resolves with its status, or 0.
   *
   * @param {string} branch
   * @param {() => void} send
   * @returns {Promise<number>}
   */
  transaction(branch, send) {
    return new Promise((resolve) => {
      const end = (/** @type {number} */ status) => {
        clearTimeout(again)
        clearTimeout(limit)
        this.asked.delete(branch)
        resolve(status)
      }
      /** @type {NodeJS.Timeout | undefined} */
      let again
      const repeat = (/** @type {number} */ waitMs) => {
        send()
        again = setTimeout(() => repeat(waitMs * 2), waitMs)
      }
      const limit = setTimeout(() => end(0), TIMER_B_MS)
      this.asked.set(branch, end)
      repeat(T1_MS)
    })
  }

  /**
   * @override
   * @param {import('rtpproxy-ng').SipMessage} message
   */
  async reply(message) {
    const end = this.asked.get(message.viaBranch() ?? '')
    if (end === undefined) return super.reply(message)
    if (message.statusCode !== undefined && message.statusCode >= 200) end(message.statusCode)
  }

  /**
   * @override
   * @param {import('../sip-proxy/headers.js').Headers} headers
   * @param {import('rtpproxy-ng').SipMessage} message
   */
  leaving(headers, message) {
    const dialog = this.dialogs.get(message.callId ?? '')
    this.dialogs.learn(message)
    const shift = dialog === undefined ? 0 : (partyOf(dialog, message.fromTag)?.shift ?? 0)
    if (shift === 0 || message.cseq === undefined) return
    const cseq = message.isRequest ? message.cseq + shift : message.cseq - shift
    const at = headers.lines.findIndex((line) => isHeader(line, 'cseq'))
    headers.lines[at] = `CSeq: ${cseq} ${message.cseqMethod}`
  }

  /** @override */
  async close() {
    for (const end of this.asked.values()) end(0)
    await super.close()
  }
}
