import { native } from '../contenders/native.js'
import { parsip, sip } from '../contenders/packages.js'
import * as pure from '../contenders/sip.js'
import { browserInvite } from '../inputs/browser-invite.js'
import { ok } from '../inputs/dialog.js'
import { phoneInvite } from '../inputs/phone-invite.js'
import { essentials } from '../ours.js'

/** @param {Buffer} message */
function ofSip(message) {
  const { headers } = sip.parse(message)
  return {
    callId: headers['call-id'],
    fromTag: headers.from.params.tag,
    toTag: headers.to.params.tag,
    method: headers.cseq.method,
    branch: headers.via[0]?.params.branch,
  }
}

/** @param {Buffer} message */
function ofParsip(message) {
  const parsed = parsip.getSIP(message.toString())
  return {
    callId: parsed.call_id,
    fromTag: parsed.from_tag,
    toTag: parsed.to_tag,
    method: parsed.method,
    branch: parsed.via_branch,
  }
}

/**
 * @param {string} name
 * @param {Buffer} message
 * @param {import('../row.js').Contender[]} [yardsticks]
 * @returns {import('../row.js').Row}
 */
const row = (name, message, yardsticks = []) => ({
  group: 'SIP',
  name: `parse ${name} (${message.length} bytes)`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => essentials(message) },
  peers: [
    { name: 'pure JS', run: () => pure.essentials(message) },
    { name: 'sip', run: () => ofSip(message) },
    { name: 'parsip', run: () => ofParsip(message) },
    ...yardsticks,
  ],
})

/** @type {import('../row.js').Row[]} */
export const rows = [
  row("a phone's INVITE", phoneInvite, native('libosip2: parse', 'libre: parse')),
  row("a browser's INVITE", browserInvite),
  row('a 200 OK', ok),
]
