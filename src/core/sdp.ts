import { isAscii } from 'node:buffer'
import { INPUT, memory as memoryBuffer, TABLE_WORDS, words } from './instance.ts'
import type {
  SdpConnection,
  SdpDirection,
  SdpMediaDescription,
  SdpOrigin,
  SdpSection,
  SessionDescription,
} from './sdp-description.ts'
import { Line, scanLines } from './sdp-lines.ts'

export type {
  SdpAttribute,
  SdpConnection,
  SdpCrypto,
  SdpDirection,
  SdpMediaDescription,
  SdpOrigin,
  SdpRtpMap,
  SessionDescription,
} from './sdp-description.ts'

/** Buffer methods that Node has and its type declarations leave out. */
interface Memory extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}
const memory = memoryBuffer as Memory

/** The input as a string, if its characters are where its bytes are. */
let whole: string | undefined
/** The record at hand. */
let line = 0

/**
 * Parses an SDP (RFC 8866) to a plain object of the caller's own. CRLF and bare LF end lines, the last line end may be
 * missing. Of a line that may come only once the first counts, of directions the last.
 *
 * @param bytes at most 65,535 bytes, read as UTF-8.
 * @throws SdpError `ERR_RTPPROXY_SDP` with the byte offset of the line that is wrong.
 */
export function parseSdp(bytes: Uint8Array): SessionDescription {
  const count = scanLines(bytes)
  whole = isAscii(bytes) ? memory.latin1Slice(INPUT, INPUT + bytes.length) : undefined
  const session = newSession()
  let media: SdpMediaDescription | undefined
  for (let i = 0; i < count; i++) {
    line = TABLE_WORDS + i * Line.WORDS
    switch (words[line]) {
      case 0x61:
        readAttribute(session, media)
        break
      case 0x62:
        readBandwidth(media ?? session)
        break
      case 0x63:
        ;(media ?? session).connection ??= readConnection(Line.VALUE)
        break
      case 0x6d:
        media = newMediaDescription(session.direction)
        session.mediaDescriptions.push(media)
        break
      case 0x6f:
        session.origin ??= readOrigin()
        break
      case 0x73:
        session.sessionName ??= text(Line.VALUE, Line.END)
        break
      case 0x74:
        readTiming(session)
    }
  }
  for (const description of session.mediaDescriptions) description.connection ??= session.connection
  whole = undefined
  return session
}

/** From what the word `from` of the record says to what the word `to` says. */
function text(from: number, to: number): string {
  return slice(words[line + from]!, words[line + to]!)
}

function slice(start: number, end: number): string {
  return whole === undefined ? memory.utf8Slice(INPUT + start, INPUT + end) : whole.substring(start, end)
}

function newSession(): SessionDescription {
  return {
    version: 0,
    origin: undefined,
    sessionName: undefined,
    connection: undefined,
    bandwidth: [],
    timing: [],
    direction: 'sendrecv',
    groups: [],
    iceLite: false,
    iceUfrag: undefined,
    icePwd: undefined,
    iceOptions: [],
    fingerprint: undefined,
    setup: undefined,
    attributes: [],
    mediaDescriptions: [],
  }
}

function newMediaDescription(direction: SdpDirection): SdpMediaDescription {
  return {
    media: slice(words[line + Line.VALUE]!, words[line + Line.A]! - 1),
    port: words[line + Line.NUMBER]!,
    portCount: words[line + Line.COUNT]!,
    protocol: text(Line.B, Line.B_END),
    formats: tokens(text(Line.B_END, Line.END)),
    connection: undefined,
    bandwidth: [],
    direction,
    mid: undefined,
    rtpmap: [],
    fmtp: [],
    rtcp: undefined,
    rtcpMux: false,
    candidates: [],
    crypto: [],
    iceUfrag: undefined,
    icePwd: undefined,
    iceOptions: [],
    fingerprint: undefined,
    setup: undefined,
    attributes: [],
  }
}

function readAttribute(session: SessionDescription, media: SdpMediaDescription | undefined): void {
  const section = media ?? session
  const start = words[line + Line.VALUE]!
  const name = slice(start, start + words[line + Line.NUMBER]!)
  if (words[line + Line.A]! < 0) {
    section.attributes.push({ name, value: undefined })
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') {
      section.direction = name
    } else if (name === 'rtcp-mux' && media !== undefined) media.rtcpMux = true
    else if (name === 'ice-lite') session.iceLite = true
    return
  }
  const value = text(Line.A, Line.A_END)
  section.attributes.push({ name, value })
  if (media !== undefined && readMediaAttribute(media, name, value)) return
  switch (name) {
    case 'ice-ufrag':
      section.iceUfrag ??= value
      break
    case 'ice-pwd':
      section.icePwd ??= value
      break
    case 'ice-options':
      section.iceOptions.push(...tokens(value))
      break
    case 'setup':
      section.setup ??= value
      break
    case 'fingerprint': {
      const [hash, print] = tokens(value)
      if (hash !== undefined && print !== undefined) section.fingerprint ??= { hash, value: print }
      break
    }
    case 'group': {
      const [semantics, ...mids] = tokens(value)
      if (semantics !== undefined && media === undefined) session.groups.push({ semantics, mids })
    }
  }
}

/** Whether `name` is one of the attributes that stand in media sections only. */
function readMediaAttribute(media: SdpMediaDescription, name: string, value: string): boolean {
  switch (name) {
    case 'rtpmap':
      readRtpMap(media)
      return true
    case 'fmtp': {
      const { number, rest } = numbered()
      if (rest) media.fmtp.push({ payloadType: number, parameters: rest })
      return true
    }
    case 'candidate':
      media.candidates.push(value)
      return true
    case 'mid':
      media.mid ??= value
      return true
    case 'rtcp': {
      const { number, rest } = numbered()
      if (number >= 0 && number <= 65535) media.rtcp ??= { port: number, address: rest?.split(' ')[2] }
      return true
    }
    case 'crypto': {
      const { number, rest = '' } = numbered()
      const [cryptoSuite, keyParams, ...others] = tokens(rest)
      if (cryptoSuite === undefined || keyParams === undefined) return true
      const sessionParams = others.length > 0 ? others.join(' ') : undefined
      media.crypto.push({ tag: number, cryptoSuite, keyParams, sessionParams })
      return true
    }
  }
  return false
}

/** The number that begins the value (-1: none), and what follows behind the blank. */
function numbered(): { number: number; rest: string | undefined } {
  return {
    number: words[line + Line.COUNT]!,
    rest: words[line + Line.B]! < 0 ? undefined : text(Line.B, Line.B_END),
  }
}

/** `payload-type encoding/clock-rate[/channels]` */
function readRtpMap(media: SdpMediaDescription): void {
  const { number, rest = '' } = numbered()
  const [encoding = '', rate, count, more] = rest.split('/')
  const clockRate = integer(rate)
  const channels = integer(count)
  if (encoding === '' || clockRate === undefined || more !== undefined) return
  if (count !== undefined && channels === undefined) return
  media.rtpmap.push({ payloadType: number, encoding, clockRate, channels })
}

function readConnection(from: number): SdpConnection {
  const [netType = '', addressType = ''] = text(from, Line.END).split(' ', 2)
  return { netType, addressType, address: text(Line.A, Line.A_END) }
}

function readOrigin(): SdpOrigin | undefined {
  if (words[line + Line.A]! < 0) return undefined
  const [username = '', sessionId = '', sessionVersion = ''] = text(Line.VALUE, Line.B).split(' ')
  return { username, sessionId, sessionVersion, ...readConnection(Line.B) }
}

function readBandwidth(section: SdpSection): void {
  const [type = '', value] = text(Line.VALUE, Line.END).split(':')
  const bandwidth = integer(value)
  if (type !== '' && bandwidth !== undefined) section.bandwidth.push({ type, bandwidth })
}

function readTiming(session: SessionDescription): void {
  const [start, stop] = text(Line.VALUE, Line.END).split(' ')
  const startTime = integer(start)
  const stopTime = integer(stop)
  if (startTime !== undefined && stopTime !== undefined) session.timing.push({ startTime, stopTime })
}

function integer(digits: string | undefined): number | undefined {
  return digits !== undefined && /^[0-9]{1,15}$/.test(digits) ? Number(digits) : undefined
}

function tokens(list: string): string[] {
  return list.split(' ').filter((token) => token !== '')
}
