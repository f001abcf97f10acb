import { decode } from 'rtpproxy-ng/bencode'
import { bareDatagrams } from '../contenders/bare.js'
import { ours, theirs } from '../contenders/clients.js'
import { phoneInvite, phoneReply } from '../inputs/phone-invite.js'
import { mediaProxy } from '../load.js'
import { request } from '../ours.js'

/** @typedef {import('../row.js').Goal} Goal */
/** @typedef {{sample: (ms: number) => Promise<import('../row.js').Sample>, close: () => unknown}} Client */

export const cookie = '0123456789abcdef_1234567 '
const dictionary = request(phoneInvite, 'offer')
/** The bytes ours sends, for a peer that sends what it is given. */
export const datagram = Buffer.concat([Buffer.from(cookie), dictionary])
const { command: _, ...offer } = /** @type {Record<string, unknown>} */ (decode(dictionary, 'utf8'))

/** The compiler takes some 100,000 transactions to settle. */
const WARM_UP_MS = 1500

/**
 * @param {number} open
 * @param {{bare?: Goal, client?: Goal}} goals
 * @param {'thread' | 'process'} [where] of the media proxy
 * @returns {import('../row.js').Row}
 */
function row(open, goals, where) {
  /** @type {Client[]} */
  let clients = []
  const sample = (/** @type {number} */ i) => (/** @type {number} */ ms) =>
    /** @type {Client} */ (clients[i]).sample(ms)
  return {
    group: 'transactions',
    name: `offers over UDP, ${open} open${where === 'process' ? ', other process' : ''}`,
    unit: '/s',
    alone: true,
    ours: { name: 'rtpproxy-ng', sample: sample(0) },
    peers: [
      { name: 'bare dgram', ...(goals.bare && { goal: goals.bare }), sample: sample(1) },
      { name: 'rtpengine-client', ...(goals.client && { goal: goals.client }), sample: sample(2) },
    ],
    open: async () => {
      const proxy = await mediaProxy('udp', phoneReply, where)
      clients = [
        await ours(`udp:127.0.0.1:${proxy.port}`, open),
        await bareDatagrams(proxy.port, open, datagram),
        await theirs(proxy.port, open, offer),
      ]
      for (const client of clients) await client.sample(WARM_UP_MS)
      return async () => {
        for (const client of clients) await client.close()
        await proxy.close()
      }
    },
  }
}

const why =
  'of every 21 µs 17 are those of bare dgram, nearly all in the kernel; the rest is parsing and making the messages, 1.2, and promise, table and state of the node'
const ready =
  'it is half as fast as bare dgram, so that three and a half times as fast would be faster than that'

/** @type {import('../row.js').Row[]} */
export const rows = [
  row(1, { bare: { atLeast: 0.8, reached: 0.75, why } }),
  row(64, {
    bare: { atLeast: 0.8, reached: 0.78, why },
    client: { atLeast: 3.5, reached: 2, why: ready },
  }),
  row(1000, {
    bare: { atLeast: 0.8, reached: 0.75, why },
    client: { atLeast: 3.5, reached: 2.1, why: ready },
  }),
  // Where the media proxy waits on another core, what counts is who wakes whom, and one core may idle.
  row(64, {}, 'process'),
]
