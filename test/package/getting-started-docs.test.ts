import { describe, expect, it } from 'vitest'
import { readPage, run, snippetsOf } from './pages.ts'

const [alone = '', server = ''] = snippetsOf(readPage('docs/getting-started.md'))

describe('the first page', () => {
  it('has a call that runs as it stands', () => {
    expect(run(alone)).toMatch(/^Bob sends to \d+, Alice to \d+\n$/)
  })

  it('has the core of a SIP proxy, which puts the media proxy into what it forwards', () => {
    const output = run(`
      import { FakeRtpEngine } from 'rtpproxy-ng/testing'
      const engine = new FakeRtpEngine()
      await engine.start()
      process.env.RTPENGINE = engine.urls[0]
      ${server.replace('sip.bind(5060', 'sip.bind(0')}
      const forward = async (message) => {
        console.log(String(message).includes('m=audio 4000'), message.indexOf('INVITE'))
        sip.close()
        await media.close()
        await engine.close()
      }
      sip.once('listening', () => sip.send('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n', sip.address().port, '127.0.0.1'))`)
    expect(output).toBe('false 0\n')
  })
})
