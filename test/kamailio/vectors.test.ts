import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KamailioModule, loadModule } from '../../src/kamailio/module.ts'
import { SipMessage } from '../../src/module/message.ts'
import { ScriptedProxy, scripts } from '../media-proxy.ts'
import { bytes, type ModuleCall, moduleCalls, readVectors } from '../vectors.ts'

/** The nodes of the recordings: set 0, set 2, and set 3 over a UNIX socket. */
const proxies = { 22231: new ScriptedProxy(), 22232: new ScriptedProxy(), unix: new ScriptedProxy() }
const directory = mkdtempSync(join(tmpdir(), 'ng-'))
let module: KamailioModule

beforeAll(async () => {
  const path = join(directory, 'ng.sock')
  await proxies.unix.listenUnix(path)
  module = await loadModule({
    rtpproxy_sock: [
      `udp:127.0.0.1:${await proxies[22231].listenUdp()}`,
      `2 == udp:127.0.0.1:${await proxies[22232].listenUdp()}`,
      `3 == unix:${path}`,
    ],
    extra_id_pv: '$avp(extra_id)',
  })
})

afterAll(async () => {
  await module.close()
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
  rmSync(directory, { recursive: true })
})

async function run(call: ModuleCall) {
  const nodes = Object.entries(proxies)
  for (const [, proxy] of nodes) {
    proxy.payloads.length = 0
    proxy.script = scripts[call.proxy]
  }
  const avp = call.extra_id === null ? {} : { extra_id: call.extra_id }
  const msg = module.message(bytes(call.sip_in), { address: call.source, port: 5060 }, { avp })
  if (call.set !== null) await module.set_rtp_proxy_set(msg, call.set)
  let ret: number
  let rtpstat: string | null = null
  switch (call.func) {
    case 'offer':
      ret = await module.rtpproxy_offer(msg, call.flags, call.ip)
      break
    case 'answer':
      ret = await module.rtpproxy_answer(msg, call.flags, call.ip)
      break
    case 'destroy':
      ret = await module.rtpproxy_destroy(msg, call.flags)
      break
    case 'manage':
      ret = await module.rtpproxy_manage(msg, call.flags, call.ip)
      break
    case 'record':
      ret = await module.start_recording(msg)
      break
    case 'stat':
      rtpstat = await module.pv(msg, '$rtpstat')
      ret = rtpstat === null ? -1 : 1
  }
  const sent = nodes.flatMap(([node, { payloads }]) =>
    payloads.map((payload) => ({ node, payload: payload.toString('latin1') })),
  )
  return { ret, rtpstat, sent, message: SipMessage.parse(msg.buffer, { address: call.source }), msg }
}

describe('the module, as recorded from Kamailio 4.1.5', () => {
  it.each(moduleCalls.map((call) => [`${call.id} ${call.name}`, call] as const))('%s', async (_, call) => {
    const { ret, rtpstat, sent, message, msg } = await run(call)
    const recorded = call.ng_out.map(({ node, payload }) => ({
      node: String(node),
      payload: bytes(payload).toString('latin1'),
    }))
    expect(sent).toEqual(recorded)
    expect(ret).toBe(call.ret)
    expect(module.lastError(msg) === undefined).toBe(call.ret === 1)
    expect(message.body.toString('latin1')).toBe(bytes(call.body_out).toString('latin1'))
    expect(message.header('Content-Length') ?? message.header('l')).toBe(call.content_length_out)
    if (call.rtpstat) expect(rtpstat).toBe(call.rtpstat)
  })
})

interface Sequence {
  readonly name: string
  readonly flags: string | null
  readonly steps: readonly {
    readonly msg: string
    readonly commands: readonly {
      command: string
      'from-tag': string
      'to-tag': string
      'via-branch': string
    }[]
  }[]
}

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function sequenceMessage(step: string, number: number): Buffer {
  const [what = '', sdp = ''] = step.split(' sdp=')
  const isRequest = !/^[0-9]/.test(what)
  const caller = `z9hG4bKc0000${number}-a84b4c76e66710@pc33.atlanta.example.com`
  const body = sdp === 'True' ? SDP : ''
  const head = [
    isRequest ? `${what} sip:bob@biloxi.example.com SIP/2.0` : `SIP/2.0 ${what} X`,
    ...(isRequest
      ? []
      : ['Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK81cf.7cd728fb28f9b92ef29c4aaf3f052459.0']),
    `Via: SIP/2.0/UDP 127.0.0.1:5091;branch=${caller}`,
    'From: <sip:alice@atlanta.example.com>;tag=1928301774',
    `To: <sip:bob@biloxi.example.com>${isRequest ? '' : ';tag=314159to'}`,
    `Call-ID: sequence-${number}`,
    'CSeq: 314159 INVITE',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

describe('rtpproxy_manage over whole transactions', () => {
  const sequences = readVectors<Sequence[]>('manage-sequences.json')
  const cases = sequences.flatMap((sequence, i) =>
    (['its own memory', "the caller's transaction object"] as const).map((memory) => ({
      sequence,
      memory,
      number: i + 1,
    })),
  )
  it.each(cases)('$sequence.name, with $memory', async ({ sequence, memory, number }) => {
    const proxy = proxies[22231]
    proxy.script = scripts.ok
    const transaction = memory === 'its own memory' ? {} : { transaction: {} }
    const source = { address: '127.0.0.1' }
    for (const step of sequence.steps) {
      proxy.payloads.length = 0
      const bytesIn = sequenceMessage(step.msg, number)
      await module.rtpproxy_manage(module.message(bytesIn, source, transaction), sequence.flags)
      if (step.msg.startsWith('486')) {
        const invite = sequenceMessage('INVITE sdp=True', number)
        await module.rtpproxy_manage(
          module.message(invite, source, { route: 'failure', ...transaction }),
          sequence.flags,
        )
      }
      const sent = proxy.payloads.map((payload) => {
        const text = payload.toString('latin1')
        const value = (key: string) => {
          const found = new RegExp(`${key.length}:${key}([0-9]+):`).exec(text)
          return found === null ? '' : text.substr(found.index + found[0].length, Number(found[1]))
        }
        return {
          command: value('command'),
          'from-tag': value('from-tag'),
          'to-tag': value('to-tag'),
          'via-branch': value('via-branch'),
        }
      })
      expect(sent, step.msg).toEqual(step.commands)
    }
  })
})
