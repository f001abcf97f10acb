import type Srf from 'drachtio-srf'
import { SipError } from '../../errors.ts'
import { SipMessage } from '../../module/message.ts'

/** A request or response that drachtio-srf has received. */
export type DrachtioMessage = Pick<
  Srf.SrfRequest | Srf.SrfResponse,
  'source' | 'source_address' | 'source_port' | 'raw'
>

const messages = new WeakMap<object, SipMessage>()

/**
 * The message as it came from the network, for the methods of `RtpProxyNg`. The same object gives the same `SipMessage`.
 *
 * @throws SipError `ERR_RTPPROXY_SIP` for a message that was made here and never received.
 */
export function sipMessageOf(message: DrachtioMessage): SipMessage {
  let known = messages.get(message)
  if (known === undefined) {
    const { raw, source_address: address, source_port: port } = message
    if (typeof raw !== 'string' || raw === '' || typeof address !== 'string')
      throw new SipError('ERR_RTPPROXY_SIP', 'the drachtio-srf message was not received from the network')
    // drachtio hands texts over as UTF-8, and an IPv6 address as it stands in a URI, in brackets.
    const source = { address: address.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || 5060 }
    known = SipMessage.parse(Buffer.from(raw), source)
    messages.set(message, known)
  }
  return known
}
