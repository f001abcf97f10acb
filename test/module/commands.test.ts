import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode } from '../../src/core/bencode.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import type { RtpProxyNgOptions } from '../../src/module/options/options.ts'
import { type Dictionary, ScriptedProxy } from '../media-proxy.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const invite = SipMessage.parse(
  Buffer.from(
    `INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
  ),
  { address: '192.0.2.1', port: 5060 },
)

let proxies: ScriptedProxy[]
let urls: string[]
let media: RtpProxyNg
async function start(options: RtpProxyNgOptions = {}): Promise<void> {
  await media?.close()
  media = new RtpProxyNg({ sockets: urls.join(' '), timeoutMs: 500, attempts: 1, ...options })
  await media.start()
}
beforeEach(async () => {
  proxies = [new ScriptedProxy(), new ScriptedProxy(), new ScriptedProxy()]
  urls = []
  for (const proxy of proxies) urls.push(`udp:127.0.0.1:${await proxy.listenUdp()}`)
  await start()
})
afterEach(async () => {
  await media.close()
  for (const proxy of proxies) await proxy.close()
})

const sent = (): Dictionary[] =>
  proxies.flatMap(({ payloads }) => payloads.map((payload) => decode(payload, 'utf8') as Dictionary))
const taker = (): string | undefined => urls[proxies.findIndex(({ payloads }) => payloads.length > 0)]

describe('commands of RtpProxyNg beside those of the module', () => {
  it('ask for the result load limit in an offer of parameters, and not in one of a message', async () => {
    const call = { 'call-id': 'two', 'from-tag': 'f', sdp: SDP }
    await media.command('offer', call)
    await media.command('offer', { ...call, supports: null })
    await media.command('answer', { ...call, 'to-tag': 't' })
    await media.request('offer', call)
    await media.command('offer', invite)
    expect(sent().map(({ supports }) => supports)).toEqual([['load limit'], ...Array(4).fill(undefined)])
  })

  it('reject for what are no options, and never throw', async () => {
    await expect(media.offer(invite, null as never)).rejects.toThrow(TypeError)
  })

  it('take a message, which says the call and the party', async () => {
    await media.playMedia(invite, { parameters: { file: '/x.wav' } })
    expect(sent()[0]).toEqual({
      'call-id': 'one',
      'received-from': ['IP4', '192.0.2.1'],
      'from-tag': 'f',
      file: '/x.wav',
      command: 'play media',
    })
  })

  it('take all of a call where they are about calls, and the party where a direction is asked for', async () => {
    for (const options of [{}, { rtpengineFlags: 'directional' }]) await media.blockDtmf(invite, options)
    const [all, one] = sent()
    expect(all).toMatchObject({ command: 'block DTMF', 'call-id': 'one' })
    expect(all).not.toHaveProperty('from-tag')
    expect(one).toMatchObject({ 'from-tag': 'f', flags: ['directional'] })
  })

  it('take parameters, and stay where the call is', async () => {
    const { node } = await media.offer(invite)
    for (let i = 0; i < 5; i++) await media.playMedia({ 'call-id': 'one', 'from-tag': 'f', file: '/x.wav' })
    expect(taker()).toBe(node)
    expect(sent().map(({ command }) => command)).toEqual(['offer', ...Array(5).fill('play media')])
  })

  it('take both: parameters stand in place of what the message has', async () => {
    await media.query(invite, { parameters: { 'from-tag': 'other', 'to-tag': null } })
    expect(sent()[0]).toMatchObject({ command: 'query', 'call-id': 'one', 'from-tag': 'other' })
    await media.offer(invite, { parameters: { 'record call': true, label: 'caller' } })
    expect(sent().find(({ command }) => command === 'offer')).toMatchObject({
      'record call': 'yes',
      label: 'caller',
      sdp: SDP,
    })
  })

  it('go to the media proxy that is named, whoever has the call', async () => {
    for (const node of urls) await media.offer(invite, { node })
    expect(proxies.map(({ payloads }) => payloads.length)).toEqual([1, 1, 1])
    await expect(media.offer(invite, { node: 'udp:127.0.0.1:1' })).rejects.toMatchObject({ option: 'node' })
  })

  it('do not leave the media proxy that is named when it does not answer', async () => {
    const [silent] = proxies
    silent!.script = () => []
    await expect(media.offer(invite, { node: urls[0] })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_TIMEOUT',
    })
    expect(proxies.map(({ payloads }) => payloads.length)).toEqual([1, 0, 0])
  })

  it.each<[unknown[], object]>([
    [['offer', 'text'], { code: 'ERR_RTPPROXY_OPTION', option: 'message' }],
    [['offer', new Map()], { code: 'ERR_RTPPROXY_OPTION', option: 'message' }],
    [['offer', null], { code: 'ERR_RTPPROXY_OPTION', option: 'message' }],
    [['', {}], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'command' }],
    [['play media', {}, { parameters: 'text' }], { code: 'ERR_RTPPROXY_PARAMETER', parameter: 'parameters' }],
    [['play media', {}, { signal: {} }], { code: 'ERR_RTPPROXY_OPTION', option: 'signal' }],
    [['play media', {}, { deadlineMs: -1 }], { code: 'ERR_RTPPROXY_OPTION', option: 'deadlineMs' }],
  ])('are not sent when given %j', async (given, error) => {
    await expect(Reflect.apply(media.command, media, given)).rejects.toMatchObject(error)
    expect(sent()).toHaveLength(0)
    expect(media.openRequests).toBe(0)
  })

  it('keep each leg of a call where it is', async () => {
    const first = await media.offer(invite, { leg: '1', node: urls[0] })
    const second = await media.offer(invite, { leg: '2', node: urls[1] })
    for (let i = 0; i < 3; i++) {
      expect((await media.offer(invite, { leg: '1' })).node).toBe(first.node)
      expect((await media.offer(invite, { leg: '2' })).node).toBe(second.node)
    }
  })

  it('end a leg on the media proxy that is named, and forget it only where it is nowhere else', async () => {
    await start({ affinity: {} })
    const branch = (viaBranch: string, node: string | undefined) =>
      media.offer(invite, { leg: '1', node, rtpengineFlags: 'via-branch=extra', extraId: viaBranch })
    await branch('x', urls[1])
    await branch('y', urls[0])
    await media.destroy({ 'call-id': 'one' }, { leg: '1', node: urls[0] })
    expect((await branch('x', undefined)).node).toBe(urls[1])
    expect((await branch('y', urls[1])).node).toBe(urls[1])
    await media.destroy({ 'call-id': 'one' }, { leg: '1', node: urls[1] })
    expect(media.nodeOf('one')).toBeUndefined()
  })

  it('are refused with what may be meant where strict is asked for, and pass otherwise', async () => {
    const mistaken = { 'call-id': 'one', 'from-tag': 'f', sdp: SDP, 'transport-protocl': 'RTP/AVP' }
    await media.command('offer', mistaken)
    expect(sent()[0]).toHaveProperty('transport-protocl', 'RTP/AVP')
    await start({ strict: true })
    await expect(media.command('offer', mistaken)).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_PARAMETER',
      parameter: 'transport-protocl',
      message: expect.stringContaining('did you mean'),
    })
    await expect(media.offer(invite, { parameters: { flags: ['trust adress'] } })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_PARAMETER',
    })
    await expect(media.offer(invite, { rtpengineFlags: 'trust-adress' })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_PARAMETER',
    })
    expect(sent()).toHaveLength(1)
    await media.offer(invite, { rtpengineFlags: 'trust-address ICE=remove' })
    expect(sent()).toHaveLength(2)
  })

  it('are refused where the media proxy is an rtpengine 10.5, which would not know them', async () => {
    await start({ strict: '10.5' })
    const call = { 'call-id': 'one', 'from-tag': 'f', sdp: SDP }
    for (const [refused, parameter] of [
      [media.command('offer', { ...call, 'alias-key': 'sdp' }), 'alias-key'],
      [media.offer(invite, { parameters: { 'alias-key': 'sdp' } }), 'alias-key'],
      [media.offer(invite, { rtpengineFlags: 'trust-address no-player' }), 'flags[1]'],
      [media.connect({ 'call-id': 'one', 'from-tag': 'f', 'to-tag': 't' }), 'command'],
    ] as const)
      await expect(refused).rejects.toMatchObject({
        parameter,
        message: expect.stringContaining('rtpengine 10.5 does not know'),
      })
    expect(sent()).toEqual([])
    await media.offer(invite, { flags: 'co' })
    await media.offer(invite, {
      rtpengineFlags: 'trust-address ICE=remove',
      parameters: { 'record call': true },
    })
    await media.command('offer', call)
    expect(sent()).toHaveLength(3)
  })

  it('do not take flags in letters and rtpengine flags at once', async () => {
    await expect(media.offer(invite, { flags: 'co', rtpengineFlags: 'ICE=remove' })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_FLAG',
    })
    expect(sent()).toEqual([])
  })

  it('refuse what is neither a message nor parameters', async () => {
    await expect(media.query(Buffer.from('x') as never)).rejects.toMatchObject({ option: 'message' })
    await expect(media.blockMedia(5 as never)).rejects.toMatchObject({ option: 'message' })
  })
})
