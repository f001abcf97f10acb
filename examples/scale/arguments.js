import { parseArgs } from 'node:util'
import { hostPort } from '../sip-proxy/host-port.js'

/**
 * @param {'processes' | 'threads'} unit
 * @param {number} preset
 */
export function readArguments(unit, preset) {
  const { values } = parseArgs({
    options: {
      rtpengine: { type: 'string', multiple: true, default: ['udp:127.0.0.1:2223'] },
      listen: { type: 'string', default: '127.0.0.1:5060' },
      next: { type: 'string' },
      processes: { type: 'string' },
      threads: { type: 'string' },
    },
  })
  return {
    sockets: values.rtpengine,
    ...hostPort(values.listen),
    next: values.next === undefined ? undefined : hostPort(values.next),
    units: Number(values[unit] ?? preset),
  }
}
