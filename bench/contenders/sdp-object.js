import { isAscii } from 'node:buffer'

// A whole SDP as an object without WebAssembly: one string of the input, and its parts as substrings.

/** @typedef {import('rtpproxy-ng/sdp').SessionDescription} SessionDescription */
/** @typedef {import('rtpproxy-ng/sdp').SdpMediaDescription} SdpMediaDescription */

/** @param {Buffer} bytes @returns {SessionDescription} */
export function parse(bytes) {
  const sdp = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
  if (!sdp.startsWith('v=0')) throw new Error('SDP must begin with the line v=0')
  const session = newSession()
  /** @type {SdpMediaDescription | undefined} */
  let media
  for (let at = 0; at < sdp.length; ) {
    let next = sdp.indexOf('\n', at)
    if (next < 0) next = sdp.length
    const end = sdp.charCodeAt(next - 1) === 13 ? next - 1 : next
    const value = at + 2
    switch (sdp.charCodeAt(at)) {
      case 97:
        attribute(sdp, value, end, session, media)
        break
      case 98: {
        const [type = '', bandwidth] = sdp.substring(value, end).split(':')
        ;(media ?? session).bandwidth.push({ type, bandwidth: Number(bandwidth) })
        break
      }
      case 99:
        ;(media ?? session).connection ??= connection(sdp.substring(value, end))
        break
      case 109:
        media = newMedia(sdp.substring(value, end), session)
        session.mediaDescriptions.push(media)
        break
      case 111: {
        const line = sdp.substring(value, end)
        const [username = '', sessionId = '', sessionVersion = '', ...rest] = line.split(' ')
        session.origin ??= { username, sessionId, sessionVersion, ...connection(rest.join(' ')) }
        break
      }
      case 115:
        session.sessionName ??= sdp.substring(value, end)
        break
      case 116: {
        const [startTime, stopTime] = sdp.substring(value, end).split(' ')
        session.timing.push({ startTime: Number(startTime), stopTime: Number(stopTime) })
      }
    }
    at = next + 1
  }
  for (const description of session.mediaDescriptions) description.connection ??= session.connection
  return session
}

/** @returns {SessionDescription} */
function newSession() {
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

/**
 * @param {string} line
 * @param {SessionDescription} session
 * @returns {SdpMediaDescription}
 */
function newMedia(line, session) {
  const [media = '', ports = '', protocol = '', ...formats] = line.split(' ')
  const slash = ports.indexOf('/')
  return {
    media,
    port: Number.parseInt(ports, 10),
    portCount: slash < 0 ? 1 : Number(ports.slice(slash + 1)),
    protocol,
    formats,
    connection: undefined,
    bandwidth: [],
    direction: session.direction,
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

/** @param {string} line */
function connection(line) {
  const [netType = '', addressType = '', address = ''] = line.split(' ')
  const slash = address.indexOf('/')
  return { netType, addressType, address: slash < 0 ? address : address.slice(0, slash) }
}

/**
 * @param {string} sdp
 * @param {number} start
 * @param {number} end
 * @param {SessionDescription} session
 * @param {SdpMediaDescription | undefined} media
 */
function attribute(sdp, start, end, session, media) {
  const section = media ?? session
  const colon = sdp.indexOf(':', start)
  if (colon < 0 || colon > end) {
    const name = sdp.substring(start, end)
    section.attributes.push({ name, value: undefined })
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') {
      section.direction = name
    } else if (name === 'rtcp-mux' && media !== undefined) media.rtcpMux = true
    else if (name === 'ice-lite') session.iceLite = true
    return
  }
  const name = sdp.substring(start, colon)
  const value = sdp.substring(colon + 1, end)
  section.attributes.push({ name, value })
  if (media !== undefined && mediaAttribute(media, name, value)) return
  switch (name) {
    case 'ice-ufrag':
      section.iceUfrag ??= value
      break
    case 'ice-pwd':
      section.icePwd ??= value
      break
    case 'ice-options':
      section.iceOptions.push(...value.split(' '))
      break
    case 'setup':
      section.setup ??= value
      break
    case 'fingerprint': {
      const blank = value.indexOf(' ')
      section.fingerprint ??= { hash: value.substring(0, blank), value: value.substring(blank + 1) }
      break
    }
    case 'group': {
      const [semantics = '', ...mids] = value.split(' ')
      if (media === undefined) session.groups.push({ semantics, mids })
    }
  }
}

/**
 * @param {SdpMediaDescription} media
 * @param {string} name
 * @param {string} value
 */
function mediaAttribute(media, name, value) {
  switch (name) {
    case 'rtpmap': {
      const blank = value.indexOf(' ')
      const slash = value.indexOf('/', blank)
      const channels = value.indexOf('/', slash + 1)
      media.rtpmap.push({
        payloadType: Number(value.substring(0, blank)),
        encoding: value.substring(blank + 1, slash),
        clockRate: Number(value.substring(slash + 1, channels < 0 ? undefined : channels)),
        channels: channels < 0 ? undefined : Number(value.substring(channels + 1)),
      })
      return true
    }
    case 'fmtp': {
      const blank = value.indexOf(' ')
      const payloadType = Number(value.substring(0, blank))
      media.fmtp.push({ payloadType, parameters: value.substring(blank + 1) })
      return true
    }
    case 'candidate':
      media.candidates.push(value)
      return true
    case 'mid':
      media.mid ??= value
      return true
    case 'rtcp': {
      const [port, , , address] = value.split(' ')
      media.rtcp ??= { port: Number(port), address }
      return true
    }
    case 'crypto': {
      const [tag, cryptoSuite = '', keyParams = '', ...others] = value.split(' ')
      const sessionParams = others.length > 0 ? others.join(' ') : undefined
      media.crypto.push({ tag: Number(tag), cryptoSuite, keyParams, sessionParams })
      return true
    }
  }
  return false
}
