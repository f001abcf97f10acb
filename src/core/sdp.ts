import { type Range, type SdpLines, scanSdp } from './sdp-lines.ts'

/** One `a=` line: `name` or `name:value`. */
export interface SdpAttribute {
  readonly name: string
  readonly value: string | undefined
}

/** `c=` (RFC 8866, 5.7). */
export interface SdpConnection {
  readonly netType: string
  /** `IP4` or `IP6`. */
  readonly addressType: string
  /** Without TTL and count of a multicast address. */
  readonly address: string
}

/** `o=` (RFC 8866, 5.2). The ids are text: they may exceed 2^53. */
export interface SdpOrigin extends SdpConnection {
  readonly username: string
  readonly sessionId: string
  readonly sessionVersion: string
}

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** `a=rtpmap` (RFC 8866, 6.6). */
export interface SdpRtpMap {
  readonly payloadType: number
  readonly encoding: string
  readonly clockRate: number
  readonly channels: number | undefined
}

/** What may stand in the session's section and in a media section. */
interface SdpSection {
  readonly connection: SdpConnection | undefined
  /** Values of `b=`, as `type:value`. */
  readonly bandwidth: readonly string[]
  readonly iceUfrag: string | undefined
  readonly icePwd: string | undefined
  readonly fingerprint: { readonly hash: string; readonly value: string } | undefined
  readonly setup: string | undefined
  /** Every `a=`, in order. */
  readonly attributes: readonly SdpAttribute[]
}

/** One `m=` section (RFC 8866, 5.14). What it does not say itself of connection and direction is the session's. */
export interface SdpMediaDescription extends SdpSection {
  /** `audio`, `video`, `application`, ... */
  readonly media: string
  readonly port: number
  readonly portCount: number
  /** `RTP/AVP`, `UDP/TLS/RTP/SAVPF`, ... */
  readonly protocol: string
  readonly formats: readonly string[]
  readonly direction: SdpDirection
  readonly mid: string | undefined
  readonly rtpmap: readonly SdpRtpMap[]
  readonly fmtp: readonly { readonly payloadType: number; readonly parameters: string }[]
  /** `a=rtcp` (RFC 3605): its port, and its address if it names one. */
  readonly rtcp: { readonly port: number; readonly address: string | undefined } | undefined
  readonly rtcpMux: boolean
  /** Values of `a=candidate`, as they stand. */
  readonly candidates: readonly string[]
}

export interface SessionDescription extends SdpSection {
  readonly version: string
  readonly origin: SdpOrigin | undefined
  readonly sessionName: string | undefined
  /** Values of `t=`. */
  readonly timing: readonly string[]
  readonly direction: SdpDirection
  readonly iceLite: boolean
  readonly mediaDescriptions: readonly SdpMediaDescription[]
}

/**
 * Parses an SDP (RFC 8866) to a plain object.
 *
 * @param bytes at most 65,535 bytes.
 * @throws SdpError `ERR_RTPPROXY_SDP` with the byte offset of the line that is wrong.
 */
export function parseSdp(bytes: Uint8Array): SessionDescription {
  const lines = scanSdp(bytes)
  const sections: number[][] = [[]]
  for (let i = 0; i < lines.count; i++) {
    const section = lines.section(i)
    if (section === sections.length) sections.push([])
    sections[section]!.push(i)
  }
  const session = new Section(lines, sections[0]!)
  const direction = session.direction() ?? 'sendrecv'
  return {
    version: session.first('v')!,
    origin: session.origin(),
    sessionName: session.first('s'),
    timing: session.values('t'),
    direction,
    iceLite: session.attribute('ice-lite') !== undefined,
    ...session.shared(),
    mediaDescriptions: sections
      .slice(1)
      .map((indices) => mediaDescription(new Section(lines, indices), session, direction)),
  }
}

function mediaDescription(section: Section, session: Section, direction: SdpDirection): SdpMediaDescription {
  const { lines } = section
  const m = section.indices[0]!
  const [media = ''] = lines.text(lines.value(m)).split(' ', 1)
  const protocol = lines.protocol(m)
  const formats = lines.text({ start: protocol.end, end: lines.value(m).end }).split(' ')
  const shared = section.shared()
  return {
    media,
    port: lines.port(m),
    portCount: lines.portCount(m),
    protocol: lines.text(protocol),
    formats: formats.filter((format) => format !== ''),
    direction: section.direction() ?? direction,
    ...shared,
    connection: shared.connection ?? session.connection(),
    mid: section.attribute('mid')?.value,
    rtpmap: section.valuesOf('rtpmap').flatMap(rtpMap),
    fmtp: section.valuesOf('fmtp').flatMap(formatParameters),
    rtcp: rtcp(section.attribute('rtcp')?.value),
    rtcpMux: section.attribute('rtcp-mux') !== undefined,
    candidates: section.valuesOf('candidate'),
  }
}

const DIRECTIONS: ReadonlySet<string> = new Set<SdpDirection>([
  'sendrecv',
  'sendonly',
  'recvonly',
  'inactive',
])

/** The lines of one section. */
class Section {
  readonly lines: SdpLines
  readonly indices: readonly number[]
  readonly attributes: readonly SdpAttribute[]

  constructor(lines: SdpLines, indices: readonly number[]) {
    this.lines = lines
    this.indices = indices
    this.attributes = this.#of('a').map((i) => ({
      name: lines.attributeName(i),
      value: optionalText(lines, lines.attributeValue(i)),
    }))
  }

  #of(type: string): number[] {
    return this.indices.filter((i) => this.lines.type(i) === type)
  }

  values(type: string): string[] {
    return this.#of(type).map((i) => this.lines.text(this.lines.value(i)))
  }

  first(type: string): string | undefined {
    return this.values(type)[0]
  }

  attribute(name: string): SdpAttribute | undefined {
    return this.attributes.find((attribute) => attribute.name === name)
  }

  valuesOf(name: string): string[] {
    return this.attributes.flatMap((attribute) => (attribute.name === name ? [attribute.value ?? ''] : []))
  }

  direction(): SdpDirection | undefined {
    return this.attributes.find(({ name }) => DIRECTIONS.has(name))?.name as SdpDirection | undefined
  }

  connection(): SdpConnection | undefined {
    const i = this.#of('c')[0]
    return i === undefined ? undefined : this.#address(i)
  }

  #address(i: number): SdpConnection {
    const address = this.lines.address(i)
    return {
      netType: 'IN',
      addressType: `IP${this.lines.family(i)}`,
      address: optionalText(this.lines, address) ?? '',
    }
  }

  origin(): SdpOrigin | undefined {
    const i = this.#of('o')[0]
    if (i === undefined || this.lines.address(i) === undefined) return undefined
    const [username = '', sessionId = '', sessionVersion = ''] = this.lines
      .text(this.lines.value(i))
      .split(' ')
    return { username, sessionId, sessionVersion, ...this.#address(i) }
  }

  shared(): SdpSection {
    const fingerprint = this.attribute('fingerprint')?.value?.split(' ')
    return {
      connection: this.connection(),
      bandwidth: this.values('b'),
      iceUfrag: this.attribute('ice-ufrag')?.value,
      icePwd: this.attribute('ice-pwd')?.value,
      fingerprint:
        fingerprint?.[1] === undefined ? undefined : { hash: fingerprint[0]!, value: fingerprint[1] },
      setup: this.attribute('setup')?.value,
      attributes: this.attributes,
    }
  }
}

function optionalText(lines: SdpLines, range: Range | undefined): string | undefined {
  return range === undefined ? undefined : lines.text(range)
}

/** `payload-type encoding/clock-rate[/channels]`; one that does not fit is left to `attributes`. */
function rtpMap(value: string): SdpRtpMap[] {
  const found = /^([0-9]{1,3}) ([^/ ]+)\/([0-9]{1,9})(?:\/([0-9]{1,9}))?/.exec(value)
  if (found === null) return []
  const [, payloadType, encoding = '', clockRate, channels] = found
  return [
    {
      payloadType: Number(payloadType),
      encoding,
      clockRate: Number(clockRate),
      channels: channels === undefined ? undefined : Number(channels),
    },
  ]
}

function formatParameters(value: string): { payloadType: number; parameters: string }[] {
  const found = /^([0-9]{1,3}) (.*)$/s.exec(value)
  return found === null ? [] : [{ payloadType: Number(found[1]), parameters: found[2]! }]
}

function rtcp(value: string | undefined): SdpMediaDescription['rtcp'] {
  const found = /^([0-9]{1,5})(?: IN IP[46] ([^ ]+))?/.exec(value ?? '')
  return found === null ? undefined : { port: Number(found[1]), address: found[2] }
}
