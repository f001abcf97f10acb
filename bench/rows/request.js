import assert from 'node:assert/strict'
import { decode } from 'rtpproxy-ng/bencode'
import * as pure from '../contenders/ng.js'
import { bencode, sip } from '../contenders/packages.js'
import { browserInvite } from '../inputs/browser-invite.js'
import { bye, ok } from '../inputs/dialog.js'
import { phoneInvite } from '../inputs/phone-invite.js'
import { flags, middle, receivedFrom, replace, request } from '../ours.js'

/** @typedef {import('../ours.js').Command} Command */
/** @typedef {import('../row.js').Goal} Goal */

/**
 * The same with `sip` and `bencode`.
 *
 * @param {Buffer} message
 * @param {Command} command
 */
function packages(message, command) {
  const { content, headers, method } = sip.parse(message)
  const from = headers.from.params.tag
  const to = headers.to.params.tag
  const [fromTag, toTag] = (method !== undefined) !== (command === 'answer') ? [from, to] : [to, from]
  const body = command === 'delete' ? {} : { sdp: content, replace }
  const tags = toTag === undefined ? { 'from-tag': fromTag } : { 'from-tag': fromTag, 'to-tag': toTag }
  return bencode.encode({
    ...body,
    'call-id': headers['call-id'],
    'received-from': receivedFrom,
    ...tags,
    command,
  })
}

const none = Buffer.alloc(0)

/**
 * @param {string} name
 * @param {Buffer} message
 * @param {Command} command
 * @param {{pure: Goal, packages: Goal}} goals
 * @returns {import('../row.js').Row}
 */
const row = (name, message, command, goals) => ({
  group: 'SIP to NG',
  name: `${name} (${message.length} bytes) to ${command}`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => request(message, command) },
  peers: [
    {
      name: 'pure JS',
      goal: goals.pure,
      run: () => pure.request(message, command, command === 'delete' ? none : flags, middle),
    },
    {
      name: 'sip + bencode',
      goal: goals.packages,
      run: () => packages(message, command),
      // `bencode` sorts the keys.
      agrees: (theirs, ours) =>
        assert.deepEqual(decode(/** @type {Buffer} */ (theirs)), decode(/** @type {Buffer} */ (ours))),
    },
  ],
})

/** @param {number} reached @param {string} why @returns {Goal} */
const beyond = (reached, why) => ({ atLeast: 6, reached, why })
const result =
  "the Buffer of the result alone takes more than a sixth of the contender's whole time: half of ours, the scan the rest"
const large =
  'most of both sides is copying 4 kB of SDP: the core copies them in, into the datagram and out, the contender once'
const packagesGoal = { atLeast: 30 }

/** @type {import('../row.js').Row[]} */
export const rows = [
  row("a phone's INVITE", phoneInvite, 'offer', { pure: beyond(2.5, result), packages: packagesGoal }),
  row("a browser's INVITE", browserInvite, 'offer', {
    pure: beyond(1.5, large),
    packages: packagesGoal,
  }),
  row('a 200 OK', ok, 'answer', { pure: beyond(2.6, result), packages: packagesGoal }),
  row('a BYE', bye, 'delete', { pure: beyond(2.6, result), packages: packagesGoal }),
]
