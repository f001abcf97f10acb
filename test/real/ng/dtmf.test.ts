import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { DtmfEvents } from '../../../src/dtmf/events.ts'
import { RtpProxyNg } from '../../../src/module/client.ts'
import { NgClient } from '../../../src/ng/client.ts'
import { freePort } from '../../free-port.ts'
import { findProgram } from '../program.ts'
import { Phone } from './phone.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')

it.skipIf(program === undefined)(
  'reads each key pressed in a real call once, told over UDP and TCP',
  async () => {
    await using events = new DtmfEvents({ listen: 'udp:127.0.0.1:0', from: ['127.0.0.1'] })
    await events.start()
    const [ng, tcp] = [await freePort(), await freePort()]
    const directory = mkdtempSync(join(tmpdir(), 'rtpengine-'))
    const child = spawn(
      'rtpengine',
      [
        '--foreground',
        '--log-stderr',
        '--log-level=4',
        '--table=-1',
        '--config-file=none',
        '--interface=127.0.0.1',
        `--listen-ng=127.0.0.1:${ng}`,
        `--listen-tcp-ng=127.0.0.1:${tcp}`,
        `--dtmf-log-dest=${events.url}`,
        '--dtmf-log-ng-tcp',
        '--port-min=24000',
        '--port-max=27999',
        '--delete-delay=0',
        `--pidfile=${join(directory, 'pid')}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const [alice, bob] = [await Phone.open(1), await Phone.open(2)]
    try {
      await using client = new NgClient(`udp:127.0.0.1:${ng}`, { deadlineMs: 200 })
      for (let tries = 0; tries < 100; tries++) {
        if (await client.ping().catch(() => undefined)) break
        await delay(50)
      }
      // Two connections: each brings every event.
      await using first = new NgClient(`tcp:127.0.0.1:${tcp}`, { dtmf: events })
      await using second = new RtpProxyNg({ sockets: `tcp:127.0.0.1:${tcp}`, dtmf: events })
      await Promise.all([first.ping(), second.start()])
      const reader = events.of('keys')
      const call = { 'call-id': 'keys', 'from-tag': 'a' }
      bob.connect((await client.offer({ ...call, sdp: alice.sdp, label: 'caller' })).sdp)
      alice.connect((await client.answer({ ...call, 'to-tag': 'b', sdp: bob.sdp })).sdp)
      await alice.talk(bob)
      await bob.talk(alice)
      const digits: string[] = []
      for (const code of [1, 1, 11, 15]) {
        await alice.press(code, bob)
        const { value } = await reader.next()
        expect(value).toMatchObject({ sourceTag: 'a', code, durationMs: 100, volume: -10 })
        digits.push(value!.digit)
      }
      expect(digits.join('')).toBe('11#D')
      await expect
        .poll(() => events.counters)
        .toMatchObject({ received: 12, repeated: 8, malformed: 0, dropped: 0 })
      expect(first.droppedReplies.foreign + second.droppedReplies.foreign).toBe(0)
    } finally {
      alice.close()
      bob.close()
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
      rmSync(directory, { recursive: true })
    }
  },
  20_000,
)
