import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { RtpProxyNg } from '../../src/module/client.ts'
import { NgClient } from '../../src/ng/client.ts'

const closing: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

/** A node that speaks JSON, and what it was asked. */
async function jsonNode(reply: (asked: Record<string, unknown>) => string) {
  const asked: Record<string, unknown>[] = []
  const socket = createSocket('udp4')
  socket.on('message', (datagram, from) => {
    const text = datagram.toString()
    const space = text.indexOf(' ')
    asked.push(JSON.parse(text.slice(space + 1)))
    socket.send(`${text.slice(0, space)} ${reply(asked.at(-1)!)}`, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(socket)
  return { asked, url: `udp:127.0.0.1:${socket.address().port}` }
}

async function clientOf(reply: (asked: Record<string, unknown>) => string) {
  const { asked, url } = await jsonNode(reply)
  const client = new NgClient(url, { coding: 'json', attempts: 1 })
  closing.push(client)
  return { asked, client }
}

describe('commands in JSON', () => {
  it('say what they say in bencode, and so do the replies', async () => {
    const { asked, client } = await clientOf(() =>
      JSON.stringify({
        result: 'ok',
        sdp: 'v=0\r\n',
        n: 7,
        big: 2 ** 60,
        half: 1.5,
        yes: true,
        no: null,
        l: [1, null],
      }),
    )
    const reply = await client.offer({
      'call-id': 'ä',
      'from-tag': 'f',
      sdp: 'v=0\r\n',
      flags: ['trust-address'],
      codec: { strip: ['PCMA'] },
      TOS: 184,
      big: 2n ** 60n,
      'record call': 'yes',
    })
    expect(asked).toEqual([
      {
        supports: ['load limit'],
        'call-id': 'ä',
        'from-tag': 'f',
        sdp: 'v=0\r\n',
        flags: ['trust-address'],
        codec: { strip: ['PCMA'] },
        TOS: 184,
        big: String(2n ** 60n),
        'record call': 'yes',
        command: 'offer',
      },
    ])
    expect(reply).toEqual({
      result: 'ok',
      sdp: 'v=0\r\n',
      n: 7,
      big: 1152921504606847000n,
      half: '1.5',
      yes: 1,
      l: [1, ''],
    })
  })

  it('get counters beyond 2^53 exactly, and text as it is', async () => {
    const { client } = await clientOf(
      () =>
        '{"result":"ok","a":9007199254740993,"b":[-9223372036854775808,7],"c":18446744073709551615,"d":"9007199254740993","e":"\\"1234567890123456789\\"","f":1e30,"9007199254740993":12345678901234567.5}',
    )
    expect(await client.query({ 'call-id': 'a' })).toEqual({
      result: 'ok',
      a: 9007199254740993n,
      b: [-9223372036854775808n, 7],
      c: '18446744073709551615',
      d: '9007199254740993',
      e: '"1234567890123456789"',
      f: '1e+30',
      '9007199254740993': '12345678901234568',
    })
  })

  it('carry a file as base64, and refuse other bytes that are no text', async () => {
    const { asked, client } = await clientOf(() => '{"result":"ok"}')
    await client.playMedia({ 'call-id': 'a', blob: Buffer.from([0xff, 0, 1]) })
    expect(asked[0]).toEqual({ 'call-id': 'a', blob64: '/wAB', command: 'play media' })
    const refused = client.query({ 'call-id': 'a', 'from-tag': Buffer.from([0xff]) })
    await expect(refused).rejects.toMatchObject({ cause: { message: expect.stringContaining('from-tag') } })
  })

  it.each(['{', '[1]', 'd6:result2:ok', `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`, '"ok"'])(
    'are not answered by %s',
    async (text) => {
      const { client } = await clientOf(() => text)
      await expect(client.ping()).rejects.toMatchObject({ code: 'ERR_RTPPROXY_REPLY' })
    },
  )

  it('do for a whole set of media proxies', async () => {
    const { asked, url } = await jsonNode(({ command }) =>
      JSON.stringify({ result: command === 'ping' ? 'pong' : 'ok' }),
    )
    const media = new RtpProxyNg({ sockets: url, coding: 'json' })
    closing.push(media)
    await media.start()
    await media.blockMedia({ 'call-id': 'a', 'from-tag': 'f' })
    expect(asked.map(({ command }) => command)).toEqual(['ping', 'block media'])
  })

  it('are refused where rtpengine would never answer them', async () => {
    for (const url of ['tcp:127.0.0.1:1', 'unix:/run/ng.sock', 'udp:127.0.0.1:1|tcp:127.0.0.1:2'])
      expect(() => new NgClient(url, { coding: 'json' })).toThrow(
        expect.objectContaining({ option: 'coding' }),
      )
    const media = new RtpProxyNg({ sockets: 'udp:127.0.0.1:1', coding: 'json' })
    closing.push(media)
    await media.start()
    await expect(media.setNodes('tcp:127.0.0.1:1')).rejects.toMatchObject({ option: 'coding' })
    expect(media.show()).toHaveLength(1)
  })
})
