import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../free-port.ts'
import { findProgram, RtpEngine } from './program.ts'

const CALLS_PER_SECOND = 50
const SECONDS = 20
const CALLS = CALLS_PER_SECOND * SECONDS

const sipp = findProgram('sipp', 'sip-tester')
const rtpengine = findProgram('rtpengine', 'rtpengine-daemon')

function run(args: readonly string[], cwd: string) {
  const child = spawn('sipp', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  return { child, exit: once(child, 'exit') as Promise<[number | null]>, output: () => output }
}

describe.skipIf(sipp === undefined || rtpengine === undefined)(
  'sipp through the example proxy and a real rtpengine',
  () => {
    it(`makes ${CALLS} calls at ${CALLS_PER_SECOND} a second, none failed`, { timeout: 90_000 }, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'sipp-'))
      const engine = await RtpEngine.start(24000)
      const [uasPort, uacPort, proxyPort] = [await freePort(), await freePort(), await freePort()]
      const proxy = spawn(
        process.execPath,
        [
          'examples/sip-proxy/main.js',
          '--rtpengine',
          engine.url,
          '--listen',
          `127.0.0.1:${proxyPort}`,
          '--next',
          `127.0.0.1:${uasPort}`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      let said = ''
      proxy.stdout.on('data', (text) => {
        said += text
      })
      await expect.poll(() => said, { timeout: 10_000 }).toContain('SIP proxy on')

      const uas = run(['-sn', 'uas', '-i', '127.0.0.1', '-p', String(uasPort), '-nostdin'], directory)
      const statistics = join(directory, 'uac.csv')
      const uac = run(
        [
          ...['-sn', 'uac', `127.0.0.1:${proxyPort}`, '-i', '127.0.0.1', '-p', String(uacPort), '-nostdin'],
          ...['-r', String(CALLS_PER_SECOND), '-m', String(CALLS), '-d', '500', '-l', '500'],
          ...['-trace_stat', '-stf', statistics, '-fd', '1', '-trace_err'],
        ],
        directory,
      )
      const [code] = await uac.exit
      uas.child.kill('SIGTERM')
      await uas.exit
      const proxyExit = once(proxy, 'exit')
      proxy.kill('SIGTERM')
      await proxyExit
      await engine.stop()

      const errors = readdirSync(directory).filter((name) => name.endsWith('_errors.log'))
      const log = errors
        .map((name) => readFileSync(join(directory, name), 'utf8'))
        .join('')
        .slice(0, 2000)
      expect(code, `${uac.output().slice(-2000)}\n${log}`).toBe(0)
      const [head = '', ...rows] = readFileSync(statistics, 'utf8').trim().split('\n')
      const last = rows.at(-1)!.split(';')
      const value = (column: string) => Number(last[head.split(';').indexOf(column)])
      expect({ successful: value('SuccessfulCall(C)'), failed: value('FailedCall(C)') }).toEqual({
        successful: CALLS,
        failed: 0,
      })
      const counters = JSON.parse(said.slice(said.indexOf('{')))
      expect(counters).toMatchObject({ rejected: 0, dropped: 0, mediaFailures: 0 })
      console.log(
        `sipp: ${CALLS} calls at ${CALLS_PER_SECOND}/s, 0 failed; proxy: ${JSON.stringify(counters)}`,
      )
      rmSync(directory, { recursive: true })
    })
  },
)
