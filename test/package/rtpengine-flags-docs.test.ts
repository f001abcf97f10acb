import { describe, expect, it } from 'vitest'
import { parseKamailioFlags } from '../../src/protocol/rtpengine-flags/kamailio.ts'
import { parseOpenSipsFlags } from '../../src/protocol/rtpengine-flags/opensips.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/rtpengine-flags.md')
const code = (cell = ''): string => cell.replaceAll('`', '')

describe('the page on rtpengine flags', () => {
  const kamailio = tableOf(page, 'Kamailio').map(([text, sends]) => [code(text), code(sends)] as const)
  const openSips = tableOf(page, 'OpenSIPS').map(([text, sends]) => [code(text), code(sends)] as const)

  it('has tables', () => {
    expect(kamailio.length).toBeGreaterThan(20)
    expect(openSips.length).toBeGreaterThan(10)
  })

  it.each(kamailio)('tells what %s of Kamailio sends', (text, sends) => {
    expect(JSON.stringify(parseKamailioFlags(text, 'offer').parameters)).toBe(sends)
  })

  it.each(openSips)('tells what %s of OpenSIPS sends', (text, sends) => {
    expect(JSON.stringify(parseOpenSipsFlags(text, 'offer').parameters)).toBe(sends)
  })

  it('names no item beside the dictionary that Kamailio would send in it', () => {
    const rows = tableOf(page, 'Kamailio, beside the dictionary')
    const items = rows.flatMap(([items = '']) => items.split(', ').map(code))
    expect(items).toHaveLength(13)
    for (const item of items) {
      const { parameters, ...rest } = parseKamailioFlags(item, 'offer')
      expect(parameters, item).toEqual({})
      expect(rest, item).not.toEqual({ ...parseKamailioFlags('', 'offer'), parameters: undefined })
    }
  })

  it('has code that runs', () => {
    const [offer = '', printing = ''] = snippetsOf(page)
    const start = `
      import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
      import { FakeRtpEngine } from 'rtpproxy-ng/testing'
      const engine = new FakeRtpEngine()
      await engine.start()
      const media = new RtpProxyNg({ sockets: engine.urls })
      await media.start()
      const invite = SipMessage.parse(Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'), { address: '127.0.0.1' })
    `
    const end = `
      console.log(JSON.stringify((await engine.received('offer')).parameters['via-branch']))
      await media.close()
      await engine.close()
    `
    expect(run(`${start}${offer}${end}`)).toBe('"z9hG4bK1"\n')
    const printed = [...printing.matchAll(/\/\/ (.*)/g)].map(([, text]) => text)
    expect(printed).toHaveLength(3)
    expect(run(printing)).toBe(`${printed.join('\n')}\n`)
  })
})
