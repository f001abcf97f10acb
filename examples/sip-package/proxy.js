// A SIP proxy on the package sip, with a media proxy in its calls.
//
//   node examples/sip-package/main.js --rtpengine udp:127.0.0.1:2223 --listen 127.0.0.1:5060 --next 127.0.0.1:5080

import { createRequire } from 'node:module'
import { RtpProxyNg } from 'rtpproxy-ng'
import { sipAdapter } from 'rtpproxy-ng/sip'

const require = createRequire(import.meta.url)
/** It has no types. @type {import('rtpproxy-ng/sip').SipPackage & { stop: Function }} */
const sip = require('sip')
const { sipMessageOf, setSdp } = sipAdapter(sip)
/** What the package has for proxies. @type {{ start: Function, send: Function }} */
const proxy = require('sip/proxy')

/** @typedef {import('rtpproxy-ng/sip').SipPackageMessage & { uri?: unknown }} Message */
/** @typedef {import('rtpproxy-ng/sip').Remote} Remote */

/**
 * @param {{ rtpengine: string, host: string, port: number, next: string }} options `next`: HOST:PORT of where every request goes,
 *   with another HOST than `host`: what goes to its own the package takes for a connection that it has, and throws when there is none
 */
export async function startProxy({ rtpengine, host, port, next }) {
  const [address = '', nextPort] = next.split(':')
  if (address === host)
    throw new Error(`the package sip sends nothing to its own address: next must not be at ${host}`)
  const media = new RtpProxyNg({ sockets: rtpengine })
  await media.start()
  const destination = { address, port: Number(nextPort) }

  /** Puts the media proxy into the SDP of a message, or ends the media. @param {Message} message @param {Remote} remote */
  async function throughMedia(message, remote) {
    try {
      const { command, sdp } = await media.manage(sipMessageOf(message, remote), { flags: 'co' })
      if (sdp !== undefined && (command === 'offer' || command === 'answer')) setSdp(message, sdp)
    } catch (error) {
      // Better a call without the media proxy than none.
      console.error(String(error))
    }
  }

  /** @param {Message} request @param {Remote} remote */
  async function route(request, remote) {
    await throughMedia(request, remote)
    request.headers.route = [{ uri: `sip:${next};lr` }]
    // The package does not say where a response came from: from where the request went.
    proxy.send(request, async (/** @type {Message} */ response) => {
      await throughMedia(response, destination)
      const via = /** @type {unknown[]} */ (response.headers.via)
      via.shift()
      proxy.send(response)
    })
  }

  proxy.start({ address: host, port, udp: true, tcp: false, logger: { error: console.error } }, route)
  // The package binds its socket on the next tick, and tells nobody.
  await new Promise((resolve) => setImmediate(resolve))
  return {
    media,
    async close() {
      sip.stop()
      await media.close()
    },
  }
}
