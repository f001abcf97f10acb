import { isIPv6 } from 'node:net'
import type { SdpMediaDescription } from '../../core/sdp.ts'
import type { Party } from '../../relay/call.ts'

/** The engine's own SDP of the sockets of `party`, one section for each of `descriptions`. */
export function sdpFor(
  party: Party,
  descriptions: readonly SdpMediaDescription[],
  direction: 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive',
): Buffer {
  const network = `IN IP${isIPv6(party.address) ? 6 : 4} ${party.address}`
  const lines = ['v=0', `o=- ${party.created} 1 ${network}`, 's=-', 't=0 0']
  for (const [index, { media, protocol, formats, rtpmap }] of descriptions.entries()) {
    const own = party.medias[index]
    lines.push(`m=${media} ${own?.rtp.local.port ?? 0} ${protocol} ${formats.join(' ')}`, `c=${network}`)
    for (const { payloadType, encoding, clockRate, channels } of rtpmap) {
      const suffix = channels === undefined ? '' : `/${channels}`
      lines.push(`a=rtpmap:${payloadType} ${encoding}/${clockRate}${suffix}`)
    }
    lines.push(`a=${direction}`)
    if (own !== undefined) lines.push(`a=rtcp:${own.rtcp.local.port}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n`)
}
