import assert from 'node:assert/strict'
import { once } from 'node:events'
import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
import { phoneInvite, phoneReply } from '../inputs/phone-invite.js'
import { source } from '../inputs/sip.js'
import { underLoad } from '../load.js'
import { rewrite } from '../ours.js'
import { rtpengineClient } from './packages.js'

// Whole transactions: ours takes a SIP message and gives one, the others take and give less.

const peer = { address: source, port: 5060 }
const options = { flags: 'co' }

/**
 * Ours.
 *
 * @param {string} url
 * @param {number} open
 */
export async function ours(url, open) {
  const media = new RtpProxyNg({ sockets: url })
  await media.start()
  const { message } = await media.offer(SipMessage.parse(phoneInvite, peer), options)
  assert.deepEqual(message, /** @type {{message: Buffer}} */ (rewrite(phoneInvite, phoneReply)).message)
  let closed = false
  const failed = (/** @type {unknown} */ error) => {
    // What is open behind the last round, because its datagrams were lost, is of no interest.
    if (!closed) throw error
  }
  return {
    sample: underLoad(open, (done) => {
      media.offer(SipMessage.parse(phoneInvite, peer), options).then(done, failed)
    }),
    close: () => {
      closed = true
      return media.close()
    },
  }
}

/**
 * `rtpengine-client`, which sends a ready dictionary and gives one.
 *
 * @param {number} port
 * @param {number} open
 * @param {Record<string, unknown>} offer without its command
 */
export async function theirs(port, open, offer) {
  // Its own sockets take 92 of these replies at once, too few for a thousand open.
  process.env.UDP_BUFSIZE = String(4 << 20)
  const client = new rtpengineClient.Client({ timeout: 5000, localAddress: '127.0.0.1' })
  await once(client, 'listening')
  const node = { host: '127.0.0.1', port }
  const { sdp } = await client.offer(node, offer)
  assert.ok(phoneReply.includes(String(sdp)))
  return {
    sample: underLoad(open, (done) => {
      client.offer(node, offer).then(done)
    }),
    close: () => client.close(),
  }
}
