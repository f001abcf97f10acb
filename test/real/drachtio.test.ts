import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type B2buaMedia, type B2buaOptions, b2buaMedia } from '../../src/adapters/drachtio/index.ts'
import { portIn, Scene, sdpOf } from '../adapters/drachtio-scene.ts'
import { findProgram, RtpEngine } from './program.ts'

describe.skipIf(findProgram('rtpengine', 'rtpengine-daemon') === undefined)(
  'a B2BUA on drachtio-srf with a real rtpengine',
  () => {
    let engine: RtpEngine
    let scene: Scene
    let call: B2buaMedia
    let done: Promise<void>
    const errors: unknown[] = []
    beforeEach(async () => {
      engine = await RtpEngine.start(36000)
      scene = await Scene.set({ sockets: engine.url })
    })
    afterEach(async () => {
      await scene[Symbol.asyncDispose]()
      await engine.stop()
      expect(errors).toEqual([])
    })

    async function application(options: B2buaOptions = {}): Promise<void> {
      done = new Promise((resolve, reject) => {
        scene.srf.invite(async (req, res) => {
          try {
            call = await b2buaMedia(scene.media, req, { onError: (error) => errors.push(error), ...options })
            call.attach(await scene.srf.createB2BUA(req, res, 'sip:bob@192.0.2.9', call))
            resolve()
          } catch (error) {
            reject(error)
          }
        })
      })
      await expect.poll(() => scene.server.routes).toContain('invite')
    }

    const isOfTheEngine = (text: string) => {
      expect(portIn(text)).toBeGreaterThanOrEqual(36000)
      expect(portIn(text)).toBeLessThan(40000)
    }

    it('takes an offer that is late, in the call and before', async () => {
      await application({ offer: { flags: 'co' }, answer: { flags: 'co' } })
      scene.fromAlice('INVITE', undefined, '')
      scene.bobAnswers(await scene.next(/^INVITE sip:bob@/), '200 OK', sdpOf(5000))
      const ok = await scene.next(/^SIP\/2\.0 200 /)
      scene.fromAlice('ACK', sdpOf(4000))
      const ack = await scene.next(/^ACK /)
      await done
      scene.fromBob('INVITE')
      scene.aliceAnswers(await scene.next(/^INVITE /), '200 OK', sdpOf(4000))
      const again = await scene.next(/^SIP\/2\.0 200 /)
      scene.fromBob('ACK', sdpOf(5000))
      const last = await scene.next(/^ACK /)
      for (const { text } of [ok, ack, again, last]) isOfTheEngine(text)
      expect(portIn(last.text)).toBe(portIn(ok.text))
      expect(portIn(again.text)).toBe(portIn(ack.text))
      void call.hangUp()
      await expect.poll(async () => (await scene.media.command('list')).calls).toEqual([])
    })

    it('speaks to each side as it wants it, whoever offers', async () => {
      await application({
        offer: { rtpengineFlags: 'replace-origin RTP/SAVPF ICE=force' },
        answer: { rtpengineFlags: 'replace-origin RTP/AVP ICE=remove' },
      })
      scene.fromAlice('INVITE', sdpOf(4000), '')
      const invite = await scene.next(/^INVITE sip:bob@/)
      const key = 'inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
      const secure = (port: number) =>
        `${sdpOf(port).replace('RTP/AVP', 'RTP/SAVPF')}a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}\r\n`
      scene.bobAnswers(invite, '200 OK', secure(5000))
      const ok = await scene.next(/^SIP\/2\.0 200 /)
      scene.fromAlice('ACK')
      await done
      scene.fromBob('INVITE', secure(5002))
      const toAlice = await scene.next(/^INVITE /)
      scene.aliceAnswers(toAlice, '200 OK', sdpOf(4002))
      const toBob = await scene.next(/^SIP\/2\.0 200 /)
      for (const { text } of [invite, toBob]) expect(text).toMatch(/^m=audio \d+ RTP\/SAVPF /m)
      for (const { text } of [ok, toAlice]) expect(text).toMatch(/^m=audio \d+ RTP\/AVP /m)
      for (const { text } of [ok, toAlice]) expect(text).not.toContain('a=candidate')
    })

    it('keeps the ports of a call when a re-INVITE is refused', async () => {
      await application({ offer: { flags: 'co' }, answer: { flags: 'co' } })
      scene.fromAlice('INVITE', sdpOf(4000), '')
      const invite = await scene.next(/^INVITE sip:bob@/)
      scene.bobAnswers(invite, '200 OK', sdpOf(5000))
      const ok = await scene.next(/^SIP\/2\.0 200 /)
      scene.fromAlice('ACK')
      await done
      scene.fromAlice('INVITE', `${sdpOf(4000)}m=video 4100 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n`)
      scene.bobAnswers(await scene.next(/^INVITE /), '488 Not Acceptable Here')
      await scene.next(/^SIP\/2\.0 488 /)
      scene.fromAlice('INVITE', sdpOf(4000))
      const again = await scene.next(/^INVITE /)
      scene.bobAnswers(again, '200 OK', sdpOf(5000))
      expect(portIn((await scene.next(/^SIP\/2\.0 200 /)).text)).toBe(portIn(ok.text))
      expect(portIn(again.text)).toBe(portIn(invite.text))
    })
  },
)
