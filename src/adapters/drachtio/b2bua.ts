import type Srf from 'drachtio-srf'
import { NodeError, RtpProxyNgError, SipError } from '../../errors.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { SipMessage } from '../../module/message.ts'
import { CallMedia, type SideOptions } from './call.ts'
import { CallDialogs, type Dialogs } from './dialogs.ts'
import { sipMessageOf } from './message.ts'

/** What a B2BUA may ask of the media proxy. */
export interface B2buaOptions {
  /** For all SDP that goes to the callee: the caller's offer, and what the caller answers to offers of the callee. Default: none. */
  readonly offer?: SideOptions | undefined
  /** For all SDP that goes to the caller: the callee's answer, and offers of the callee later on. Default: none. */
  readonly answer?: SideOptions | undefined
  /** Told what goes wrong where nobody waits for it: in a running call, and with SDP in provisional responses. Default: nobody. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The media of one call through a B2BUA. */
export interface B2buaMedia {
  /** For `createB2BUA`: the SDP to offer to the callee; for an INVITE without SDP, what makes the answer for the callee of the SDP in the caller's ACK. */
  readonly localSdpB: string | ((sdp: string) => Promise<string>)
  /** For `createB2BUA`: makes of the callee's SDP the one for the caller. */
  readonly localSdpA: (sdp: string, res: Srf.SrfResponse) => Promise<string>
  /**
   * Carries re-INVITEs, UPDATEs and hang-ups of either side over to the other, and ends the media with the call. In place of handlers of your
   * own for `destroy`, `modify`, `update`, `hold`, `unhold` and `refresh`. To be called as soon as `createB2BUA` has resolved.
   */
  attach(dialogs: Dialogs): void
  /** Sends a BYE to both sides of a call that was attached, and ends its media. Resolves when both have answered. */
  hangUp(): Promise<void>
  /** Ends the media of a call that was not set up. */
  release(): Promise<void>
}

/**
 * Offers the caller's SDP. Both legs of the call are one call to the media proxy: Call-ID and tag of the caller, and the tag of the callee.
 *
 * ```js
 * const call = await b2buaMedia(media, req)
 * try {
 *   call.attach(await srf.createB2BUA(req, res, uri, call))
 * } catch (error) {
 *   await call.release()
 * }
 * ```
 *
 * @throws NodeError and NgError as `RtpProxyNg.offer`, of which NodeError `ERR_RTPPROXY_ABORTED` when the caller has cancelled; SipError
 * `ERR_RTPPROXY_NO_SDP` for a body that is something else.
 */
export async function b2buaMedia(
  media: RtpProxyNg,
  req: Srf.SrfRequest,
  { offer = {}, answer = {}, onError = () => undefined }: B2buaOptions = {},
): Promise<B2buaMedia> {
  const invite = sipMessageOf(req)
  const call = new CallMedia(media, invite, offer, answer)
  const cancelled = new AbortController()
  // createB2BUA listens only when its own INVITE is out.
  req.on('cancel', () => cancelled.abort())
  const isLate = invite.sdp === undefined
  if (isLate && req.body) throw new SipError('ERR_RTPPROXY_NO_SDP', 'the body of the INVITE has no SDP')
  const localSdpB = isLate ? undefined : await firstOffer(call, invite, cancelled.signal, onError)
  let response = invite
  let dialogs: CallDialogs | undefined
  /** The caller went without the SDP of a provisional response. */
  let isBroken = false

  const toCaller = async (res: Srf.SrfResponse): Promise<string> => {
    if (cancelled.signal.aborted) throw abortedError()
    response = sipMessageOf(res)
    call.callee.tag = response.toTag ?? call.callee.tag
    return isLate ? call.offer(response, call.callee) : call.answer(response, call.callee)
  }

  return {
    localSdpB:
      localSdpB ?? ((sdp) => call.answer(response, call.caller, { sdp, 'received-from': sourceOf(invite) })),
    localSdpA: async (_, res) => {
      try {
        const sdp = await toCaller(res)
        isBroken = false
        return sdp
      } catch (error) {
        if (res.status >= 200) throw error
        isBroken = true
        // To createB2BUA a rejection here is one that nobody handles, which ends the process.
        onError(error)
        return ''
      }
    },
    attach: (both) => {
      dialogs = new CallDialogs(call, both, onError)
      dialogs.listen()
      // createB2BUA does not ask again for an answer of the same SDP.
      if (isBroken) void dialogs.hangUp()
    },
    hangUp: async () => dialogs?.hangUp(),
    release: () => call.end(),
  }
}

async function firstOffer(
  call: CallMedia,
  invite: SipMessage,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<string> {
  try {
    return await call.offer(invite, call.caller, signal)
  } catch (error) {
    // The media proxy may have it nevertheless; the caller is not to wait for it.
    if (error instanceof RtpProxyNgError && error.code === 'ERR_RTPPROXY_ABORTED') call.end().catch(onError)
    throw error
  }
}

function abortedError(): NodeError {
  const context = { command: 'answer', node: undefined }
  return new NodeError('ERR_RTPPROXY_ABORTED', 'answer: the caller has cancelled', context)
}

function sourceOf({ source: { address } }: SipMessage): [family: 'IP4' | 'IP6', address: string] {
  return [address.includes(':') ? 'IP6' : 'IP4', address]
}
