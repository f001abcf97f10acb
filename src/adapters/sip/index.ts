/**
 * For SIP servers on the package `sip`.
 *
 * @module rtpproxy-ng/sip
 */

import { SipError } from '../../errors.ts'
import { SipMessage, type SourceAddress } from '../../module/message.ts'

/** A message as the package `sip` has it: parsed headers by their names in small letters, the body as bytes in a string. */
export interface SipPackageMessage {
  readonly method?: string
  readonly status?: number
  readonly headers: Record<string, unknown>
  content?: string
}

/** What is used of the package. */
export interface SipPackage {
  /** Takes what `parse` made; the package has no types of its own. */
  stringify(message: never): string
}

/** Where a message came from, as the package hands it to the callback of `start`. */
export type Remote = SourceAddress

/** The functions for messages of the package `sip`. Made by `sipAdapter`. */
export interface SipAdapter {
  /**
   * The message for the methods of `RtpProxyNg`.
   *
   * @throws SipError `ERR_RTPPROXY_SIP` if it has no headers, or cannot be written.
   */
  sipMessageOf(message: SipPackageMessage, remote: Remote): SipMessage
  /**
   * Puts SDP into the message, with its length: in place of the SDP of a multipart body, or else of the whole body.
   *
   * @throws SipError `ERR_RTPPROXY_NO_SDP` for a multipart body without SDP.
   */
  setSdp(message: SipPackageMessage, sdp: Uint8Array | string): void
}

/**
 * For SIP servers on the package `sip`, which they hand over: the public module `rtpproxy-ng/sip`.
 *
 * ```js
 * const { sipMessageOf, setSdp } = sipAdapter(sip)
 * sip.start({}, async (request, remote) => {
 *   const { sdp } = await media.offer(sipMessageOf(request, remote))
 *   setSdp(request, sdp)
 * })
 * ```
 */
export function sipAdapter({ stringify }: SipPackage): SipAdapter {
  const sipMessageOf: SipAdapter['sipMessageOf'] = (message, remote) => {
    if (typeof message?.headers !== 'object' || message.headers === null)
      throw new SipError('ERR_RTPPROXY_SIP', 'the message of the package sip has no headers')
    return SipMessage.parse(bytesOf(stringify, message), remote)
  }
  return {
    sipMessageOf,
    setSdp: (message, sdp) => {
      const given = Buffer.from(sdp as Uint8Array)
      const bytes = /^multipart\//i.test(String(message.headers['content-type']))
        ? sipMessageOf(message, NOWHERE).withSdp(given).body
        : given
      message.content = bytes.toString('latin1')
      message.headers['content-type'] ??= 'application/sdp'
      message.headers['content-length'] = bytes.length
    },
  }
}

/** Where a message came from does not matter to its body. */
const NOWHERE: Remote = { address: '0.0.0.0' }

/** The package reads bytes as characters, and writes the length into what it is given: a copy is. */
function bytesOf(stringify: SipPackage['stringify'], message: SipPackageMessage): Buffer {
  try {
    const copy = { ...message, headers: { ...message.headers } }
    return Buffer.from(stringify(copy as never), 'latin1')
  } catch (cause) {
    const why = `the message of the package sip cannot be written: ${(cause as Error).message}`
    throw new SipError('ERR_RTPPROXY_SIP', why)
  }
}
