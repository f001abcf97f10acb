import Srf from 'drachtio-srf'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { DrachtioServer } from '../examples/drachtio-server.ts'

export const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=sendrecv\r\n`

export const portIn = (text: string | undefined) => Number(/^m=audio (\d+)/m.exec(text ?? '')?.[1])

interface Parts {
  readonly callId?: string
  readonly from?: string
  readonly to?: string
  readonly body?: string | undefined
}

export function sipText(
  first: string,
  cseq: string,
  { callId = 'a-leg', from = 'alice', to = '', body = '' }: Parts = {},
): string {
  return [
    first,
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    `From: <sip:${from}@192.0.2.1>;tag=${from}`,
    `To: <sip:bob@192.0.2.9>${to && `;tag=${to}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    'Contact: <sip:them@192.0.2.1>',
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** Alice, an application on drachtio-srf, and Bob; a media proxy, and what stands in for the drachtio server. */
export class Scene implements AsyncDisposable {
  readonly server = new DrachtioServer()
  readonly engine = new FakeRtpEngine()
  readonly srf = new Srf()
  media!: RtpProxyNg
  #cseq = 1
  #transactions = 0

  static async set(options: ConstructorParameters<typeof RtpProxyNg>[0] = {}): Promise<Scene> {
    const scene = new Scene()
    await scene.engine.start()
    scene.media = new RtpProxyNg({ sockets: scene.engine.urls[0]!, ...options })
    await scene.media.start()
    await scene.srf.connect({ host: '127.0.0.1', port: await scene.server.listen(), secret: 'cymru' })
    return scene
  }

  /** Alice's INVITE, and what the application sends to Bob: the first to `target`. */
  async invite(body?: string, target = 'bob@192.0.2.9') {
    this.fromAlice('INVITE', body, '')
    return this.server.message(new RegExp(`^INVITE sip:${target} `))
  }

  fromAlice(method: string, body?: string, to = 'ours'): void {
    if (method !== 'ACK' && method !== 'CANCEL') this.#cseq++
    this.#request(method, { to, body }, 'd1')
  }

  fromBob(method: string, body?: string): void {
    this.#cseq++
    this.#request(method, { callId: 'b-leg', from: 'bob', to: 'ours', body }, 'd2')
  }

  /** Bob, or who was called in his place, answers a request that the application has sent. */
  bobAnswers(
    to: { readonly transactionId: string; readonly text: string },
    status: string,
    body?: string,
    tag = 'bob',
  ): void {
    const cseq = /^CSeq: (.*)$/m.exec(to.text)![1]!.trim()
    const text = sipText(`SIP/2.0 ${status}`, cseq, { callId: 'b-leg', from: 'us', to: tag, body })
    this.server.incoming(text, to.transactionId, 'd2')
  }

  aliceAnswers(
    to: { readonly transactionId: string; readonly text: string },
    status: string,
    body?: string,
  ): void {
    const cseq = /^CSeq: (.*)$/m.exec(to.text)![1]!.trim()
    const text = sipText(`SIP/2.0 ${status}`, cseq, { from: 'us', to: 'alice', body })
    this.server.incoming(text, to.transactionId, 'd1')
  }

  /** What the application sends from now on, or last. */
  async next(pattern: RegExp) {
    const message = await this.server.message(pattern)
    this.server.sent.splice(0, this.server.sent.indexOf(message) + 1)
    return message
  }

  #request(method: string, parts: Parts, dialogId: string): void {
    const text = sipText(`${method} sip:us SIP/2.0`, `${this.#cseq} ${method}`, parts)
    this.server.incoming(text, `t${++this.#transactions}`, dialogId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.srf.disconnect()
    await this.server.close()
    await this.media.close()
    await this.engine.close()
  }
}
