/** A key pressed on a phone, as rtpengine saw it in RTP (RFC 4733) or heard it in the audio. */
export interface DtmfEvent {
  readonly callId: string
  /** Tag of the party that pressed the key. */
  readonly sourceTag: string
  /** The `label` of that party, if a command set one. */
  readonly sourceLabel: string | undefined
  /** Tags of all parties of the call. */
  readonly tags: readonly string[]
  /** Where the party sends its media from. */
  readonly sourceAddress: string
  /** When the key was released, to the second. */
  readonly timestamp: Date
  /** `0` to `9`, `*`, `#`, `A` to `D`. */
  readonly digit: string
  /** The same as RFC 4733, section 3.2 counts: 0 to 15. */
  readonly code: number
  readonly durationMs: number
  /** Level of the tone in dBm0, zero or negative; RFC 4733 and rtpengine leave the sign out. */
  readonly volume: number
}

const DIGITS = '0123456789*#ABCD'
/** Last second a Date can tell. */
const END_OF_TIME = 8.64e12

/**
 * Reads the data of a DTMF event: the JSON of a datagram to `dtmf-log-dest`, or the decoded `data` of an `onDTMF` notification
 * over TCP. Undefined if it is anything else, or lacks any of `callid`, `source_tag`, `timestamp` and `event`.
 */
export function dtmfEventOf(value: unknown): DtmfEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const of = (key: string): unknown => (Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined)
  const callId = of('callid')
  const sourceTag = of('source_tag')
  const code = integer(of('event'), DIGITS.length - 1)
  const seconds = integer(of('timestamp'), END_OF_TIME)
  const type = of('type')
  if (typeof callId !== 'string' || typeof sourceTag !== 'string') return undefined
  if (code === undefined || seconds === undefined || (type !== undefined && type !== 'DTMF')) return undefined
  const sourceLabel = of('source_label')
  const sourceAddress = of('source_ip')
  const tags = of('tags')
  const volume = of('volume')
  return {
    callId,
    sourceTag,
    sourceLabel: typeof sourceLabel === 'string' ? sourceLabel : undefined,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
    sourceAddress: typeof sourceAddress === 'string' ? sourceAddress : '',
    timestamp: new Date(seconds * 1000),
    digit: DIGITS[code]!,
    code,
    durationMs: integer(of('duration'), Number.MAX_SAFE_INTEGER) ?? 0,
    // Zero must not become minus zero.
    volume: Number.isSafeInteger(volume) ? 0 - Math.abs(volume as number) : 0,
  }
}

function integer(value: unknown, max: number): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max
    ? (value as number)
    : undefined
}
