import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseSdp } from '../../src/core/sdp.ts'
import { EmbeddedRelay } from '../../src/relay/index.ts'
import {
  freePorts,
  hasIpv6,
  type NgReply,
  type NgRequest,
  Party,
  rtcpPacket,
  rtpPacket,
  UdpClient,
} from './client.ts'

let relay: EmbeddedRelay
let client: UdpClient
let alice: Party
let bob: Party

beforeEach(async () => {
  relay = new EmbeddedRelay({ address: hasIpv6 ? ['127.0.0.1', '::1'] : '127.0.0.1' })
  await relay.start()
  client = new UdpClient(relay.urls[0]!)
  alice = await Party.at()
  bob = await Party.at()
})

afterEach(async () => {
  client.close()
  alice.close()
  bob.close()
  await relay.close()
})

const sdp = (reply: NgReply) => parseSdp(Buffer.from(reply.sdp, 'latin1'))

async function signal(command: string, more: NgRequest): Promise<NgReply> {
  const reply = await client.request({ command, 'call-id': 'c', 'from-tag': 'a', ...more })
  expect(reply.result, reply['error-reason']).toBe('ok')
  return reply
}

/** Where each party is told to send: alice by the answer, bob by the offer. */
async function establish(offer = alice.sdp(), answer = bob.sdp(), more: NgRequest = {}) {
  const offered = sdp(await signal('offer', { sdp: offer, ...more })).mediaDescriptions
  const answered = sdp(await signal('answer', { sdp: answer, 'to-tag': 'b', ...more })).mediaDescriptions
  return { forBob: offered, forAlice: answered }
}

type Target = { port: number; connection: { address: string } | undefined } | undefined

async function relays(from: Party, socket: 'rtp' | 'rtcp', target: Target, port: number, to: Party) {
  const packet = socket === 'rtp' ? rtpPacket() : rtcpPacket()
  from[socket].send(packet, port, target!.connection!.address)
  expect(await to.next(to[socket])).toEqual(packet)
}

describe('media through the relay', () => {
  it('goes both ways, RTP and RTCP, payload untouched', async () => {
    const { forAlice, forBob } = await establish()
    const [toRelay, toRelayFromBob] = [forAlice[0]!, forBob[0]!]
    expect(toRelay.port % 2).toBe(0)
    expect(toRelay.rtcp?.port).toBe(toRelay.port + 1)
    for (let i = 0; i < 3; i++) {
      await relays(alice, 'rtp', toRelay, toRelay.port, bob)
      await relays(bob, 'rtp', toRelayFromBob, toRelayFromBob.port, alice)
    }
    await relays(alice, 'rtcp', toRelay, toRelay.port + 1, bob)
    await relays(bob, 'rtcp', toRelayFromBob, toRelayFromBob.port + 1, alice)
  })

  it('keeps audio and video apart', async () => {
    const [aliceVideo, bobVideo] = [await Party.at(), await Party.at()]
    const { forAlice, forBob } = await establish(
      alice.sdp(...alice.media(), ...aliceVideo.media('video')),
      bob.sdp(...bob.media(), ...bobVideo.media('video')),
    )
    expect(new Set([...forAlice, ...forBob].map(({ port }) => port)).size).toBe(4)
    await relays(aliceVideo, 'rtp', forAlice[1], forAlice[1]!.port, bobVideo)
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await relays(bobVideo, 'rtp', forBob[1], forBob[1]!.port, aliceVideo)
    aliceVideo.close()
    bobVideo.close()
  })

  it('goes to where a party sends from, whatever its SDP says', async () => {
    const { forAlice, forBob } = await establish(
      alice.sdp('m=audio 9 RTP/AVP 0', 'c=IN IP4 192.0.2.1'),
      bob.sdp(),
    )
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
  })

  it('goes to where the SDP says if the party is asymmetric', async () => {
    const { forAlice, forBob } = await establish(alice.sdp(), bob.sdp(), { flags: ['asymmetric'] })
    const elsewhere = await Party.at()
    await relays(elsewhere, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
    elsewhere.close()
  })

  it('does not let a stranger in once the source is known', async () => {
    const { forAlice, forBob } = await establish()
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    const stranger = await Party.at()
    const { port } = forAlice[0]!
    await new Promise((resolve) => stranger.rtp.send(rtpPacket(), port, '127.0.0.1', resolve))
    await relays(alice, 'rtp', forAlice[0], port, bob)
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
    const { totals } = await client.request({ command: 'query', 'call-id': 'c' })
    expect(totals.RTP).toEqual({ packets: 3, bytes: 516, errors: 1 })
    stranger.close()
  })

  it('sends nothing to a party on hold, and goes on after it', async () => {
    const { forAlice, forBob } = await establish()
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
    const held = alice.sdp().toString().replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0')
    const reply = await signal('offer', { sdp: held, 'to-tag': 'b' })
    expect(sdp(reply).connection?.address).toBe('0.0.0.0')
    const unheard = rtpPacket()
    await new Promise((resolve) => bob.rtp.send(unheard, forBob[0]!.port, '127.0.0.1', resolve))
    // What alice sends during the hold shows that the packet before it was dealt with.
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await signal('offer', { sdp: alice.sdp(), 'to-tag': 'b' })
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
  })

  it('carries RTCP on the port of RTP where both multiplex', async () => {
    const mux = (party: Party) => party.sdp(`m=audio ${party.rtp.address().port} RTP/AVP 0`, 'a=rtcp-mux')
    const { forAlice, forBob } = await establish(mux(alice), mux(bob))
    expect(forBob[0]!.rtcpMux).toBe(true)
    const report = rtcpPacket()
    alice.rtp.send(report, forAlice[0]!.port, '127.0.0.1')
    expect(await bob.next(bob.rtp)).toEqual(report)
  })

  it('moves to the answer that came last when an offer was forked', async () => {
    const { forAlice, forBob } = await establish()
    const carol = await Party.at()
    const late = sdp(await signal('answer', { sdp: carol.sdp(), 'to-tag': 'b2' })).mediaDescriptions
    expect(late[0]!.port).toBe(forAlice[0]!.port)
    await relays(alice, 'rtp', late[0], late[0]!.port, carol)
    await relays(carol, 'rtp', forBob[0], forBob[0]!.port, alice)
    await signal('answer', { sdp: bob.sdp(), 'to-tag': 'b' })
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    carol.close()
  })

  it('is separate for branches that an offer was sent to one by one', async () => {
    const branch = async (name: string, to: Party, tag: string) => {
      const offered = sdp(await signal('offer', { sdp: alice.sdp(), 'via-branch': name }))
      const answer = { sdp: to.sdp(), 'via-branch': name, 'to-tag': tag }
      return { offered, answered: sdp(await signal('answer', answer)).mediaDescriptions[0]! }
    }
    const carol = await Party.at()
    const first = await branch('z9hG4bK1', bob, 'b')
    const second = await branch('z9hG4bK2', carol, 'd')
    await relays(alice, 'rtp', first.answered, first.answered.port, bob)
    await relays(alice, 'rtp', second.answered, second.answered.port, carol)
    await signal('delete', { 'via-branch': 'z9hG4bK1' })
    await relays(alice, 'rtp', second.answered, second.answered.port, carol)
    expect(relay.calls).toHaveLength(1)
    await signal('delete', { 'via-branch': 'z9hG4bK2' })
    expect(relay.calls).toHaveLength(0)
    carol.close()
  })

  it('survives a party that is not there, and counts the error nowhere but in the call', async () => {
    const { forAlice, forBob } = await establish()
    bob.close()
    for (let i = 0; i < 3; i++) alice.rtp.send(rtpPacket(), forAlice[0]!.port, '127.0.0.1')
    bob = await Party.at()
    await signal('answer', { sdp: bob.sdp(), 'to-tag': 'b' })
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
  })

  it.runIf(hasIpv6)('crosses from IPv4 to IPv6', async () => {
    const six = await Party.at('::1')
    const offered = sdp(await signal('offer', { sdp: alice.sdp(), 'address family': 'IP6' }))
    const forSix = offered.mediaDescriptions[0]!
    expect(forSix.connection).toEqual({ netType: 'IN', addressType: 'IP6', address: '::1' })
    const answered = sdp(await signal('answer', { sdp: six.sdp(), 'to-tag': 'b' }))
    const forAlice = answered.mediaDescriptions[0]!
    expect(forAlice.connection).toEqual({ netType: 'IN', addressType: 'IP4', address: '127.0.0.1' })
    await relays(alice, 'rtp', forAlice, forAlice.port, six)
    await relays(six, 'rtp', forSix, forSix.port, alice)
    await relays(six, 'rtcp', forSix, forSix.port + 1, alice)
    six.close()
  })
})

describe('ports', () => {
  it('stay the same through re-offers from either side', async () => {
    const { forAlice, forBob } = await establish()
    const again = sdp(await signal('offer', { sdp: alice.sdp(), 'to-tag': 'b' })).mediaDescriptions
    expect(again[0]!.port).toBe(forBob[0]!.port)
    const swapped = { 'from-tag': 'b', 'to-tag': 'a' }
    const offered = sdp(await signal('offer', { sdp: bob.sdp(), ...swapped })).mediaDescriptions
    expect(offered[0]!.port).toBe(forAlice[0]!.port)
    const answered = sdp(await signal('answer', { sdp: alice.sdp(), ...swapped })).mediaDescriptions
    expect(answered[0]!.port).toBe(forBob[0]!.port)
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
  })

  it('are opened for a section that a re-offer adds', async () => {
    const { forBob } = await establish()
    const both = alice.sdp(...alice.media(), ...alice.media('video'))
    const [audio, video] = sdp(await signal('offer', { sdp: both, 'to-tag': 'b' })).mediaDescriptions
    expect(audio!.port).toBe(forBob[0]!.port)
    expect(video!.port).not.toBe(audio!.port)
    expect(video!.port).not.toBe(alice.rtp.address().port)
  })

  it('are free again after delete', async () => {
    const { forAlice, forBob } = await establish()
    await signal('delete', {})
    for (const { port } of [...forAlice, ...forBob]) {
      for (const number of [port, port + 1]) {
        const socket = createSocket('udp4')
        socket.bind({ port: number, address: '127.0.0.1', exclusive: true })
        await once(socket, 'listening')
        socket.close()
      }
    }
  })

  it('stay 0 for a section that was refused', async () => {
    const { forAlice, forBob } = await establish(
      alice.sdp(...alice.media(), 'm=video 0 RTP/AVP 96'),
      bob.sdp('m=audio 0 RTP/AVP 0', 'm=video 0 RTP/AVP 96'),
    )
    expect(forBob.map(({ port }) => port === 0)).toEqual([false, true])
    expect(forAlice.map(({ port }) => port)).toEqual([0, 0])
  })

  it('run out when the range is used up, and come back', async () => {
    const first = await freePorts(4)
    await using small = new EmbeddedRelay({ portMin: first, portMax: first + 3 })
    await small.start()
    const other = new UdpClient(small.urls[0]!)
    const offer = (id: string) =>
      other.request({ command: 'offer', 'call-id': id, 'from-tag': 'a', sdp: alice.sdp() })
    const taken = await offer('first')
    expect(sdp(taken).mediaDescriptions[0]!.port).toBeGreaterThanOrEqual(first)
    expect(await offer('second')).toEqual({ result: 'error', 'error-reason': 'Ran out of ports' })
    expect(small.calls.map(({ callId }) => callId)).toEqual(['first'])
    await other.request({ command: 'delete', 'call-id': 'first', 'from-tag': 'a' })
    expect((await offer('second')).result).toBe('ok')
    other.close()
  })
})

describe('query', () => {
  it('counts what came in and what went out', async () => {
    const { forAlice, forBob } = await establish()
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await relays(alice, 'rtp', forAlice[0], forAlice[0]!.port, bob)
    await relays(bob, 'rtp', forBob[0], forBob[0]!.port, alice)
    await relays(bob, 'rtcp', forBob[0], forBob[0]!.port + 1, alice)
    const reply = await client.request({ command: 'query', 'call-id': 'c' })
    const rtp = { packets: 3, bytes: 3 * 172, errors: 0 }
    const rtcp = { packets: 1, bytes: 8, errors: 0 }
    expect(reply.totals).toEqual({ RTP: rtp, RTCP: rtcp, input: { rtp, rtcp }, output: { rtp, rtcp } })
    const [stream] = reply.tags.a!.medias[0]!.streams
    expect(stream).toMatchObject({
      'local port': forAlice[0]!.port,
      'local address': '127.0.0.1',
      endpoint: { family: 'IPv4', address: '127.0.0.1', port: alice.rtp.address().port },
      flags: ['RTP', 'filled', 'confirmed'],
      stats: { packets: 2, bytes: 344, errors: 0 },
      stats_out: { packets: 1, bytes: 172, errors: 0 },
    })
  })
})
