import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode } from '../../src/core/bencode.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function sip(
  startLine: string,
  { sdp = SDP, toTag = '', drop = /(?!)/, cseq = '1 INVITE' } = {},
): SipMessage {
  const head = [
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'From: <sip:a@b>;tag=f',
    `To: <sip:b@c>${toTag && `;tag=${toTag}`}`,
    'Call-ID: call-1',
    `CSeq: ${cseq}`,
    ...(sdp && ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
  ].filter((line) => !drop.test(line))
  return SipMessage.parse(Buffer.from(`${startLine}\r\n${head.join('\r\n')}\r\n\r\n${sdp}`), {
    address: '192.0.2.1',
    port: 5060,
  })
}

let proxy: ScriptedProxy
let media: RtpProxyNg
beforeEach(async () => {
  proxy = new ScriptedProxy()
  media = new RtpProxyNg({ sockets: `1 == udp:127.0.0.1:${await proxy.listenUdp()}` })
  await media.start()
})
afterEach(async () => {
  await media.close()
  await proxy.close()
})

const invite = (options = {}) => sip('INVITE sip:b@c SIP/2.0', options)
const last = () => decode(proxy.payloads.at(-1)!, 'utf8')

describe('RtpProxyNg', () => {
  it('offers, and gives back the message with the new SDP, the SDP and the node', async () => {
    const { message, sdp, node, warning } = await media.offer(invite(), {
      flags: 'co1',
      address: '203.0.113.7',
      set: 1,
    })
    expect(last()).toEqual({
      sdp: SDP,
      replace: ['session-connection', 'origin'],
      'call-id': 'call-1',
      'via-branch': 'z9hG4bK1',
      'received-from': ['IP4', '192.0.2.1'],
      'media address': '203.0.113.7',
      'from-tag': 'f',
      command: 'offer',
    })
    expect(sdp.toString()).toBe(
      SDP.replace('c=IN IP4 192.0.2.1', 'c=IN IP4 203.0.113.9').replace('4000', '30000'),
    )
    expect(SipMessage.parse(message, { address: '::1' }).sdp).toEqual(sdp)
    expect(message.toString()).toContain(`Content-Length: ${sdp.length}\r\n`)
    expect([node, warning]).toEqual([media.show()[0]!.url, undefined])
  })

  it('answers, destroys, records and queries', async () => {
    const options = { set: 1 }
    const ok = sip('SIP/2.0 200 OK', { toTag: 't' })
    expect((await media.answer(ok, options)).sdp.toString()).toContain('30000')
    expect(last()).toMatchObject({ command: 'answer', 'from-tag': 'f', 'to-tag': 't' })
    const bye = sip('BYE sip:b@c SIP/2.0', { toTag: 't', sdp: '', cseq: '2 BYE' })
    await media.destroy(bye, options)
    expect(last()).toMatchObject({ command: 'delete', 'from-tag': 'f' })
    await media.startRecording(bye, options)
    expect(last()).toMatchObject({ command: 'start recording' })
    expect(await media.query(bye, options)).toMatchObject({
      result: 'ok',
      totals: { input: { rtp: { packets: 100 } } },
    })
    expect(await media.statistics(bye, options)).toMatchObject({
      input: { bytes: 17200, packets: 100, errors: 1 },
      output: { bytes: 15480, packets: 90, errors: 0 },
      text: 'Input: 17200 bytes, 100 packets, 1 errors; Output: 15480 bytes, 90 packets, 0 errors',
    })
  })

  it('manages: says what it did, and hands back untouched what is none of its business', async () => {
    expect(await media.manage(invite(), { set: 1 })).toMatchObject({
      command: 'offer',
      sdp: expect.any(Buffer),
    })
    const options = sip('OPTIONS sip:b@c SIP/2.0', { cseq: '1 OPTIONS' })
    expect(await media.manage(options, { set: 1 })).toEqual({
      command: null,
      message: options.buffer,
      sdp: undefined,
      node: undefined,
      warning: undefined,
    })
    const busy = sip('SIP/2.0 486 Busy Here', { toTag: 't', sdp: '' })
    expect(await media.manage(busy, { set: 1 })).toMatchObject({ command: 'delete', message: busy.buffer })
    expect(proxy.payloads).toHaveLength(2)
  })

  it('sends any command with any parameters, and turns error replies into errors', async () => {
    const reply = await media.request(
      'play media',
      { 'call-id': 'x', file: '/tmp/a.wav', 'repeat-times': 2 },
      { set: 1 },
    )
    expect(reply).toEqual({ result: 'ok' })
    expect(proxy.payloads.at(-1)!.toString()).toBe(
      'd7:call-id1:x4:file10:/tmp/a.wav12:repeat-timesi2e7:command10:play mediae',
    )
    proxy.script = scripts.error
    await expect(media.request('list', {}, { set: 1 })).rejects.toMatchObject({
      name: 'NgError',
      code: 'ERR_RTPPROXY_NG',
      command: 'list',
      reason: 'Unknown call-id',
      node: media.show()[0]!.url,
    })
    await expect(media.request('x', { y: 1.5 }, { set: 1 })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_BENCODE',
    })
  })

  it.each([
    ['without SDP', invite({ sdp: '' }), {}, 'ERR_RTPPROXY_NO_SDP'],
    ['without Call-ID', invite({ drop: /^Call-ID/ }), {}, 'ERR_RTPPROXY_NO_CALL_ID'],
    ['without From tag', invite({ drop: /^From/ }), {}, 'ERR_RTPPROXY_NO_FROM_TAG'],
    ['without To', invite({ drop: /^To/ }), {}, 'ERR_RTPPROXY_NO_TO_TAG'],
    ['whose roles swap without To tag', sip('SIP/2.0 200 OK'), {}, 'ERR_RTPPROXY_NO_TO_TAG'],
    ['without the branch asked for', invite(), { flags: '2' }, 'ERR_RTPPROXY_NO_VIA_BRANCH'],
    ['without the extra id asked for', invite(), { flags: 'b' }, 'ERR_RTPPROXY_NO_EXTRA_ID'],
    ['with an unknown flag', invite(), { flags: 'roq' }, 'ERR_RTPPROXY_FLAG'],
    ['for a set that does not exist', invite(), { set: 7 }, 'ERR_RTPPROXY_SET'],
  ])('sends nothing for a message %s', async (_, message, options, code) => {
    await expect(media.offer(message, { set: 1, ...options })).rejects.toMatchObject({ code })
    expect(proxy.payloads).toEqual([])
  })

  it('sends no answer for a request that is no ACK', async () => {
    await expect(media.answer(invite({ toTag: 't' }), { set: 1 })).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_NOT_APPLICABLE',
    })
    expect(proxy.payloads).toEqual([])
  })

  it.each([
    ['loadlimit', 'ERR_RTPPROXY_LOAD_LIMIT'],
    ['nosdp', 'ERR_RTPPROXY_REPLY'],
    ['garbage', 'ERR_RTPPROXY_REPLY'],
    ['error', 'ERR_RTPPROXY_NG'],
  ] as const)('rejects with the node and the command when the reply is %s', async (script, code) => {
    proxy.script = scripts[script]
    const error = await media.offer(invite(), { set: 1 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code, command: 'offer', node: media.show()[0]!.url })
    expect((error as Error).message).toContain(media.show()[0]!.url)
    expect(media.show()[0]!.disabled).toBe(false)
  })

  it('says so when it is not given a SipMessage', async () => {
    await expect(media.destroy(Buffer.from('BYE') as never)).rejects.toMatchObject({
      code: 'ERR_RTPPROXY_OPTION',
      option: 'message',
    })
  })
})
