import { decode } from '../../../src/core/bencode.ts'
import type { MessageContext } from '../../../src/kamailio/message.ts'
import {
  type BeyondRtpengine,
  loadRtpengine,
  type RtpengineModule,
} from '../../../src/kamailio/rtpengine/module.ts'
import type { RtpengineParameters } from '../../../src/kamailio/rtpengine/parameters.ts'
import { type Dictionary, ScriptedProxy } from '../../media-proxy.ts'

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const SOURCE = { address: '192.0.2.1', port: 5060 }

interface SipInput {
  readonly cseq?: string
  readonly sdp?: string
  readonly contentType?: string
  readonly toTag?: string
}

export function sip(startLine: string, input: SipInput = {}): Buffer {
  const { cseq = '1 INVITE', sdp = SDP, contentType = 'application/sdp', toTag } = input
  const head = [
    startLine,
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone',
    'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKtwo',
    'From: <sip:a@b>;tag=f',
    `To: <sip:b@c>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    'Call-ID: call-1',
    `CSeq: ${cseq}`,
    ...(sdp && [`Content-Type: ${contentType}`]),
    `Content-Length: ${sdp.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${sdp}`)
}

/** A module with two sets of one scripted media proxy each. */
export class Scene {
  readonly first = new ScriptedProxy()
  readonly second = new ScriptedProxy()
  urls: string[] = []
  #module: RtpengineModule | undefined

  get module(): RtpengineModule {
    return this.#module!
  }

  async load(parameters: RtpengineParameters = {}, beyond: BeyondRtpengine = {}): Promise<RtpengineModule> {
    await this.close()
    this.urls = []
    for (const proxy of [this.first, this.second]) this.urls.push(`udp:127.0.0.1:${await proxy.listenUdp()}`)
    const sets = this.urls.map((url, i) => `${i} == ${url}`)
    this.#module = await loadRtpengine({ rtpengine_sock: sets, ...parameters }, beyond)
    return this.#module
  }

  message(bytes = sip('INVITE sip:b@c SIP/2.0'), context: MessageContext = {}) {
    return this.module.message(bytes, SOURCE, context)
  }

  async close(): Promise<void> {
    await this.#module?.close()
    await this.first.close()
    await this.second.close()
  }
}

/** What a media proxy was asked, in order. */
export const asked = (proxy: ScriptedProxy): Dictionary[] =>
  proxy.payloads.map((payload) => decode(payload, 'utf8') as Dictionary)
