/** One `a=` line: `name` or `name:value`. */
export interface SdpAttribute {
  name: string
  value: string | undefined
}

/** `c=` (RFC 8866, 5.7). */
export interface SdpConnection {
  netType: string
  /** `IP4` or `IP6`. */
  addressType: string
  /** Without TTL and count of a multicast address. */
  address: string
}

/** `o=` (RFC 8866, 5.2). The ids are text: they may exceed 2^53. */
export interface SdpOrigin extends SdpConnection {
  username: string
  sessionId: string
  sessionVersion: string
}

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** `a=rtpmap` (RFC 8866, 6.6). */
export interface SdpRtpMap {
  payloadType: number
  encoding: string
  clockRate: number
  channels: number | undefined
}

/** `a=crypto` (RFC 4568, 9.1). */
export interface SdpCrypto {
  tag: number
  cryptoSuite: string
  keyParams: string
  sessionParams: string | undefined
}

/** What may stand in the session's section and in a media section. */
export interface SdpSection {
  connection: SdpConnection | undefined
  /** `b=` (RFC 8866, 5.8), mostly in kbit/s. */
  bandwidth: { type: string; bandwidth: number }[]
  /** `sendrecv` if nothing else is said; a media section without its own has the session's. */
  direction: SdpDirection
  iceUfrag: string | undefined
  icePwd: string | undefined
  iceOptions: string[]
  /** `a=fingerprint` (RFC 8122), the first. */
  fingerprint: { hash: string; value: string } | undefined
  setup: string | undefined
  /** Every `a=`, in order. */
  attributes: SdpAttribute[]
}

/** One `m=` section (RFC 8866, 5.14). Without a `c=` of its own it has the session's connection. */
export interface SdpMediaDescription extends SdpSection {
  /** `audio`, `video`, `application`, ... */
  media: string
  port: number
  /** 1 unless it says otherwise. */
  portCount: number
  /** `RTP/AVP`, `UDP/TLS/RTP/SAVPF`, ... */
  protocol: string
  formats: string[]
  mid: string | undefined
  rtpmap: SdpRtpMap[]
  fmtp: { payloadType: number; parameters: string }[]
  /** `a=rtcp` (RFC 3605): its port, and its address if it names one. */
  rtcp: { port: number; address: string | undefined } | undefined
  rtcpMux: boolean
  /** Values of `a=candidate`, as they stand. */
  candidates: string[]
  crypto: SdpCrypto[]
}

/** A whole SDP. What does not fit its grammar is left out here; `attributes` has every `a=` whatever it says. */
export interface SessionDescription extends SdpSection {
  version: 0
  origin: SdpOrigin | undefined
  sessionName: string | undefined
  /** `t=`: seconds since 1900; 0 0 is a session without bounds. */
  timing: { startTime: number; stopTime: number }[]
  /** `a=group` (RFC 5888), as `BUNDLE` and its mids. */
  groups: { semantics: string; mids: string[] }[]
  iceLite: boolean
  mediaDescriptions: SdpMediaDescription[]
}
