import assert from 'node:assert/strict'
import * as pure from '../contenders/ng.js'
import { bencode, sip } from '../contenders/packages.js'
import { browserInvite, browserReply } from '../inputs/browser-invite.js'
import { ok, okReply } from '../inputs/dialog.js'
import { phoneInvite, phoneReply } from '../inputs/phone-invite.js'
import { rewrite } from '../ours.js'

/** @typedef {import('../row.js').Goal} Goal */

/**
 * The same with `sip` and `bencode`.
 *
 * @param {Buffer} message
 * @param {Buffer} reply
 */
function packages(message, reply) {
  const { result, sdp } = /** @type {{result: Uint8Array, sdp: Uint8Array}} */ (bencode.decode(reply))
  if (Buffer.from(result).toString() !== 'ok') throw new Error('unexpected reply')
  const parsed = sip.parse(message)
  parsed.content = Buffer.from(sdp).toString()
  parsed.headers['content-length'] = sdp.length
  return Buffer.from(sip.stringify(parsed))
}

/**
 * @param {string} name
 * @param {Buffer} message
 * @param {Buffer} reply
 * @param {Goal} goal
 * @returns {import('../row.js').Row}
 */
const row = (name, message, reply, goal) => ({
  group: 'NG reply to SIP',
  name: `a reply (${reply.length} bytes) into ${name}`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => rewrite(message, reply) },
  peers: [
    { name: 'pure JS', goal, run: () => pure.rewrite(message, reply) },
    {
      name: 'sip + bencode',
      run: () => packages(message, reply),
      // `sip` writes headers in its own way.
      agrees: (theirs, ours) => {
        const { message } = /** @type {{message: Buffer}} */ (ours)
        assert.deepEqual(sip.parse(/** @type {Buffer} */ (theirs)), sip.parse(message))
      },
    },
  ],
})

/** @param {number} reached @param {string} why @returns {Goal} */
const beyond = (reached, why) => ({ atLeast: 3, reached, why })
const copies =
  'both inputs are copied in and the result out, the contender copies each byte once and checks no form; into a message that was parsed before, as the client has it, it takes half the time'

/** @type {import('../row.js').Row[]} */
export const rows = [
  row("a phone's INVITE", phoneInvite, phoneReply, beyond(1.5, copies)),
  row("a browser's INVITE", browserInvite, browserReply, beyond(1.3, copies)),
  row('a 200 OK', ok, okReply, beyond(1.7, copies)),
]
