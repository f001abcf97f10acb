import type { Call } from '../../relay/call.ts'
import type { Reply } from '../../relay/request.ts'

/** What `statistics` replies: the part of rtpengine's tree that speaks of calls. Its numbers are partly strings, as there. */
export function engineStatistics(calls: Iterable<Call>, started: number): Reply {
  const all = [...calls]
  const packets = all.flatMap(({ medias }) => medias).reduce((sum, { rtp }) => sum + rtp.received.packets, 0)
  return {
    statistics: {
      currentstatistics: {
        sessionsown: all.length,
        sessionsforeign: 0,
        sessionstotal: all.length,
        packetrate: 0,
        byterate: 0,
        errorrate: 0,
      },
      totalstatistics: {
        uptime: String(Math.floor((Date.now() - started) / 1000)),
        relayedpackets: packets,
      },
    },
    result: 'ok',
  }
}
