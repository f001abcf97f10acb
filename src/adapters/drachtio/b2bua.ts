import type Srf from 'drachtio-srf'
import { SipError } from '../../errors.ts'
import type { OfferOptions } from '../../module/calls.ts'
import type { RtpProxyNg } from '../../module/client.ts'
import type { SipMessage } from '../../module/message.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import { sipMessageOf } from './message.ts'

/** What a B2BUA may ask of the media proxy. */
export interface B2buaOptions {
  /** For the offer of the caller, and for what the callee answers. */
  readonly offer?: OfferOptions | undefined
  readonly answer?: OfferOptions | undefined
  /** Told when a command in a running call fails; the SIP side goes on without it. Default: nobody. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The media of one call through a B2BUA. */
export interface B2buaMedia {
  /** For `createB2BUA`: the SDP to offer to the callee. */
  readonly localSdpB: string
  /** For `createB2BUA`: makes of the callee's answer the one for the caller. */
  readonly localSdpA: (sdp: string, res: Srf.SrfResponse) => Promise<string>
  /**
   * Carries re-INVITEs and hang-ups of either side over to the other, and ends the media with the call. In place of handlers of your own for
   * `destroy` and `modify`.
   */
  attach(dialogs: { readonly uas: Srf.Dialog; readonly uac: Srf.Dialog }): void
  /** Ends the media of a call that was not set up. */
  release(): Promise<void>
}

/** A side of the call: its tag in NG, and its dialog. */
interface Side {
  readonly tag: string
  readonly dialog: Srf.Dialog
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
 * @throws SipError `ERR_RTPPROXY_NO_SDP` for an INVITE without SDP; NodeError and NgError as `RtpProxyNg.offer`.
 */
export async function b2buaMedia(
  media: RtpProxyNg,
  req: Srf.SrfRequest,
  { offer = {}, answer = {}, onError = () => undefined }: B2buaOptions = {},
): Promise<B2buaMedia> {
  const invite = sipMessageOf(req)
  const call = callOf(invite)
  const { sdp } = await media.offer(invite, offer)
  let callee = ''
  /** The callee's, which answers begin from. */
  let response = invite
  let isOver = false

  const release = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    await media.destroy({ 'call-id': call['call-id'] }, { set: offer.set })
  }

  /** From one side's SDP to the other's, with flags and options as for the first of its kind. */
  const exchange = async (
    name: 'offer' | 'answer',
    [from, to]: readonly [from: string, to: string],
    sdp: string,
  ): Promise<string> => {
    if (!sdp) throw new SipError('ERR_RTPPROXY_NO_SDP', `the ${name} of a re-INVITE has no SDP`)
    const [message, options] = name === 'offer' ? [invite, offer] : [response, answer]
    const tags = { 'call-id': call['call-id'], 'from-tag': from, 'to-tag': to }
    const parameters: NgParameters = { ...options.parameters, ...tags, sdp }
    return String((await media.command(name, message, { ...options, parameters })).sdp)
  }

  const modify = async (by: Side, other: Side, request: Srf.SrfRequest, res: Srf.SrfResponse) => {
    try {
      const offered = await exchange('offer', [by.tag, other.tag], request.body)
      const answered = await other.dialog.modify(offered)
      res.send(200, { body: await exchange('answer', [by.tag, other.tag], answered) })
    } catch (error) {
      onError(error)
      res.send(488)
    }
  }

  return {
    localSdpB: sdp.toString(),
    localSdpA: async (_, res) => {
      response = sipMessageOf(res)
      callee = response.toTag ?? callee
      const parameters: NgParameters = { ...answer.parameters, ...call, 'to-tag': callee }
      return (await media.answer(response, { ...answer, parameters })).sdp.toString()
    },
    attach: ({ uas, uac }) => {
      const sides = [
        { tag: call['from-tag'], dialog: uas },
        { tag: callee, dialog: uac },
      ] as const
      for (const [by, other] of [sides, [sides[1], sides[0]] as const]) {
        const end = (): void => {
          other.dialog.destroy()
          release().catch(onError)
        }
        by.dialog.on('destroy', end)
        // A BYE that came in one read with the ACK was over before anybody could listen. The package's types leave `connected` out.
        if ((by.dialog as { readonly connected?: boolean }).connected === false) end()
        by.dialog.on('modify', (request, res) => void modify(by, other, request, res))
      }
    },
    release,
  }
}

function callOf(invite: SipMessage): { 'call-id': string; 'from-tag': string } {
  const { callId, fromTag } = invite
  if (callId === undefined || fromTag === undefined)
    throw new SipError('ERR_RTPPROXY_SIP', 'the INVITE has no Call-ID or no From tag')
  return { 'call-id': callId, 'from-tag': fromTag }
}
