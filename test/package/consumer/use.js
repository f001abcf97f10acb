// What a user of the packed package runs, with each of its entries: `names` holds what they export.

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const INVITE = Buffer.from(
  `INVITE sip:b@c SIP/2.0\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n${SDP}`,
)
const SOURCE = { address: '127.0.0.1' }

/** @param {unknown} condition @param {string} what */
function check(condition, what) {
  if (!condition) throw new Error(`${what} does not work`)
}

/** @param {Promise<unknown>} promise @param {string} hint what to install, of the one clear error */
async function checkMissing(promise, hint) {
  const outcome = await promise.then(
    () => 'nothing',
    (error) => `${error.code} ${error.message} ${error.cause?.message}`,
  )
  check(outcome.includes(hint), `the error without a peer (${outcome})`)
}

/** @param {Record<string, any>} names */
export async function use(names) {
  const relay = new names.EmbeddedRelay({ listen: 'udp:127.0.0.1:0' })
  await relay.start()
  const media = new names.RtpProxyNg({ sockets: relay.urls })
  await media.start()
  const { message, sdp } = await media.offer(names.SipMessage.parse(INVITE, SOURCE), { flags: 'co' })
  check(message.includes(sdp) && !sdp.includes('m=audio 4000'), 'an offer')

  const module = await names.loadModule({ rtpproxy_sock: relay.urls })
  check((await module.rtpproxy_offer(module.message(INVITE, SOURCE), 'co')) === 1, 'rtpproxy-ng/kamailio')
  await module.close()
  check(names.parseSdp(sdp).mediaDescriptions.length === 1, 'rtpproxy-ng/sdp')
  check(names.decode(names.encode({ a: 1 })).a === 1, 'rtpproxy-ng/bencode')

  const engine = new names.FakeRtpEngine()
  await engine.start()
  const ng = new names.NgClient(engine.urls[0])
  check((await ng.ping()).result === 'pong', 'rtpproxy-ng/ng')
  await ng.close()
  await engine.close()

  check(typeof names.b2buaMedia === 'function', 'rtpproxy-ng/drachtio')
  check(typeof names.sipAdapter({ stringify: () => '' }).setSdp === 'function', 'rtpproxy-ng/sip')
  // None of the optional peers is installed here.
  await checkMissing(names.redisCallStore(), 'npm install redis')
  await checkMissing(names.managementServer(media), 'npm install fastify')
  await checkMissing(names.prometheusMetrics(media), 'npm install prom-client')
  const webSocket = new names.NgClient('ws://127.0.0.1:9')
  await checkMissing(webSocket.ping(), 'npm install ws')
  await webSocket.close()
  await media.close()
  await relay.close()
}
