// A B2BUA on drachtio-srf, with a media proxy in its calls, that tries one target after the other.

import { RtpProxyNgError } from 'rtpproxy-ng'
import { b2buaMedia } from 'rtpproxy-ng/drachtio'

/** What of drachtio-srf is needed. @typedef {Pick<import('drachtio-srf'), 'invite' | 'createB2BUA'>} Srf */

/**
 * @param {Srf} srf
 * @param {import('rtpproxy-ng').RtpProxyNg} media
 * @param {readonly string[]} targets the SIP URIs that every call goes to, until one of them takes it
 */
export function b2bua(srf, media, targets) {
  srf.invite(async (req, res) => {
    let call
    try {
      const flags = { flags: 'co' }
      call = await b2buaMedia(media, req, { offer: flags, answer: flags, onError: console.error })
      call.attach(await firstOf(srf, req, res, targets, call))
    } catch (error) {
      await call?.release()
      const status = statusOf(error)
      // A refusal has a status, and createB2BUA has sent that of the last target on. Who has cancelled knows it.
      if (status === undefined || (error instanceof RtpProxyNgError && status !== 487)) console.error(error)
      if (!res.finalResponseSent) res.send(status ?? 480)
    }
  })
}

/**
 * The dialogs with the first target that takes the call.
 *
 * @param {Srf} srf
 * @param {import('drachtio-srf').SrfRequest} req
 * @param {import('drachtio-srf').SrfResponse} res
 * @param {readonly string[]} targets
 * @param {import('rtpproxy-ng/drachtio').B2buaMedia} call
 */
async function firstOf(srf, req, res, [target = '', ...others], call) {
  try {
    return await srf.createB2BUA(req, res, target, { ...call, passFailure: others.length === 0 })
  } catch (error) {
    // Without a status it was no refusal, and a caller who has got a response has hung up.
    if (others.length === 0 || statusOf(error) === undefined || res.finalResponseSent) throw error
    return firstOf(srf, req, res, others, call)
  }
}

/** @param {unknown} error */
function statusOf(error) {
  // The caller has cancelled while the media proxy was asked; without a media proxy there is no call.
  if (error instanceof RtpProxyNgError) return error.code === 'ERR_RTPPROXY_ABORTED' ? 487 : 503
  return /** @type {{ status?: number }} */ (error).status
}
