// npm run demo [-- --rtpengine udp:127.0.0.1:2223] [--json]
//
// One call over real sockets: Alice calls Bob through a SIP proxy that puts a media proxy into the call, both talk, Bob's
// and Alice's packets are counted, Alice hangs up. Exits with 1 if anything is missing. With --json only what was found, as JSON.

import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { SipMessage } from 'rtpproxy-ng'
import { EmbeddedRelay } from 'rtpproxy-ng/relay'
import { SipProxy } from '../sip-proxy/proxy.js'
import { ladderArrow, ladderHead, sdpChanges } from './ladder.js'
import { Phone } from './phone.js'

const PACKETS = 50
const DEADLINE_MS = 9000

const { values } = parseArgs({ options: { rtpengine: { type: 'string' }, json: { type: 'boolean' } } })

// Who reads the first lines only has seen enough.
process.stdout.on('error', () => process.exit(141))

/** What people are shown. @param {string} [text] */
const say = (text = '') => values.json || console.log(text)

/** @type {{ ok: boolean, what: string }[]} */
const checks = []
/**
 * @param {boolean} holds
 * @param {string} what
 */
function check(holds, what) {
  say(`${holds ? pc.green('ok     ') : pc.red('MISSING')} ${what}`)
  checks.push({ ok: holds, what })
}

/** @param {string} why */
function giveUp(why) {
  console.error(values.json ? JSON.stringify({ error: { message: why } }) : pc.red(why))
  process.exit(1)
}
const watchdog = setTimeout(() => giveUp(`the call is not over after ${DEADLINE_MS} ms`), DEADLINE_MS)

const relay = values.rtpengine === undefined ? new EmbeddedRelay({ listen: 'udp:127.0.0.1:0' }) : undefined
await relay?.start()
const node = values.rtpengine ?? /** @type {EmbeddedRelay} */ (relay).urls[0] ?? ''

const alice = new Phone('alice')
const bob = new Phone('bob')
await Promise.all([alice.start(), bob.start()])
alice.onFailure = (/** @type {number | undefined} */ status) =>
  giveUp(`the call failed with ${status}; is the media proxy ${node} there?`)

const proxy = new SipProxy({ sockets: node, observe: draw })
await proxy.start()
say(
  `media proxy ${pc.bold(node)}${relay === undefined ? '' : ' (embedded)'}, SIP proxy on udp:${proxy.hostPort}\n`,
)
say(ladderHead())

/** @param {import('../sip-proxy/proxy.js').ProxyEvent} event */
function draw(event) {
  if (event.kind === 'media') {
    say(pc.cyan(ladderArrow('proxy', 'media', event.command)))
    say(pc.cyan(ladderArrow('media', 'proxy', 'ok')))
    const source = { address: '127.0.0.1' }
    const before = SipMessage.parse(event.before, source).sdp
    const after = SipMessage.parse(event.after, source).sdp
    if (before !== undefined && after !== undefined) for (const line of sdpChanges(before, after)) say(line)
    return
  }
  const party = event.peer.port === alice.sip.address().port ? 'alice' : 'bob'
  const [first = ''] = event.bytes.toString('latin1').split('\r\n', 1)
  const label = first.startsWith('SIP/2.0') ? first.slice(8) : (first.split(' ', 1)[0] ?? '')
  say(event.kind === 'in' ? ladderArrow(party, 'proxy', label) : ladderArrow('proxy', party, label))
}

// The call.
const callId = `demo-${Date.now()}@127.0.0.1`
const via = (/** @type {number} */ n) =>
  `Via: SIP/2.0/UDP 127.0.0.1:${alice.sip.address().port};branch=z9hG4bKdemo${n};rport`
const dialog = (/** @type {string} */ toTag) => [
  'Max-Forwards: 70',
  `From: <${alice.uri}>;tag=${alice.tag}`,
  `To: <${bob.uri}>${toTag === '' ? '' : `;tag=${toTag}`}`,
  `Call-ID: ${callId}`,
]
/** @param {SipMessage} request */
const replyTo = (request) => {
  const copied = request.buffer
    .toString('latin1')
    .split('\r\n')
    .filter((line) => /^(Via|Record-Route|From|Call-ID|CSeq):/i.test(line))
  return [...copied, `To: ${request.to}${request.toTag === undefined ? `;tag=${bob.tag}` : ''}`]
}
const recordRoute = (/** @type {SipMessage} */ message) => `Route: ${message.header('Record-Route') ?? ''}`

alice.send([`INVITE ${bob.uri} SIP/2.0`, via(1), ...dialog(''), 'CSeq: 1 INVITE'], alice.sdp, proxy.port)
const invite = await bob.next()
bob.send(['SIP/2.0 180 Ringing', ...replyTo(invite)], '', proxy.port)
await alice.next()
bob.send(['SIP/2.0 200 OK', ...replyTo(invite)], bob.sdp, proxy.port)
const ok = await alice.next()
alice.send(
  [`ACK ${bob.uri} SIP/2.0`, via(2), recordRoute(ok), ...dialog(bob.tag), 'CSeq: 1 ACK'],
  '',
  proxy.port,
)
const ack = await bob.next()

// The media.
if (invite.sdp === undefined || ok.sdp === undefined) throw new Error('the call was set up without media')
await Promise.all([alice.talk(ok.sdp, PACKETS), bob.talk(invite.sdp, PACKETS)])
say(pc.yellow(ladderArrow('alice', 'media', `RTP ${PACKETS} packets, RTCP`)))
say(pc.yellow(ladderArrow('bob', 'media', `RTP ${PACKETS} packets, RTCP`)))
for (let i = 0; i < 50 && (alice.received.rtcp === 0 || bob.received.rtcp === 0); i++) {
  await new Promise((resolve) => setTimeout(resolve, 20))
}
const statistics = await proxy.media.statistics(ack)

alice.send(
  [`BYE ${bob.uri} SIP/2.0`, via(3), recordRoute(ok), ...dialog(bob.tag), 'CSeq: 2 BYE'],
  '',
  proxy.port,
)
const bye = await bob.next()
bob.send(['SIP/2.0 200 OK', ...replyTo(bye)], '', proxy.port)
const byeOk = await alice.next()

say()
check(alice.received.rtp === PACKETS, `Alice heard ${alice.received.rtp} of ${PACKETS} RTP packets`)
check(bob.received.rtp === PACKETS, `Bob heard ${bob.received.rtp} of ${PACKETS} RTP packets`)
check(alice.received.rtcp > 0 && bob.received.rtcp > 0, 'RTCP arrived on both sides')
check(
  !alice.sources.has(bob.rtp.address().port) && !bob.sources.has(alice.rtp.address().port),
  'no packet went past the media proxy',
)
check(Number(statistics.input.packets) >= 2 * PACKETS, `$rtpstat: ${statistics.text}`)
check(
  byeOk.statusCode === 200 && proxy.counters.mediaFailures === 0,
  `the call was cleared (${proxy.counters.forwarded} messages forwarded)`,
)

await Promise.all([alice.close(), bob.close(), proxy.close()])
await relay?.close()
clearTimeout(watchdog)
if (values.json) console.log(JSON.stringify({ node, checks }, null, 2))
if (checks.some(({ ok }) => !ok)) process.exitCode = 1
