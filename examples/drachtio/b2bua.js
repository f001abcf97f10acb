// A B2BUA on drachtio-srf, with a media proxy in its calls.

import { b2buaMedia } from 'rtpproxy-ng/drachtio'

/** What of drachtio-srf is needed. @typedef {Pick<import('drachtio-srf'), 'invite' | 'createB2BUA'>} Srf */

/**
 * @param {Srf} srf
 * @param {import('rtpproxy-ng').RtpProxyNg} media
 * @param {string} target the SIP URI that every call goes to
 */
export function b2bua(srf, media, target) {
  srf.invite(async (req, res) => {
    let call
    try {
      const flags = { flags: 'co' }
      call = await b2buaMedia(media, req, { offer: flags, answer: flags, onError: console.error })
      call.attach(await srf.createB2BUA(req, res, target, call))
    } catch (error) {
      await call?.release()
      // The callee's refusal has a status, and createB2BUA has sent it on.
      if (/** @type {{ status?: number }} */ (error).status === undefined) console.error(error)
      if (!res.finalResponseSent) res.send(480)
    }
  })
}
