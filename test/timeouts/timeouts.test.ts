import { request } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type MediaTimeout, MediaTimeouts } from '../../src/timeouts/timeouts.ts'
import { timeoutOf } from '../../src/timeouts/xml-rpc.ts'

/** As rtpengine writes it. */
const methodCall = (method: string, ...values: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<methodCall>\r\n<methodName>${method}</methodName>\r\n<params>\r\n${values
    .map((value) => `<param><value><string>${value}</string></value></param>\r\n`)
    .join('')}</params>\r\n</methodCall>\r\n`

describe('what rtpengine says of the end of a call', () => {
  const source = '192.0.2.1'

  it.each([
    ['by its Call-ID', methodCall('teardown', 'one@x'), 'one@x', []],
    ['by the name OpenSIPS has for that', methodCall('rtpengine:teardown', 'one@x'), 'one@x', []],
    [
      'by Call-ID and tags',
      methodCall('dlg.terminate_dlg', 'one@x', 'alice', 'bob'),
      'one@x',
      ['alice', 'bob'],
    ],
    ['by a tag', methodCall('di', 'sbc', 'postControlCmd', 'alice', 'teardown'), undefined, ['alice']],
    [
      'with all that XML has to escape',
      methodCall('teardown', 'a&amp;&lt;b&gt;"&quot;&apos;&#233;&#xE9;&#x1F600;@x'),
      'a&<b>""\'éé😀@x',
      [],
    ],
    [
      'in a value without a type',
      '<methodCall><methodName> teardown </methodName><params><param><value>one</value></param></params></methodCall>',
      'one',
      [],
    ],
  ])('is understood %s', (_, xml, callId, tags) => {
    expect(timeoutOf(xml, source)).toEqual({ callId, tags, source })
  })

  it.each([
    [''],
    [methodCall('teardown')],
    [methodCall('teardown', '')],
    [methodCall('dlg.terminate_dlg', '')],
    [methodCall('di', 'sbc', 'postControlCmd', 'alice', 'reload')],
    [methodCall('di', 'sbc', 'postControlCmd')],
    [methodCall('core.shutdown', 'one@x')],
    [methodCall('constructor', 'one@x')],
  ])('is nothing in %j', (xml) => {
    expect(timeoutOf(xml, source)).toBeUndefined()
  })

  it('keeps entities that are none as they are', () => {
    expect(timeoutOf(methodCall('teardown', '&#x110000;&nbsp;&;&constructor;'), source)?.callId).toBe(
      '&#x110000;&nbsp;&;&constructor;',
    )
  })

  it('is read in no time and without an exception, whatever it is', () => {
    const piece = fc.constantFrom(
      '<value>',
      '<string>',
      '<methodName>',
      '</methodName>',
      ' ',
      '&',
      '&#',
      '<',
      'teardown',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 200 }), (pieces) => {
        timeoutOf(pieces.join(''), source)
      }),
    )
    const before = performance.now()
    for (const part of ['<value>', '<value>   ', '<methodName>', '&#', ' ', '<value><string>'])
      timeoutOf(part.repeat(16_384 / part.length), source)
    expect(performance.now() - before).toBeLessThan(500)
  })
})

describe('the listener for ended calls', () => {
  let timeouts = new MediaTimeouts({ listen: 'http://127.0.0.1:0' })
  afterEach(() => timeouts.close())

  const started = async (options: Partial<ConstructorParameters<typeof MediaTimeouts>[0]> = {}) => {
    timeouts = new MediaTimeouts({ listen: 'http://127.0.0.1:0', ...options })
    const told: MediaTimeout[] = []
    timeouts.on('timeout', (timeout) => told.push(timeout))
    await timeouts.start()
    return told
  }
  const post = (body: string, headers: Record<string, string> = {}, method = 'POST') =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const sent = request(
        timeouts.url!,
        { method, headers: { 'content-type': 'text/xml', ...headers } },
        (response) => {
          let text = ''
          response.on('data', (part) => {
            text += part
          })
          response.on('end', () => resolve({ status: response.statusCode, text }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })

  it('tells of each, and answers what rtpengine is content with', async () => {
    const told = await started()
    expect(timeouts.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/$/)
    const answered = await post(methodCall('teardown', 'one@x'))
    expect([answered.status, answered.text]).toEqual([
      200,
      expect.stringMatching(/<methodResponse><params>.*ok/),
    ])
    await post(methodCall('dlg.terminate_dlg', 'two@x', 'a', 'b'), {
      'content-type': 'text/xml; charset=utf-8',
    })
    expect(told).toEqual([
      { callId: 'one@x', tags: [], source: '127.0.0.1' },
      { callId: 'two@x', tags: ['a', 'b'], source: '127.0.0.1' },
    ])
    expect(timeouts.counters).toEqual({ received: 2, refused: 0, malformed: 0 })
  })

  it('answers with a fault what it does not understand, and goes on', async () => {
    const told = await started()
    expect((await post(methodCall('reboot', 'one@x'))).text).toContain('<fault>')
    expect((await post('', {}, 'GET')).status).toBe(400)
    // A page in a browser can send this to another site.
    expect((await post(methodCall('teardown', 'one@x'), { 'content-type': 'text/plain' })).status).toBe(400)
    expect(told).toEqual([])
    await post(methodCall('teardown', 'one@x'))
    expect([told.length, timeouts.counters]).toEqual([1, { received: 4, refused: 0, malformed: 3 }])
  })

  it('reads no more than an event can have', async () => {
    const told = await started()
    const large = methodCall('teardown', 'x'.repeat(20_000))
    expect((await post(large).catch(() => ({ status: 413 }))).status).toBe(413)
    expect([told, timeouts.counters.malformed]).toEqual([[], 1])
  })

  it('believes only the addresses it was told of', async () => {
    const told = await started({ from: ['192.0.2.1'] })
    expect((await post(methodCall('teardown', 'one@x'))).status).toBe(403)
    expect([told, timeouts.counters]).toEqual([[], { received: 1, refused: 1, malformed: 0 }])
  })

  it('leaves what a listener throws to the process, behind the answer', async () => {
    await started()
    timeouts.on('timeout', () => {
      throw new Error('mine')
    })
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
    try {
      expect((await post(methodCall('teardown', 'one@x'))).status).toBe(200)
      expect(await thrown).toMatchObject({ message: 'mine' })
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  it('closes at once, whoever is connected, and can be closed before it was started', async () => {
    await started()
    const { port } = new URL(timeouts.url!)
    const idle = connect(Number(port), '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    const gone = new Promise((resolve) => idle.once('close', resolve))
    idle.on('error', () => undefined)
    await timeouts.close()
    await gone
    expect(timeouts.url).toBeUndefined()
    const never = new MediaTimeouts({ listen: 'http://[::1]:0' })
    const starting = never.start()
    await never.close()
    await starting
    expect(never.url).toBeUndefined()
  })

  it('says which port it cannot have, and can be started again', async () => {
    await started()
    const second = new MediaTimeouts({ listen: timeouts.url!.slice(0, -1) })
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await timeouts.close()
    await second.start()
    expect(second.url).toMatch(/^http:/)
    await second.close()
  })

  it.each([
    [undefined, 'listen'],
    [{ listen: '127.0.0.1:0' }, 'listen'],
    [{ listen: 'http://localhost:0' }, 'listen'],
    [{ listen: 'http://127.0.0.1:70000' }, 'listen'],
    [{ listen: 'http://127.0.0.1:0', from: 'all' }, 'from'],
    [{ listen: 'http://127.0.0.1:0', from: ['host'] }, 'from'],
  ])('refuses the options %j', (options, option) => {
    const make = () => new MediaTimeouts(options as ConstructorParameters<typeof MediaTimeouts>[0])
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_OPTION', option }))
  })
})
