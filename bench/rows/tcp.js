import { bareDatagrams, bareStream } from '../contenders/bare.js'
import { ours } from '../contenders/clients.js'
import { phoneReply } from '../inputs/phone-invite.js'
import { mediaProxy } from '../load.js'
import { cookie, datagram } from './udp.js'

/** @typedef {import('../row.js').Goal} Goal */
/** @typedef {{sample: (ms: number) => Promise<import('../row.js').Sample>, close: () => unknown}} Client */

/** The compiler takes some 100,000 transactions to settle. */
const WARM_UP_MS = 1500

/**
 * @param {number} open
 * @param {Goal} goal
 * @returns {import('../row.js').Row}
 */
function row(open, goal) {
  /** @type {Client[]} */
  let clients = []
  const sample = (/** @type {number} */ i) => (/** @type {number} */ ms) =>
    /** @type {Client} */ (clients[i]).sample(ms)
  return {
    group: 'transactions',
    name: `offers over TCP, ${open} open`,
    unit: '/s',
    alone: true,
    ours: { name: 'rtpproxy-ng', sample: sample(0) },
    peers: [
      { name: 'bare TCP, pipelined', sample: sample(1) },
      { name: 'bare dgram', goal, sample: sample(2) },
    ],
    open: async () => {
      const [stream, datagrams] = await Promise.all([
        mediaProxy('tcp', phoneReply),
        mediaProxy('udp', phoneReply),
      ])
      clients = [
        await ours(`tcp:127.0.0.1:${stream.port}`, open),
        await bareStream(stream.port, open, datagram, cookie.length + phoneReply.length),
        await bareDatagrams(datagrams.port, open, datagram),
      ]
      for (const client of clients) await client.sample(WARM_UP_MS)
      return async () => {
        for (const client of clients) await client.close()
        await Promise.all([stream.close(), datagrams.close()])
      }
    },
  }
}

/** @type {import('../row.js').Row[]} */
export const rows = [row(64, { atLeast: 2 }), row(512, { atLeast: 3 })]
