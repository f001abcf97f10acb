import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'
import { ConfigurationError, RtpProxyNgError } from '../../src/errors.ts'
import { RtpProxyNg, SipMessage } from '../../src/index.ts'
import { EmbeddedRelay, type EmbeddedRelayOptions, type RelayCall } from '../../src/relay/index.ts'
import { hasIpv6, type NgRequest, sdpOf, UdpClient, unixRequest } from './client.ts'

const SDP = sdpOf('127.0.0.1', 'm=audio 5004 RTP/AVP 0')
const offer = (callId: string, more: NgRequest = {}): NgRequest => ({
  command: 'offer',
  'call-id': callId,
  'from-tag': 'a',
  sdp: SDP,
  ...more,
})
const failed = (reason: string) => ({ result: 'error', 'error-reason': reason })

let directory: string
let path: string
let relay: EmbeddedRelay
let client: UdpClient

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relay-'))
  path = join(directory, 'ng')
  relay = new EmbeddedRelay({ listen: ['udp:127.0.0.1:0', `unix:${path}`] })
  await relay.start()
  client = new UdpClient(relay.urls[0]!)
})

afterEach(async () => {
  client.close()
  await relay.close()
  await rm(directory, { recursive: true })
})

/** A relay of its own for one test, and a client to it. */
async function withRelay(
  options: EmbeddedRelayOptions,
  test: (relay: EmbeddedRelay, client: UdpClient) => Promise<void>,
): Promise<void> {
  await using other = new EmbeddedRelay(options)
  await other.start()
  const otherClient = new UdpClient(other.urls[0]!)
  try {
    await test(other, otherClient)
  } finally {
    otherClient.close()
  }
}

describe('over UDP', () => {
  it('answers with the cookie of the command', async () => {
    expect(String(await client.datagram('any-cookie d7:command4:pinge'))).toBe('any-cookie d6:result4:ponge')
  })

  it('answers a repeated cookie again and does its command once', async () => {
    const created: RelayCall[] = []
    relay.on('call:created', (call) => created.push(call))
    const command = (callId: string) => Buffer.concat([Buffer.from('same '), encode(offer(callId))])
    const first = await client.datagram(command('one'))
    expect(await client.datagram(command('one'))).toEqual(first)
    expect(await client.datagram(command('two'))).toEqual(first)
    expect(created.map(({ callId }) => callId)).toEqual(['one'])
    expect(relay.calls).toHaveLength(1)
  })

  it('does a command once that is repeated before it is answered', async () => {
    const datagram = Buffer.concat([Buffer.from('twice '), encode(offer('one'))])
    const replies: Buffer[] = []
    client.socket.on('message', (reply) => replies.push(reply))
    client.send(datagram)
    client.send(datagram)
    while (replies.length < 2) await once(client.socket, 'message')
    expect(replies[0]).toEqual(replies[1])
    expect(relay.calls).toHaveLength(1)
  })

  it('forgives what is missing or too much at the end of a dictionary', async () => {
    for (const payload of [
      'd7:command4:ping',
      'd1:xl7:padding',
      'd1:xle7:command4:ping',
      'd7:command4:pingejunk',
    ]) {
      const reply = String(await client.payload(payload))
      if (payload.includes('padding')) expect(reply).toContain('no key "command"')
      else expect(reply).toBe('d6:result4:ponge')
    }
    expect(String(await client.payload('d7:command4:pin'))).toContain('Could not decode bencode dictionary')
  })

  it('drops what has no cookie', async () => {
    client.send('d7:command4:pinge')
    client.send(' d7:command4:pinge')
    client.send('')
    expect(String(await client.datagram('x d7:command4:pinge'))).toBe('x d6:result4:ponge')
  })

  it('answers JSON with JSON', async () => {
    const reply = await client.payload(JSON.stringify({ ...offer('jsön'), sdp: SDP.toString() }))
    expect(JSON.parse(String(reply))).toMatchObject({ result: 'ok', sdp: expect.stringContaining('v=0') })
    expect(relay.calls[0]!.callId).toBe('jsön')
    const query = await client.payload('{"command":"query","call-id":"js\\u00f6n"}')
    expect(Object.keys(JSON.parse(String(query)).tags)).toEqual(['a', '<untagged 1>'])
  })

  it('gives an SDP of any bytes back as it was', async () => {
    const odd = Buffer.concat([Buffer.from('a=x:'), Buffer.from([0xff, 0xfe, 0, 0x80]), Buffer.from('\r\n')])
    const reply = await client.payload(encode(offer('odd', { sdp: Buffer.concat([SDP, odd]) })))
    expect(reply.includes(odd)).toBe(true)
  })

  it('comes to no harm from whatever is sent to it', async () => {
    const words = [
      'd',
      'e',
      'l',
      'i1',
      '7:command',
      '5:offer',
      '6:answer',
      '6:delete',
      '5:query',
      '3:sdp',
      '{',
      '}',
    ]
    const piece = fc.oneof(
      fc.constantFrom(...words),
      fc.string(),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const reply = await client.payload(Buffer.from(pieces.join(''), 'latin1'))
        expect(reply[0] === 0x64 || reply[0] === 0x7b).toBe(true)
      }),
      { numRuns: 300 },
    )
    const mutated = fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom('', 'm=', '\n', '65535', 'c=', '\0'))
    await fc.assert(
      fc.asyncProperty(mutated, async ([place, removed, inserted]) => {
        const text = SDP.toString('latin1')
        const at = place % text.length
        const sdp = text.slice(0, at) + inserted + text.slice(at + removed)
        const reply = await client.request(offer('mangled', { sdp: Buffer.from(sdp, 'latin1') }))
        expect(['ok', 'error']).toContain(reply.result)
      }),
      { numRuns: 200 },
    )
    expect(await client.request({ command: 'ping' })).toEqual({ result: 'pong' })
    expect(relay.calls.length).toBeLessThanOrEqual(1)
  })

  it('takes tags for what they are, even those that JavaScript objects are born with', async () => {
    await client.request(offer('__proto__', { 'from-tag': '__proto__' }))
    const reply = decode(await client.payload(encode({ command: 'query', 'call-id': '__proto__' })), {
      encoding: 'latin1',
      dictionaries: 'map',
    }) as Map<string, Map<string, unknown>>
    expect([...reply.get('tags')!.keys()]).toEqual(['__proto__', '<untagged 1>'])
  })
})

describe('over TCP', () => {
  it('answers what comes back to back, and closes a connection with too much of an unfinished message', async () => {
    await withRelay({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] }, async (other, otherClient) => {
      const connection = connect(Number(other.urls[1]!.split(':')[2]), '127.0.0.1')
      let received = ''
      connection.on('data', (chunk) => {
        received += chunk.toString()
      })
      connection.write('1 d7:command4:pinge2 d7:command4:pinge3 d7:comm')
      while (!received.includes('2 d6:result4:ponge')) await once(connection, 'data')
      connection.write('and4:pinge')
      while (!received.includes('3 ')) await once(connection, 'data')
      expect(received).toBe('1 d6:result4:ponge2 d6:result4:ponge3 d6:result4:ponge')
      expect(String(await otherClient.datagram('3 zzz'))).toBe('3 d6:result4:ponge')
      connection.write('x'.repeat(1025))
      await once(connection, 'close')
    })
  })

  it.runIf(hasIpv6)('listens on IPv6', async () => {
    await using other = new EmbeddedRelay({ listen: 'tcp6:[::1]:0' })
    await other.start()
    expect(other.urls[0]).toMatch(/^tcp6:\[::1\]:[1-9][0-9]*$/)
  })
})

describe('over a UNIX socket', () => {
  it('takes one dictionary and gives one', async () => {
    const reply = decode(await unixRequest(path, [encode(offer('unix'))]), 'latin1')
    expect(reply).toMatchObject({ result: 'ok', sdp: expect.stringContaining('m=audio ') })
    expect(relay.calls).toHaveLength(1)
  })

  it('puts a dictionary together that comes in pieces', async () => {
    const bytes = encode(offer('pieces'))
    const reply = await unixRequest(path, [bytes.subarray(0, 9), bytes.subarray(9, 60), bytes.subarray(60)])
    expect(decode(reply, 'latin1')).toMatchObject({ result: 'ok' })
  })

  it('refuses what is no dictionary, or too large', async () => {
    expect(String(await unixRequest(path, [Buffer.from('zzzz')]))).toContain('Invalid NG data format')
    const large = Buffer.concat([Buffer.from('d3:sdp70000:'), Buffer.alloc(70000)])
    expect(String(await unixRequest(path, [large]))).toContain('Could not decode bencode dictionary')
  })

  it('refuses a dictionary that ends early', async () => {
    const connection = connect(path)
    connection.end('d7:command4:pin')
    const [reply] = (await once(connection, 'data')) as [Buffer]
    expect(String(reply)).toContain('Could not decode bencode dictionary')
  })

  it('lets a client go that goes', async () => {
    const connection = connect(path)
    connection.write('d7:comm')
    await once(connection, 'connect')
    connection.destroy()
    expect(String(await unixRequest(path, [encode({ command: 'ping' })]))).toBe('d6:result4:ponge')
  })

  it('closes connections that say nothing when it closes itself', async () => {
    const connection = connect(path)
    await once(connection, 'connect')
    const closed = once(connection, 'close')
    await relay.close()
    await closed
  })
})

describe('commands', () => {
  it.each([
    ['No SDP body in message', { command: 'offer', 'call-id': 'x', 'from-tag': 'a' }],
    ['No call-id in message', { command: 'query' }],
    ['No call-id in message', { command: 'delete' }],
    ['Unknown call-id', { command: 'query', 'call-id': 'x' }],
    ['Unknown call-id', { command: 'answer', 'call-id': 'x', 'from-tag': 'a', 'to-tag': 'b', sdp: SDP }],
    ["Call-ID not found or tags didn't match", { command: 'delete', 'call-id': 'x', flags: ['fatal'] }],
    ['invalid limit, must be >= 0', { command: 'list', limit: -1 }],
    ['Incomplete SDP specification', offer('x', { sdp: 'v=0\r\nm=audio 5004 RTP/AVP 0\r\n' })],
    ['Failed to parse SDP', offer('x', { sdp: sdpOf('host.example.com', 'm=audio 5004 RTP/AVP 0') })],
    ['Error rewriting SDP', offer('x', { sdp: sdpOf('127.0.0.1') })],
    [
      'Ran out of ports',
      offer('x', { sdp: sdpOf('127.0.0.1', ...Array(33).fill('m=audio 5004 RTP/AVP 0')) }),
    ],
  ] satisfies [string, NgRequest][])('are refused as rtpengine words it: %s', async (reason, request) => {
    expect(await client.request(request)).toEqual(failed(reason))
    expect(relay.calls).toEqual([])
  })

  it('delete only a call whose tags fit', async () => {
    await client.request(offer('one'))
    const other = await client.request({ command: 'delete', 'call-id': 'one', 'from-tag': 'z' })
    expect(other).toEqual({ result: 'ok', warning: "Call-ID not found or tags didn't match" })
    expect(relay.calls).toHaveLength(1)
    const own = await client.request({ command: 'delete', 'call-id': 'one', 'from-tag': 'a' })
    expect(own.totals.RTP).toEqual({ packets: 0, bytes: 0, errors: 0 })
    expect(relay.calls).toHaveLength(0)
  })

  it('delete by the tag of either party', async () => {
    await client.request(offer('one'))
    await client.request({ ...offer('one', { command: 'answer' }), 'to-tag': 'b' })
    expect(relay.calls[0]!.tags).toEqual(['a', 'b'])
    await client.request({ command: 'delete', 'call-id': 'one', 'from-tag': 'b' })
    expect(relay.calls).toHaveLength(0)
  })

  it.each([
    ['by the To tag before the From tag', { 'from-tag': 'z', 'to-tag': 'a' }, 0],
    ['not by the From tag if another To tag has answered', { 'from-tag': 'a', 'to-tag': 'z' }, 1],
    ['by the branch if no tag is known', { 'from-tag': 'z', 'to-tag': 'y', 'via-branch': '1' }, 0],
    ['without a From tag, whatever the To tag', { 'to-tag': 'z' }, 0],
  ])('delete %s', async (_, keys, left) => {
    await client.request(offer('one', { 'via-branch': '1' }))
    await client.request({ ...offer('one', { command: 'answer', 'via-branch': '1' }), 'to-tag': 'b' })
    await client.request({ command: 'delete', 'call-id': 'one', ...keys })
    expect(relay.calls).toHaveLength(left)
  })

  it('delete by the From tag what nobody has answered, whatever the To tag', async () => {
    await client.request(offer('one'))
    await client.request({ command: 'delete', 'call-id': 'one', 'from-tag': 'a', 'to-tag': 'z' })
    expect(relay.calls).toHaveLength(0)
  })

  it('list calls, and only so many', async () => {
    for (const id of ['one', 'two', 'three']) await client.request(offer(id))
    expect((await client.request({ command: 'list' })).calls).toEqual(['one', 'two', 'three'])
    expect((await client.request({ command: 'list', limit: 2 })).calls).toEqual(['one', 'two'])
  })

  it('are kept in order though ports take time to open', async () => {
    const replies: string[] = []
    client.socket.on('message', (reply) => replies.push(String(reply)))
    client.send(Buffer.concat([Buffer.from('1 '), encode(offer('one'))]))
    client.send(Buffer.concat([Buffer.from('2 '), encode({ command: 'delete', 'call-id': 'one' })]))
    while (replies.length < 2) await once(client.socket, 'message')
    expect(replies.map((reply) => reply[0])).toEqual(['1', '2'])
    expect(replies[1]).not.toContain('warning')
    expect(relay.calls).toHaveLength(0)
  })

  it('choose addresses by direction', async () => {
    const interfaces = { internal: '127.0.0.1', external: '127.0.0.2' }
    await withRelay({ interfaces }, async (_, other) => {
      const out = await other.request(offer('one', { direction: ['internal', 'external'] }))
      expect(out.sdp).toContain('c=IN IP4 127.0.0.2\r\n')
      const back = await other.request({ ...offer('one', { command: 'answer' }), 'to-tag': 'b' })
      expect(back.sdp).toContain('c=IN IP4 127.0.0.1\r\n')
      const media = await other.request(offer('one', { 'media address': '203.0.113.9', replace: ['origin'] }))
      expect(media.sdp).toContain('c=IN IP4 203.0.113.9\r\n')
      expect(media.sdp).toContain('o=- 1 1 IN IP4 203.0.113.9\r\n')
    })
  })

  it('are over the load limit when there are too many calls', async () => {
    await withRelay({ maxSessions: 1 }, async (_, other) => {
      expect((await other.request(offer('one'))).result).toBe('ok')
      expect(await other.request(offer('two'))).toEqual(failed('Parallel session limit reached'))
      expect(await other.request(offer('two', { supports: ['load limit'] }))).toEqual({
        result: 'load limit',
        message: 'Parallel session limit reached',
      })
      expect((await other.request(offer('one'))).result).toBe('ok')
    })
  })
})

describe('an idle call', () => {
  it('is deleted, with an event that names it', async () => {
    await withRelay({ idleTimeoutMs: 40 }, async (other, otherClient) => {
      const timeout = once(other, 'call:timeout') as Promise<[RelayCall]>
      const deleted = once(other, 'call:deleted') as Promise<[RelayCall]>
      await otherClient.request(offer('idle'))
      await otherClient.request({ ...offer('idle', { command: 'answer' }), 'to-tag': 'b' })
      expect((await timeout)[0]).toMatchObject({ callId: 'idle', tags: ['a', 'b'] })
      expect((await deleted)[0].callId).toBe('idle')
      expect(other.calls).toEqual([])
      expect(await otherClient.request({ command: 'query', 'call-id': 'idle' })).toEqual(
        failed('Unknown call-id'),
      )
    })
  })

  it('may be silent for longer while it rings or is on hold', async () => {
    await withRelay({ idleTimeoutMs: 20 }, async (other, otherClient) => {
      const timeouts: string[] = []
      other.on('call:timeout', ({ callId }) => timeouts.push(callId))
      const deleted = once(other, 'call:deleted')
      const held = sdpOf('127.0.0.1', 'm=audio 5004 RTP/AVP 0', 'a=inactive')
      await otherClient.request(offer('rings'))
      await otherClient.request(offer('held', { sdp: held }))
      await otherClient.request({ ...offer('held', { command: 'answer' }), 'to-tag': 'b' })
      await otherClient.request(offer('idle'))
      await otherClient.request({ ...offer('idle', { command: 'answer' }), 'to-tag': 'b' })
      // The youngest call is the first to go, so the older ones had their chance.
      await deleted
      expect(timeouts).toEqual(['idle'])
      expect(other.calls.map(({ callId }) => callId)).toEqual(['rings', 'held'])
    })
  })

  it('is deleted even if it only rings, once that takes too long', async () => {
    await withRelay({ silentTimeoutMs: 40 }, async (other, otherClient) => {
      const timeout = once(other, 'call:timeout') as Promise<[RelayCall]>
      await otherClient.request(offer('rings'))
      expect((await timeout)[0].callId).toBe('rings')
    })
  })
})

describe('EmbeddedRelay', () => {
  it('frees every socket when it closes, twice or not', async () => {
    await client.request(offer('one'))
    const [call] = relay.calls
    const deleted = once(relay, 'call:deleted')
    await Promise.all([relay.close(), relay.close()])
    await deleted
    for (const port of [...call!.ports, Number(relay.urls[0]!.split(':')[2])]) {
      const socket = createSocket('udp4')
      socket.bind({ port, address: '127.0.0.1', exclusive: true })
      await once(socket, 'listening')
      socket.close()
    }
    expect(relay.calls).toEqual([])
  })

  it('does not start again after it was closed', async () => {
    await relay.close()
    await expect(relay.start()).rejects.toThrow(RtpProxyNgError)
  })

  it('says which address is taken, and holds none of the others', async () => {
    const second = new EmbeddedRelay({ listen: ['udp:127.0.0.1:0', relay.urls[0]!] })
    await expect(second.start()).rejects.toThrow(/listen.*EADDRINUSE/)
    expect(second.urls).toEqual([])
  })

  it.each([
    ['listen', { listen: 'tcp:[::1]:1' }],
    ['listen', { listen: 'unix6:/x' }],
    ['listen', { listen: 'http:127.0.0.1:1' }],
    ['listen', { listen: 'udp:localhost:1' }],
    ['listen', { listen: 'udp:127.0.0.1:65536' }],
    ['listen', { listen: 'udp6:127.0.0.1:1' }],
    ['address', { address: 'example.com' }],
    ['interfaces', { interfaces: { internal: '' } }],
    ['portMin', { portMin: 1.5, portMax: 20 }],
    ['portMin', { portMax: 20 }],
    ['portMax', { portMin: 21, portMax: 22 }],
    ['idleTimeoutMs', { idleTimeoutMs: 0 }],
    ['maxSessions', { maxSessions: -1 }],
  ])('refuses a wrong option and names it: %s %j', (option, options) => {
    const refused = expect(() => new EmbeddedRelay(options))
    refused.toThrow(ConfigurationError)
    refused.toThrow(expect.objectContaining({ option }))
  })

  it.each(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])(
    'serves the client of this package (%s)',
    async (host) => {
      const listen = host === '::1' ? 'udp6:[::1]:0' : `udp:${host}:0`
      await using other = new EmbeddedRelay({ listen })
      await other.start()
      await using media = new RtpProxyNg({ sockets: [...other.urls] })
      await media.start()
      const head = (start: string, more: string) =>
        `${start}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>${more}\r\nCall-ID: whole\r\n`
      const message = (start: string, more: string, method: string, body: Buffer | string) =>
        SipMessage.parse(
          Buffer.from(
            `${head(start, more)}CSeq: 1 ${method}\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          ),
          { address: '127.0.0.1' },
        )
      const invite = await media.offer(message('INVITE sip:b@h SIP/2.0', '', 'INVITE', SDP), { flags: 'co' })
      expect(String(invite.sdp)).toContain('m=audio ')
      await media.answer(message('SIP/2.0 200 OK', ';tag=b', 'INVITE', SDP), { flags: 'co' })
      const bye = message('BYE sip:b@h SIP/2.0', ';tag=b', 'BYE', '')
      const counters = '0 bytes, 0 packets, 0 errors'
      expect((await media.statistics(bye)).text).toBe(`Input: ${counters}; Output: ${counters}`)
      await media.destroy(bye)
      expect(other.calls).toEqual([])
    },
  )
})
