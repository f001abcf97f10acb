import { expect, it } from 'vitest'
import { readPage, run, snippetsOf } from './pages.ts'

const [udp = '', drachtio = '', sides = '', sip = ''] = snippetsOf(readPage('docs/embedding.md'))

it('the page on embedding has code for those who have bytes', () => {
  const output = run(`
    ${udp}
    import { RtpProxyNg } from 'rtpproxy-ng'
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    const engine = new FakeRtpEngine()
    await engine.start()
    const media = new RtpProxyNg({ sockets: engine.urls, timeoutMs: 500, attempts: 1 })
    await media.start()
    const sdp = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
    const message = (method) => Buffer.from(method + ' sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 ' + method + '\\r\\nContent-Type: application/sdp\\r\\n\\r\\n' + sdp)
    const peer = { address: '127.0.0.1', port: 5060 }
    console.log((await throughMedia(media, message('INVITE'), peer)).bytes.includes('m=audio 4000'))
    await engine.stop()
    console.log(await throughMedia(media, message('INVITE'), peer), await throughMedia(media, Buffer.from('x'), peer))
    console.log((await throughMedia(media, message('UPDATE'), peer)).bytes.includes('m=audio 4000'))
    await media.close()
    await engine.close()`)
  expect(output).toBe('false\n{ status: 503 } { status: undefined }\ntrue\n')
})

it('the page on embedding has code for drachtio-srf that is put together right', () => {
  // There is no drachtio server here, so the B2BUA is called by hand.
  const program = drachtio
    .replace("import Srf from 'drachtio-srf'", 'const invites = []')
    .replace(
      /const srf = new Srf\(\)\n.*\n.*\n/,
      'const srf = { invite: (route) => invites.push(route), createB2BUA: async () => { throw new Error("refused") } }\n',
    )
    .replace("'udp:127.0.0.1:2223'", 'url')
  const raw =
    'INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
  const output = run(`
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    const engine = new FakeRtpEngine()
    await engine.start()
    const [url] = engine.urls
    ${program}
    await invites[0]({ raw: '${raw}', source_address: '127.0.0.1', source_port: 5060, on() {} }, { send: (status) => console.log(status) })
    console.log(engine.commands.map(({ command }) => command).join())
    await media.close()
    await engine.close()`)
  expect(output).toBe('503\nping,offer,delete\n')
})

it('the page on embedding has options that fit a browser and a phone', () => {
  const output = run(`
    import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    ${sides}
    const engine = new FakeRtpEngine()
    await engine.start()
    const media = new RtpProxyNg({ sockets: engine.urls, strict: true })
    await media.start()
    const invite = SipMessage.parse(Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'), { address: '127.0.0.1' })
    for (const options of Object.values(browserCallsPhone)) {
      await media.offer(invite, options)
      const { parameters } = engine.commands.at(-1)
      console.log(parameters['transport-protocol'], parameters.ice)
    }
    await media.close()
    await engine.close()`)
  expect(output).toBe('RTP/AVP remove\nUDP/TLS/RTP/SAVPF force\n')
})

it('the page on embedding has code for the package sip that runs', () => {
  const output = run(`
    ${sip.replace("import sip from 'sip'", "import sip from 'sip/sip.js'")}
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    const engine = new FakeRtpEngine()
    await engine.start()
    const media = new RtpProxyNg({ sockets: engine.urls })
    await media.start()
    const sdp = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
    const invite = sip.parse('INVITE sip:b@c SIP/2.0\\r\\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\nContent-Length: ' + sdp.length + '\\r\\n\\r\\n' + sdp)
    await throughMedia(media, invite, { address: '127.0.0.1', port: 5060 })
    console.log(invite.content.includes('m=audio 4000'), invite.headers['content-length'] === invite.content.length)
    await media.close()
    await engine.close()
    process.exit()`)
  expect(output).toBe('false true\n')
})
