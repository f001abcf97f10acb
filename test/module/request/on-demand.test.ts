import { expect, it } from 'vitest'
import { run } from '../../package/pages.ts'

/** What a program of its own prints: in this one all is loaded already. */
function inFreshProcess(body: string): string {
  return run(`
    import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
    import { FakeRtpEngine } from 'rtpproxy-ng/testing'
    const engine = new FakeRtpEngine()
    await engine.start()
    const media = new RtpProxyNg({ sockets: engine.urls })
    await media.start()
    const sdp = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n'
    const message = (method) => SipMessage.parse(Buffer.from(method + ' sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 ' + method + '\\r\\nContent-Type: application/sdp\\r\\n\\r\\n' + sdp), { address: '127.0.0.1' })
    ${body}
    await media.close()
    await engine.close()`)
}

it('no command overtakes the one before, though that waits for what makes it to be loaded', () => {
  const output = inFreshProcess(`
    await Promise.all([
      media.offer(message('INVITE'), { rtpengineFlags: 'replace-origin' }),
      media.offer(message('INVITE'), { flags: 'co' }),
      media.query({ 'call-id': 'x' }),
      media.destroy(message('BYE')),
    ])
    console.log(engine.commands.map(({ command, parameters }) => command + ' ' + (parameters.replace ?? '')).join())`)
  expect(output).toBe('ping ,offer origin,offer session-connection,origin,query ,delete \n')
})

it('what is wrong with the first command that needs more than the module had rejects it', () => {
  const output = inFreshProcess(`
    await media.offer(message('INVITE'), { rtpengineFlags: '=' }).catch(({ code }) => console.log(code))
    await media.query({ 'call-id': 'y' }).catch(({ reason }) => console.log(reason))`)
  expect(output).toBe('ERR_RTPPROXY_FLAG\nUnknown call-id\n')
})

it('no command overtakes those that wait, though it comes when all is loaded and they have not had their turn', async () => {
  const { inTurn } = await import('../../../src/module/request/on-demand.ts')
  const order: string[] = []
  const turn = (name: string, isNeeded: boolean) =>
    inTurn<void>(isNeeded, (resolve) => {
      order.push(name)
      resolve()
    })
  const direct: Promise<void>[] = []
  // Comes in between at each of the moments there are around that of the loading.
  const meddle = import('../../../src/module/request/beyond.ts').then(async () => {
    for (let moment = 0; moment < 50; moment++) {
      direct.push(turn(`direct ${moment}`, false))
      await undefined
    }
  })
  const waiting = [turn('first', true), turn('second', true)]
  await Promise.all([...waiting, meddle])
  await Promise.all(direct)
  expect(order.slice(0, 3)).toEqual(['first', 'second', 'direct 0'])
})
