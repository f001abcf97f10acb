import { once } from 'node:events'
import { afterEach } from 'vitest'
import { decode } from '../../../src/core/bencode.ts'
import { RtpProxyNg } from '../../../src/module/client.ts'
import { SipMessage } from '../../../src/module/message.ts'
import type { RtpProxyNgOptions } from '../../../src/module/options/options.ts'
import { type Dictionary, type Script, ScriptedProxy, scripts } from '../../media-proxy.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

/** A media proxy on a port of its own, with its URL. */
export class TestProxy extends ScriptedProxy {
  url = ''
  port = 0

  /** The commands it was sent, without pings: `offer call-id`. */
  get commands(): string[] {
    return this.payloads.map((payload) => {
      const { command, 'call-id': callId } = decode(payload, 'latin1') as Dictionary
      return `${command} ${callId}`
    })
  }

  async back(): Promise<void> {
    await this.listenUdp('127.0.0.1', this.port)
  }
}

export async function proxy(script: Script = scripts.ok): Promise<TestProxy> {
  const made = new TestProxy(script)
  opened.push(made)
  made.port = await made.listenUdp()
  made.url = `udp:127.0.0.1:${made.port}`
  return made
}

/** A client that is started, with the states its nodes went through: `before>after URL`. */
export async function client(options: RtpProxyNgOptions): Promise<{ media: RtpProxyNg; states: string[] }> {
  const media = new RtpProxyNg(options)
  const states: string[] = []
  media.on('node:state', ({ url, state }, before) => states.push(`${before}>${state} ${url}`))
  opened.push(media)
  await media.start()
  return { media, states }
}

/** Resolves with the state the node changes to next. */
export async function nextState(media: RtpProxyNg): Promise<string> {
  const [{ state }] = await once(media, 'node:state')
  return state
}

/** Answers nothing but pings, which `scripts.silent` does not answer either. */
export const deaf: Script = () => []

/** Answers nothing until it was sent `count` commands, then all. */
export function after(count: number, then: Script = scripts.ok): Script {
  let seen = 0
  return (...request) => (seen++ < count ? [] : then(...request))
}

export const noPorts: Script = (payload, cookie, request) =>
  request.command === 'offer'
    ? [`${cookie} d12:error-reason17:Ran out of ports.6:result5:errore`]
    : scripts.ok(payload, cookie, request)

/** Answers all but pings with an error. */
export function refuse(reason: string): Script {
  return (payload, cookie, request) =>
    request.command === 'ping'
      ? scripts.ok(payload, cookie, request)
      : [`${cookie} d12:error-reason${reason.length}:${reason}6:result5:errore`]
}

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Changes the byte sum of a Call-ID, and with it the choice between two nodes of equal weight. */
export const EVEN = '@@'
export const ODD = '@A'

interface MessageParts {
  readonly callId?: string
  readonly branch?: string
  readonly sdp?: string
}

function message(
  startLine: string,
  tag: string,
  { callId = EVEN, branch = 'b1', sdp = '' }: MessageParts,
): SipMessage {
  const head = [
    `Via: SIP/2.0/UDP 192.0.2.1;branch=${branch}`,
    'From: <sip:a@b>;tag=caller',
    `To: <sip:b@c>${tag}`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${sdp.length}`,
  ]
  const text = `${startLine}\r\n${head.join('\r\n')}\r\n\r\n${sdp}`
  return SipMessage.parse(Buffer.from(text), { address: '192.0.2.1' })
}

export const invite = (parts: MessageParts = {}): SipMessage =>
  message('INVITE sip:b@c SIP/2.0', '', { sdp: SDP, ...parts })
export const ok = (parts: MessageParts = {}): SipMessage =>
  message('SIP/2.0 200 OK', ';tag=callee', { sdp: SDP, ...parts })
export const bye = (parts: MessageParts = {}): SipMessage =>
  message('BYE sip:b@c SIP/2.0', ';tag=callee', parts)

/** The error a promise rejects with. */
export function errorOf(promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  return promise.then(
    () => Promise.reject(new Error('it did not reject')),
    (error: Error) => error,
  )
}
