/**
 * SDP (RFC 8866) as an object.
 *
 * @module rtpproxy-ng/sdp
 */

import { isAscii } from 'node:buffer'
import { INPUT, memory, rangeEnd, rangeStart, TABLE_WORDS, words } from './instance.ts'
import type {
  SdpConnection,
  SdpDirection,
  SdpMediaDescription,
  SdpOrigin,
  SdpSection,
  SessionDescription,
} from './sdp-description.ts'
import { Line, NAMES, scanLines } from './sdp-lines.ts'

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

const SP = 0x20
const SLASH = 0x2f
const COLON = 0x3a

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
    switch (words[line]! & 0xff) {
      case 0x61:
        readAttribute(session, media)
        break
      case 0x62:
        readBandwidth(media ?? session)
        break
      case 0x63:
        ;(media ?? session).connection ??= readConnection(rangeStart(words[line + Line.VALUE]!))
        break
      case 0x6d:
        media = newMediaDescription(session.direction)
        session.mediaDescriptions.push(media)
        break
      case 0x6f:
        session.origin ??= readOrigin()
        break
      case 0x73:
        session.sessionName ??= text(Line.VALUE)
        break
      case 0x74:
        readTiming(session)
    }
  }
  for (const description of session.mediaDescriptions) description.connection ??= session.connection
  whole = undefined
  return session
}

/** The text of a range of the record at hand. */
function text(index: number): string {
  const range = words[line + index]!
  return slice(rangeStart(range), rangeEnd(range))
}

function slice(start: number, end: number): string {
  return whole === undefined ? memory.utf8Slice(INPUT + start, INPUT + end) : whole.substring(start, end)
}

/** Where `byte` is first in [start, end), or `end`. */
function find(byte: number, start: number, end: number): number {
  let at = start
  while (at < end && memory[INPUT + at] !== byte) at++
  return at
}

/** What blanks divide in [start, end). */
function tokens(start: number, end: number): string[] {
  const list: string[] = []
  for (let at = start; at < end; at++) {
    const stop = find(SP, at, end)
    if (stop > at) list.push(slice(at, stop))
    at = stop
  }
  return list
}

/** The number that the digits in [start, end) make; undefined if there are others, none, or more than fifteen. */
function integer(start: number, end: number): number | undefined {
  if (start >= end || end - start > 15) return undefined
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = memory[INPUT + at]! - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
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
  const value = words[line + Line.VALUE]!
  const protocol = words[line + Line.B]!
  return {
    media: slice(rangeStart(value), rangeStart(words[line + Line.A]!) - 1),
    port: words[line + Line.NUMBER]!,
    portCount: words[line + Line.COUNT]!,
    protocol: slice(rangeStart(protocol), rangeEnd(protocol)),
    formats: tokens(rangeEnd(protocol), rangeEnd(value)),
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
  const name = NAMES[words[line + Line.NAME]!] ?? unknownName()
  const range = words[line + Line.A]!
  if (range === 0) {
    section.attributes.push({ name, value: undefined })
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') {
      section.direction = name
    } else if (name === 'rtcp-mux' && media !== undefined) media.rtcpMux = true
    else if (name === 'ice-lite') session.iceLite = true
    return
  }
  const start = rangeStart(range)
  const end = rangeEnd(range)
  const value = slice(start, end)
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
      section.iceOptions.push(...tokens(start, end))
      break
    case 'setup':
      section.setup ??= value
      break
    case 'fingerprint': {
      const [hash, print] = tokens(start, end)
      if (hash !== undefined && print !== undefined) section.fingerprint ??= { hash, value: print }
      break
    }
    case 'group': {
      const [semantics, ...mids] = tokens(start, end)
      if (semantics !== undefined && media === undefined) session.groups.push({ semantics, mids })
    }
  }
}

function unknownName(): string {
  const start = rangeStart(words[line + Line.VALUE]!)
  return slice(start, start + words[line + Line.NUMBER]!)
}

/** Whether `name` is one of the attributes that stand in media sections only. */
function readMediaAttribute(media: SdpMediaDescription, name: string, value: string): boolean {
  // The number that begins the value (-1: none), and what follows behind the blank.
  const number = words[line + Line.COUNT]!
  const rest = words[line + Line.B]!
  const start = rangeStart(rest)
  const end = rangeEnd(rest)
  switch (name) {
    case 'rtpmap':
      readRtpMap(media, number, start, end)
      return true
    case 'fmtp':
      if (start < end) media.fmtp.push({ payloadType: number, parameters: slice(start, end) })
      return true
    case 'candidate':
      media.candidates.push(value)
      return true
    case 'mid':
      media.mid ??= value
      return true
    case 'rtcp':
      if (number >= 0 && number <= 65535) {
        media.rtcp ??= { port: number, address: slice(start, end).split(' ')[2] }
      }
      return true
    case 'crypto': {
      const [cryptoSuite, keyParams, ...others] = tokens(start, end)
      if (cryptoSuite === undefined || keyParams === undefined) return true
      const sessionParams = others.length > 0 ? others.join(' ') : undefined
      media.crypto.push({ tag: number, cryptoSuite, keyParams, sessionParams })
      return true
    }
  }
  return false
}

/** `encoding/clock-rate[/channels]` in [start, end) */
function readRtpMap(media: SdpMediaDescription, payloadType: number, start: number, end: number): void {
  const slash = find(SLASH, start, end)
  const second = find(SLASH, slash + 1, end)
  const clockRate = integer(slash + 1, second)
  if (slash === start || clockRate === undefined) return
  const channels = second < end ? integer(second + 1, end) : undefined
  if (second < end && channels === undefined) return
  media.rtpmap.push({ payloadType, encoding: slice(start, slash), clockRate, channels })
}

/** `nettype addrtype address` from `start` on. */
function readConnection(start: number): SdpConnection {
  const end = rangeEnd(words[line + Line.VALUE]!)
  const type = find(SP, start, end) + 1
  return {
    netType: slice(start, type - 1),
    addressType: slice(type, find(SP, type, end)),
    address: text(Line.A),
  }
}

function readOrigin(): SdpOrigin | undefined {
  if (words[line + Line.A] === 0) return undefined
  const start = rangeStart(words[line + Line.VALUE]!)
  const network = rangeStart(words[line + Line.B]!)
  const id = find(SP, start, network) + 1
  const version = find(SP, id, network) + 1
  return {
    username: slice(start, id - 1),
    sessionId: slice(id, version - 1),
    sessionVersion: slice(version, network - 1),
    ...readConnection(network),
  }
}

/** `type:bandwidth`, whatever follows a second colon */
function readBandwidth(section: SdpSection): void {
  const range = words[line + Line.VALUE]!
  const start = rangeStart(range)
  const end = rangeEnd(range)
  const colon = find(COLON, start, end)
  const bandwidth = integer(colon + 1, find(COLON, colon + 1, end))
  if (colon > start && bandwidth !== undefined)
    section.bandwidth.push({ type: slice(start, colon), bandwidth })
}

function readTiming(session: SessionDescription): void {
  const range = words[line + Line.VALUE]!
  const end = rangeEnd(range)
  const blank = find(SP, rangeStart(range), end)
  const startTime = integer(rangeStart(range), blank)
  const stopTime = integer(blank + 1, find(SP, blank + 1, end))
  if (startTime !== undefined && stopTime !== undefined) session.timing.push({ startTime, stopTime })
}
