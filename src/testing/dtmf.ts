import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { encode } from '../core/bencode.ts'
import type { Call } from '../relay/call.ts'
import { parseHost } from '../relay/options.ts'
import { bytesOf } from '../relay/request.ts'
import { text } from '../relay/snapshot.ts'
import { partiesOf } from './commands/selection.ts'
import { stateOfCall } from './commands/state.ts'
import type { EngineProcess } from './process.ts'

export interface DtmfEvent {
  readonly callId: string
  /** Tag of the party that pressed the key. */
  readonly fromTag: string
  /** `0` to `9`, `*`, `#`, `A` to `D`. */
  readonly digit: string
  /** In milliseconds. Default 160. */
  readonly durationMs?: number
  /** In dBm0 with the sign left out. Default 10. */
  readonly volume?: number
}

const DIGITS = '0123456789*#ABCD'

/** Tells every TCP client of `engine`, and the destination that the call's commands named. */
export async function notifyDtmf(engine: EngineProcess | undefined, event: DtmfEvent): Promise<void> {
  const call = engine?.commands.calls.get(bytesOfText(event.callId))
  if (engine === undefined || call === undefined) throw new RangeError(`no call '${event.callId}'`)
  const data = dtmfData(call, event)
  const notification = dtmfNotification(data)
  for (const listener of engine.listeners) listener.broadcast?.(notification)
  const { dtmfDestination } = stateOfCall(call)
  if (dtmfDestination !== undefined) await sendDtmf(dtmfDestination, data)
}

/** The data of a DTMF event in rtpengine's keys. `event` counts as in RFC 4733: 10 is `*`, 11 is `#`. */
function dtmfData(call: Call, event: DtmfEvent): Readonly<Record<string, string | number | string[]>> {
  const { callId, fromTag, digit, durationMs = 160, volume = 10 } = event
  const code = digit.length === 1 ? DIGITS.indexOf(digit) : -1
  if (code < 0) throw new RangeError(`'${digit}' is no DTMF digit`)
  const tag = bytesOfText(fromTag)
  const parties = partiesOf(call)
  const source = parties.find((party) => party.isNamed(tag))
  if (source === undefined) throw new RangeError(`call '${callId}' has no tag '${fromTag}'`)
  const others = new Set(parties.filter((party) => party !== source).map((party) => text(party.tag!)))
  const endpoint = source.medias.find((media) => media !== undefined)?.rtp.endpoint
  return {
    callid: callId,
    source_tag: fromTag,
    ...(source.label !== undefined && { source_label: text(source.label) }),
    tags: [...others],
    type: 'DTMF',
    timestamp: Math.floor(Date.now() / 1000),
    source_ip: endpoint?.address ?? '',
    event: code,
    duration: durationMs,
    volume,
  }
}

/** The message that every TCP client is sent, behind a cookie of the engine's own. */
function dtmfNotification(data: Readonly<Record<string, string | number | string[]>>): Buffer {
  const cookie = randomBytes(8).toString('hex')
  return Buffer.concat([bytesOf(`${cookie} `), encode({ data, notify: 'onDTMF' })])
}

/** Sends the same as JSON without a cookie to `ADDRESS:PORT`; what is no such address gets nothing. */
async function sendDtmf(destination: string, data: object): Promise<void> {
  const address = parseHost(destination, destination.startsWith('[') ? 6 : 4)
  if (address === undefined) return
  const socket = createSocket(`udp${address.family}`)
  await new Promise((resolve) => socket.send(JSON.stringify(data), address.port, address.host, resolve))
  socket.close()
}

function bytesOfText(text: string): string {
  return Buffer.from(text).toString('latin1')
}
