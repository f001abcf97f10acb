import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../../src/core/bencode.ts'
import { loadRtpengine } from '../../../src/kamailio/rtpengine/module.ts'
import type { Script } from '../../media-proxy.ts'
import { asked, Scene, SDP, sip } from './scene.ts'

const replyWith =
  (reply: Parameters<typeof encode>[0]): Script =>
  (_, cookie) => [Buffer.concat([Buffer.from(`${cookie} `), encode(reply)])]

let scene: Scene
beforeEach(async () => {
  scene = new Scene()
  await scene.load()
})
afterEach(() => scene.close())

describe('the functions of the rtpengine module', () => {
  it('offer the SDP with the flags of the string, and put the one that comes back in its place', async () => {
    const msg = scene.message()
    const flags =
      'replace-origin trust-address ICE=remove RTP/SAVPF direction=pub direction=priv codec-strip-PCMA via-branch=auto'
    expect(await scene.module.rtpengine_offer(msg, flags)).toBe(1)
    expect(asked(scene.first)).toEqual([
      {
        supports: ['load limit'],
        'sip-message-type': 'sip_request',
        ICE: 'remove',
        direction: ['pub', 'priv'],
        flags: ['trust-address'],
        replace: ['origin'],
        codec: { strip: ['PCMA'] },
        'transport-protocol': 'RTP/SAVPF',
        'call-id': 'call-1',
        'via-branch': 'z9hG4bKone',
        'received-from': ['IP4', '192.0.2.1'],
        'from-tag': 'f',
        sdp: SDP,
        command: 'offer',
      },
    ])
    expect(msg.buffer.toString()).toContain('c=IN IP4 203.0.113.9')
  })

  it('answer in the reply with the branch of its second Via', async () => {
    const msg = scene.message(sip('SIP/2.0 200 OK', { toTag: 't' }))
    expect(await scene.module.rtpengine_answer(msg, 'via-branch=auto')).toBe(1)
    expect(asked(scene.first)[0]).toMatchObject({
      command: 'answer',
      'from-tag': 'f',
      'to-tag': 't',
      'via-branch': 'z9hG4bKtwo',
    })
  })

  it('hand the flags to rtpengine as they are when the via-branch stands beside them', async () => {
    const msg = scene.message()
    expect(await scene.module.rtpengine_offer(msg, 'ICE=remove any thing', '1')).toBe(1)
    expect(asked(scene.first)[0]).toMatchObject({
      'rtpp-flags': 'ICE=remove any thing',
      'via-branch': 'z9hG4bKone',
    })
    expect(asked(scene.first)[0]).not.toHaveProperty('ICE')
  })

  it('send a fragment of trickle ICE as such', async () => {
    const sdp = 'a=ice-ufrag:x\r\na=ice-pwd:y\r\n'
    const contentType = 'application/trickle-ice-sdpfrag'
    const msg = scene.message(sip('INFO sip:b@c SIP/2.0', { cseq: '2 INFO', sdp, contentType, toTag: 't' }))
    scene.first.script = replyWith({ result: 'ok' })
    expect(await scene.module.rtpengine_info(msg)).toBe(1)
    expect(asked(scene.first)[0]).toMatchObject({ command: 'offer', flags: ['fragment'], sdp })
  })

  it('return -1 for a fragment that is not there and a branch that is none, and send nothing', async () => {
    const info = scene.message(sip('INFO sip:b@c SIP/2.0', { cseq: '2 INFO', sdp: '', toTag: 't' }))
    expect(await scene.module.rtpengine_info(info)).toBe(-1)
    expect(scene.module.lastError(info)).toMatchObject({ code: 'ERR_RTPPROXY_NO_SDP' })
    const msg = scene.message()
    expect(await scene.module.rtpengine_offer(msg, '', 'first' as never)).toBe(-1)
    expect(scene.module.lastError(msg)).toMatchObject({ option: 'viaBranch' })
    expect(asked(scene.first)).toEqual([])
  })

  it('manage offers, answers and deletes, and return -1 for what needs none of them', async () => {
    const { module } = scene
    const invite = sip('INVITE sip:b@c SIP/2.0')
    expect(await module.rtpengine_manage(scene.message(invite))).toBe(1)
    expect(await module.rtpengine_manage(scene.message(sip('SIP/2.0 200 OK', { toTag: 't' })))).toBe(1)
    const bye = sip('BYE sip:b@c SIP/2.0', { cseq: '2 BYE', sdp: '', toTag: 't' })
    expect(await module.rtpengine_manage(scene.message(bye))).toBe(1)
    expect(asked(scene.first).map(({ command }) => command)).toEqual(['offer', 'answer', 'delete'])
    const options = scene.message(sip('OPTIONS sip:b@c SIP/2.0', { cseq: '3 OPTIONS', sdp: '' }))
    expect(await module.rtpengine_manage(options)).toBe(-1)
    expect(module.lastError(options)).toMatchObject({ code: 'ERR_RTPPROXY_NOT_APPLICABLE' })
  })

  it('leave the call alone when only one of its branches failed', async () => {
    for (const bytes of [sip('INVITE sip:b@c SIP/2.0'), sip('SIP/2.0 486 Busy', { sdp: '', toTag: 't' })])
      expect(await scene.module.rtpengine_manage(scene.message(bytes, { route: 'branch-failure' }))).toBe(1)
    expect(asked(scene.first)).toEqual([])
  })

  it('take no answer from an INVITE, wherever its SDP is to go', async () => {
    for (const parameters of [{}, { write_sdp_pv: '$var(out)' }]) {
      await scene.load(parameters)
      const msg = scene.message()
      expect(await scene.module.rtpengine_answer(msg)).toBe(-1)
      expect(scene.module.lastError(msg)).toMatchObject({ code: 'ERR_RTPPROXY_NOT_APPLICABLE' })
      expect(asked(scene.first)).toEqual([])
    }
  })

  it.each([
    ['rtpengine_connect', 'connect'],
    ['start_recording', 'start recording'],
    ['stop_recording', 'stop recording'],
    ['block_dtmf', 'block DTMF'],
    ['unblock_dtmf', 'unblock DTMF'],
    ['block_media', 'block media'],
    ['unblock_media', 'unblock media'],
    ['silence_media', 'silence media'],
    ['unsilence_media', 'unsilence media'],
    ['start_forwarding', 'start forwarding'],
    ['stop_forwarding', 'stop forwarding'],
    ['play_media', 'play media'],
    ['stop_media', 'stop media'],
    ['play_dtmf', 'play DTMF'],
    ['rtpengine_unsubscribe', 'unsubscribe'],
  ] as const)('%s sends %s with the call and the party', async (name, command) => {
    await scene.load({ rtp_inst_pvar: '$avp(node)' })
    const msg = scene.message()
    expect(await scene.module[name](msg, 'from-tag=f label=x')).toBe(1)
    expect(asked(scene.first)[0]).toMatchObject({ command, 'call-id': 'call-1', 'from-tag': 'f', label: 'x' })
    expect(msg.avp('node')).toBe(scene.urls[0])
    expect(await scene.module[name](msg, 'from-tag=f label=x', '1')).toBe(1)
    expect(asked(scene.first)[1]).toMatchObject({ command, 'rtpp-flags': 'from-tag=f label=x' })
  })

  it('return -1 and keep the reason when the media proxy refuses', async () => {
    scene.first.script = replyWith({ result: 'error', 'error-reason': 'Unknown call-id' })
    const msg = scene.message()
    expect(await scene.module.block_media(msg, 'all')).toBe(-1)
    expect(scene.module.lastError(msg)).toMatchObject({ code: 'ERR_RTPPROXY_NG', reason: 'Unknown call-id' })
  })

  it('return -1 for a flag string that cannot be read, and send nothing', async () => {
    const msg = scene.message()
    expect(await scene.module.rtpengine_offer(msg, 'via-branch=nowhere')).toBe(-1)
    expect(scene.module.lastError(msg)).toMatchObject({ code: 'ERR_RTPPROXY_FLAG' })
    expect(scene.first.payloads).toEqual([])
  })
})

describe('set_rtpengine_set', () => {
  it('sends the message to that set', async () => {
    const msg = scene.message()
    expect(await scene.module.set_rtpengine_set(msg, '1')).toBe(1)
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect([scene.first.payloads.length, scene.second.payloads.length]).toEqual([0, 1])
  })

  it('sends it through two sets in a row, the SDP of the first to the second', async () => {
    scene.first.script = replyWith({ result: 'ok', sdp: SDP.replaceAll('192.0.2.1', '203.0.113.1') })
    scene.second.script = replyWith({ result: 'ok', sdp: SDP.replaceAll('192.0.2.1', '203.0.113.2') })
    const msg = scene.message()
    expect(await scene.module.set_rtpengine_set(msg, 0, 1)).toBe(1)
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect(asked(scene.second)[0]?.sdp).toContain('c=IN IP4 203.0.113.1')
    expect(msg.buffer.toString()).toContain('c=IN IP4 203.0.113.2')
    const bye = scene.message(sip('BYE sip:b@c SIP/2.0', { cseq: '2 BYE', sdp: '', toTag: 't' }))
    await scene.module.set_rtpengine_set(bye, 0, 1)
    expect(await scene.module.rtpengine_delete(bye)).toBe(1)
    expect([asked(scene.first)[1], asked(scene.second)[1]]).toMatchObject([
      { command: 'delete' },
      { command: 'delete' },
    ])
  })

  it('sends an answer back the way the offer came', async () => {
    const [first, second] = ['203.0.113.1', '203.0.113.2'].map((address) =>
      replyWith({ result: 'ok', sdp: SDP.replaceAll('192.0.2.1', address) }),
    )
    for (const parameters of [{}, { write_sdp_pv: '$avp(out)', write_sdp_pv_mode: 1 }]) {
      await scene.load(parameters)
      scene.first.script = first!
      scene.second.script = second!
      for (const call of ['rtpengine_answer', 'rtpengine_manage'] as const) {
        const msg = scene.message(sip('SIP/2.0 200 OK', { toTag: 't' }))
        await scene.module.set_rtpengine_set(msg, 0, 1)
        expect(await scene.module[call](msg)).toBe(1)
        expect(asked(scene.second).at(-1)).toMatchObject({ command: 'answer', sdp: SDP })
        expect(asked(scene.first).at(-1)?.sdp).toContain('c=IN IP4 203.0.113.2')
        expect(msg.buffer.toString()).toContain('c=IN IP4 203.0.113.1')
      }
    }
  })

  it('leaves the message as it is when the second set fails, and ends a call in both', async () => {
    scene.second.script = replyWith({ result: 'error', 'error-reason': 'no' })
    const msg = scene.message()
    const before = Buffer.from(msg.buffer)
    await scene.module.set_rtpengine_set(msg, 0, 1)
    expect(await scene.module.rtpengine_offer(msg)).toBe(-1)
    expect(msg.buffer).toEqual(before)
    const bye = scene.message(sip('BYE sip:b@c SIP/2.0', { cseq: '2 BYE', sdp: '', toTag: 't' }))
    await scene.module.set_rtpengine_set(bye, 1, 0)
    expect(await scene.module.rtpengine_delete(bye)).toBe(-1)
    expect([asked(scene.first).at(-1), asked(scene.second).at(-1)]).toMatchObject([
      { command: 'delete' },
      { command: 'delete' },
    ])
  })

  it('returns -1 for a set there is not, and leaves the message on the default one', async () => {
    const msg = scene.message()
    expect(await scene.module.set_rtpengine_set(msg, 1, null)).toBe(1)
    expect(await scene.module.set_rtpengine_set(msg, 1, 7)).toBe(-1)
    expect(scene.module.lastError(msg)).toMatchObject({ code: 'ERR_RTPPROXY_SET' })
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect([scene.first.payloads.length, scene.second.payloads.length]).toEqual([1, 0])
  })

  it('is done for the message by setid_avp, or by setid_default', async () => {
    await scene.load({ setid_avp: '$avp(set)', setid_default: 1 })
    await scene.module.rtpengine_offer(scene.message(undefined, { avp: { set: 0 } }))
    expect([scene.first.payloads.length, scene.second.payloads.length]).toEqual([1, 0])
    await scene.module.rtpengine_offer(scene.message())
    expect([scene.first.payloads.length, scene.second.payloads.length]).toEqual([1, 1])
  })

  it('counts less than setid_avp', async () => {
    await scene.load({ setid_avp: '$avp(set)' })
    const msg = scene.message(undefined, { avp: { set: 1 } })
    await scene.module.set_rtpengine_set(msg, 0)
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect([scene.first.payloads.length, scene.second.payloads.length]).toEqual([0, 1])
  })

  it('is not needed for sockets that name no set', async () => {
    await scene.load()
    const [url = ''] = scene.urls
    const module = await loadRtpengine({ rtpengine_sock: url, setid_default: 5 })
    expect(
      await module.rtpengine_offer(module.message(sip('INVITE sip:b@c SIP/2.0'), { address: '192.0.2.1' })),
    ).toBe(1)
    await module.close()
  })
})

describe('the variables of the rtpengine module', () => {
  it('give the SDP in place of the message, and take the one that comes back', async () => {
    const mine = SDP.replace('4000', '4444')
    await scene.load({ read_sdp_pv: '$avp(in)', write_sdp_pv: '$var(out)', rtp_inst_pvar: '$avp(node)' })
    const bytes = sip('INVITE sip:b@c SIP/2.0')
    const msg = scene.message(bytes, { avp: { in: mine } })
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect(asked(scene.first)[0]?.sdp).toBe(mine)
    expect(await scene.module.pv(msg, '$var(out)')).toContain('c=IN IP4 203.0.113.9')
    expect(await scene.module.pv(msg, '$avp(node)')).toBe(scene.urls[0])
    expect(msg.buffer).toEqual(bytes)
  })

  it('leave the message alone only with write_sdp_pv_mode 0', async () => {
    await scene.load({ write_sdp_pv: '$var(out)', write_sdp_pv_mode: 1 })
    const msg = scene.message()
    expect(await scene.module.rtpengine_offer(msg)).toBe(1)
    expect(msg.buffer.toString()).toContain('c=IN IP4 203.0.113.9')
  })

  it('hold the quality of the call and of its labelled sides after a query or delete', async () => {
    const mos = {
      MOS: 43,
      'packet loss': 1,
      jitter: 3,
      'round-trip time': 2000,
      samples: 4,
      'reported at': 1005,
    }
    const ssrc = (value: number) => ({
      'average MOS': { ...mos, MOS: value },
      'lowest MOS': { ...mos, MOS: value },
      'highest MOS': { ...mos, MOS: value },
    })
    const tag = (label: string, SSRC: number) => ({ label, medias: [{ streams: [{ SSRC }] }] })
    const reply = {
      result: 'ok',
      created: 1000,
      SSRC: { '11': ssrc(43), '22': ssrc(21) },
      tags: { f: tag('left', 11), t: tag('right', 22) },
    }
    await scene.load({
      mos_min_pv: '$avp(min)',
      mos_max_pv: '$avp(max)',
      mos_max_at_pv: '$avp(at)',
      mos_average_samples_pv: '$avp(samples)',
      mos_A_label_pv: '$avp(A)',
      mos_B_label_pv: '$avp(B)',
      mos_average_A_pv: '$avp(averageA)',
      mos_min_packetloss_B_pv: '$avp(lossB)',
      mos_average_B_pv: '$avp(averageB)',
    })
    scene.first.script = replyWith(reply)
    const bye = sip('BYE sip:b@c SIP/2.0', { cseq: '2 BYE', sdp: '', toTag: 't' })
    for (const name of ['rtpengine_query', 'rtpengine_delete', 'rtpengine_manage'] as const) {
      const msg = scene.message(bye, { avp: { A: 'left', B: 'right' } })
      expect(await scene.module[name](msg)).toBe(1)
      const values = await Promise.all(
        ['min', 'max', 'at', 'samples', 'averageA', 'lossB', 'averageB'].map((avp) =>
          scene.module.pv(msg, `$avp(${avp})`),
        ),
      )
      expect(values, name).toEqual(['2.1', '4.3', '0:05', '4', '4.3', '1', '2.1'])
    }
  })

  it('hold the length of what is played, and -1 when it is not known', async () => {
    await scene.load({ media_duration: '$avp(ms)' })
    for (const [duration, text] of [
      [1500, '1500'],
      [undefined, '-1'],
    ] as const) {
      scene.first.script = replyWith({ result: 'ok', ...(duration !== undefined && { duration }) })
      const msg = scene.message()
      expect(await scene.module.play_media(msg, 'file=/x.wav')).toBe(1)
      expect(await scene.module.pv(msg, '$avp(ms)')).toBe(text)
    }
  })

  it('hold the copy that is offered to a recorder, and who sends what', async () => {
    scene.first.script = replyWith({
      result: 'ok',
      sdp: SDP,
      'to-tag': 'rec',
      'tag-medias': [
        { tag: 'f', medias: [{ index: 1, type: 'audio', label: '0' }] },
        { tag: 't', medias: [{ index: 1, type: 'audio', label: '1' }] },
      ],
    })
    const msg = scene.message()
    const { module } = scene
    expect(
      await module.rtpengine_subscribe_request(msg, 'all siprec', '$avp(sdp)', '$avp(tag)', '$xavp(s)'),
    ).toBe(1)
    expect(asked(scene.first)[0]).toMatchObject({ command: 'subscribe request', flags: ['all', 'siprec'] })
    expect(await module.pv(msg, '$avp(sdp)')).toBe(SDP)
    expect(await module.pv(msg, '$avp(tag)')).toBe('rec')
    expect(await module.pv(msg, '$xavp(s[1]=>tag)')).toBe('t')
    expect(await module.pv(msg, '$xavp(s[1]=>label[0])')).toBe('1')
    expect(await module.rtpengine_subscribe_answer(scene.message(), 'to-tag=rec')).toBe(1)
    expect(asked(scene.first)[1]).toMatchObject({ command: 'subscribe answer', 'to-tag': 'rec', sdp: SDP })
  })

  it('print the totals of a call, and the whole reply as JSON', async () => {
    const counters = { bytes: 172, packets: 1, errors: 0 }
    const reply = { result: 'ok', totals: { RTP: counters, RTCP: { bytes: 0, packets: 0, errors: 0 } } }
    scene.first.script = replyWith(reply)
    const msg = scene.message()
    expect(await scene.module.pv(msg, '$rtpestat')).toBe(
      'RTP: 172 bytes, 1 packets, 0 errors; RTCP: 0 bytes, 0 packets, 0 errors',
    )
    expect(await scene.module.rtpengine_query_v(msg, 'j', '$var(json)')).toBe(1)
    expect(await scene.module.pv(msg, '$var(json)')).toBe(JSON.stringify(reply))
    expect(await scene.module.rtpengine_query_v(msg, 'x', '$var(json)')).toBe(-1)
    await expect(scene.module.rtpengine_query_v(msg, 'j', '$ci')).rejects.toThrow(/cannot be written to/)
    expect(await scene.module.rtpengine_query_v(msg, 'JP', '$var(json)')).toBe(1)
    expect(await scene.module.pv(msg, '$var(json)')).toBe(JSON.stringify(reply, undefined, 2))
    scene.first.script = replyWith({ result: 'ok', totals: { RTP: { bytes: 172 }, RTCP: {} } })
    expect(await scene.module.pv(msg, '$rtpestat')).toBe(
      'RTP: 172 bytes, -1 packets, -1 errors; RTCP: -1 bytes, -1 packets, -1 errors',
    )
  })

  it('name the media proxy, also of a call that ends and of one that failed', async () => {
    await scene.load({ rtp_inst_pvar: '$avp(node)' })
    const bye = scene.message(sip('BYE sip:b@c SIP/2.0', { cseq: '2 BYE', sdp: '', toTag: 't' }))
    expect(await scene.module.rtpengine_delete(bye)).toBe(1)
    expect(bye.avp('node')).toBe(scene.urls[0])
    scene.first.script = replyWith({ result: 'error', 'error-reason': 'no' })
    const msg = scene.message()
    expect(await scene.module.rtpengine_offer(msg)).toBe(-1)
    expect(msg.avp('node')).toBe(scene.urls[0])
  })

  it('lack the SDP when the media proxy gave none, and the function fails', async () => {
    await scene.load({ write_sdp_pv: '$var(out)' })
    scene.first.script = replyWith({ result: 'ok' })
    expect(await scene.module.rtpengine_offer(scene.message())).toBe(-1)
    const copy = scene.module.rtpengine_subscribe_request(scene.message(), 'all', '$avp(sdp)', '$avp(tag)')
    expect(await copy).toBe(-1)
  })
})
