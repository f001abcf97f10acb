import type {
  SdpConnection,
  SdpDirection,
  SdpMediaDescription,
  SessionDescription,
} from '../../src/core/sdp-description.ts'

export class BadSdp extends Error {
  readonly offset: number

  constructor(offset: number) {
    super(`bad SDP at byte ${offset}`)
    this.offset = offset
  }
}

export interface ReferenceLine {
  readonly type: string
  readonly value: string
  readonly start: number
  readonly next: number
}

const words = (text: string): string[] => text.split(' ').filter(Boolean)
const number = (text: string | undefined): number | undefined =>
  /^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined

/** RFC 8866 with regular expressions and nothing done for speed. Offsets are in bytes: `text` is latin1. */
export function referenceLines(text: string): ReferenceLine[] {
  const lines: ReferenceLine[] = []
  let at = 0
  while (at < text.length && !/^[\r\n]+$/.test(text.slice(at))) {
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline + 1
    const line = text.slice(at, newline < 0 ? next : newline)
    const found = /^([a-z])=(.*?)\r?$/s.exec(line)
    if (found === null) throw new BadSdp(at)
    const [, type = '', value = ''] = found
    if (at === 0 && line.replace(/\r$/, '') !== 'v=0') throw new BadSdp(at)
    if (type === 'm' && mediaLine(value) === undefined) throw new BadSdp(at)
    if (type === 'c' && connection(value) === undefined) throw new BadSdp(at)
    lines.push({ type, value, start: at, next })
    at = next
  }
  if (lines.length === 0) throw new BadSdp(0)
  return lines
}

function mediaLine(value: string) {
  const found = /^([^ ]+) (\d{1,9})(?:\/(\d{1,9}))? ([^ ]+)( .*)?$/s.exec(value)
  if (found === null) return undefined
  const [, media = '', port, portCount, protocol = '', formats = ''] = found
  if (Number(port) > 65535) return undefined
  if (portCount !== undefined && (Number(portCount) < 1 || Number(portCount) > 65535)) return undefined
  return { media, port: Number(port), portCount: Number(portCount ?? 1), protocol, formats: words(formats) }
}

function connection(value: string): SdpConnection | undefined {
  const found = /^([^ ]+) ([^ ]+) ([^ /]+)/.exec(value)
  if (found === null) return undefined
  const [, netType = '', addressType = '', address = ''] = found
  return { netType, addressType, address }
}

/** Strings come out as latin1 has them: give it ASCII. */
export function referenceSdp(text: string): SessionDescription {
  const session: SessionDescription = {
    version: 0,
    origin: undefined,
    sessionName: undefined,
    timing: [],
    groups: [],
    iceLite: false,
    mediaDescriptions: [],
    ...emptySection('sendrecv'),
  }
  let media: SdpMediaDescription | undefined
  for (const { type, value } of referenceLines(text)) {
    const section = media ?? session
    if (type === 'm') {
      media = {
        ...mediaLine(value)!,
        mid: undefined,
        rtpmap: [],
        fmtp: [],
        rtcp: undefined,
        rtcpMux: false,
        candidates: [],
        crypto: [],
        ...emptySection(session.direction),
      }
      session.mediaDescriptions.push(media)
    } else if (type === 'c') section.connection ??= connection(value)
    else if (type === 's') session.sessionName ??= value
    else if (type === 'o') session.origin ??= origin(value)
    else if (type === 'b') {
      const [name = '', rest] = value.split(':')
      const bandwidth = number(rest)
      if (name !== '' && bandwidth !== undefined) section.bandwidth.push({ type: name, bandwidth })
    } else if (type === 't') {
      const [startTime, stopTime] = value.split(' ').map(number)
      if (startTime !== undefined && stopTime !== undefined) session.timing.push({ startTime, stopTime })
    } else if (type === 'a') attribute(value, session, media)
  }
  for (const description of session.mediaDescriptions) description.connection ??= session.connection
  return session
}

function emptySection(direction: SdpDirection) {
  return {
    connection: undefined,
    bandwidth: [],
    direction,
    iceUfrag: undefined,
    icePwd: undefined,
    iceOptions: [],
    fingerprint: undefined,
    setup: undefined,
    attributes: [],
  }
}

function origin(value: string): SessionDescription['origin'] {
  const found = /^([^ ]*) ([^ ]*) ([^ ]*) (.*)$/s.exec(value)
  const address = connection(found?.[4] ?? '')
  if (found === null || address === undefined) return undefined
  const [, username = '', sessionId = '', sessionVersion = ''] = found
  return { username, sessionId, sessionVersion, ...address }
}

function attribute(text: string, session: SessionDescription, media: SdpMediaDescription | undefined): void {
  const section = media ?? session
  const [, name = '', value] = /^([^:]*)(?::(.*))?$/s.exec(text)!
  section.attributes.push({ name, value })
  if (value === undefined) {
    if (/^(sendrecv|sendonly|recvonly|inactive)$/.test(name)) section.direction = name as SdpDirection
    if (name === 'ice-lite') session.iceLite = true
    if (name === 'rtcp-mux' && media !== undefined) media.rtcpMux = true
    return
  }
  const [first, second, ...rest] = words(value)
  if (name === 'ice-ufrag') section.iceUfrag ??= value
  if (name === 'ice-pwd') section.icePwd ??= value
  if (name === 'ice-options') section.iceOptions.push(...words(value))
  if (name === 'setup') section.setup ??= value
  if (name === 'fingerprint' && first !== undefined && second !== undefined) {
    section.fingerprint ??= { hash: first, value: second }
  }
  if (media === undefined) {
    if (name === 'group' && first !== undefined) {
      session.groups.push({ semantics: first, mids: words(value).slice(1) })
    }
    return
  }
  if (name === 'mid') media.mid ??= value
  if (name === 'candidate') media.candidates.push(value)
  if (name === 'rtpmap') {
    const found = /^(\d{1,9}) ([^/]+)\/(\d{1,15})(?:\/(\d{1,15}))?$/.exec(value)
    if (found !== null) {
      const [, payloadType, encoding = '', clockRate, channels] = found
      media.rtpmap.push({
        payloadType: Number(payloadType),
        encoding,
        clockRate: Number(clockRate),
        channels: number(channels),
      })
    }
  }
  if (name === 'fmtp') {
    const found = /^(\d{1,9}) (.+)$/s.exec(value)
    if (found !== null) media.fmtp.push({ payloadType: Number(found[1]), parameters: found[2]! })
  }
  if (name === 'rtcp') {
    const found = /^(\d{1,9})(?: (.*))?$/s.exec(value)
    if (found !== null && Number(found[1]) <= 65535) {
      media.rtcp ??= { port: Number(found[1]), address: found[2]?.split(' ')[2] }
    }
  }
  if (name === 'crypto' && /^\d{1,9} /.test(value)) {
    const [cryptoSuite = '', keyParams] = [second, rest[0]]
    if (keyParams === undefined) return
    const sessionParams = rest.length > 1 ? rest.slice(1).join(' ') : undefined
    media.crypto.push({ tag: Number(first), cryptoSuite, keyParams, sessionParams })
  }
}
