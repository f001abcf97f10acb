import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { NgClient } from '../../src/ng/index.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { SDP } from '../diagnostics/scene.ts'
import { plain } from './command.ts'

const program = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))
const run = promisify(execFile)

/** The lines a program has written, as they come. */
async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of child.stdout!) {
    rest += chunk
    const lines = rest.split('\n')
    rest = lines.pop()!
    yield* lines
  }
}

it('the built command makes a call from phone to phone', async () => {
  const { stdout } = await run(process.execPath, [program, 'demo'])
  expect(plain(stdout)).toContain('ok      the call was cleared')
})

it('the built command tells why a call cannot be made', async () => {
  const demo = run(process.execPath, [program, 'demo', '--rtpengine', 'udp:127.0.0.1:9'])
  await expect(demo).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('the call failed') })
})

it('the embedded relay runs as a process until it is told to stop, and tells what happens', async () => {
  const child = spawn(process.execPath, [program, 'relay', '--json', '--listen', 'udp:127.0.0.1:0'])
  const lines = linesOf(child)
  const next = async () => JSON.parse((await lines.next()).value)
  const { event, urls } = await next()
  expect(event).toBe('listening')
  const ng = new NgClient(urls[0])
  await ng.offer({ 'call-id': 'one', 'from-tag': 'a', sdp: SDP })
  expect(await next()).toEqual({ event: 'call:created', callId: 'one' })
  await ng.delete({ 'call-id': 'one' })
  expect(await next()).toEqual({ event: 'call:deleted', callId: 'one', packets: 0 })
  await ng.close()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('the built command gives programs what the demonstration has found', async () => {
  const { stdout } = await run(process.execPath, [program, 'demo', '--json'])
  const { node, checks } = JSON.parse(stdout)
  expect(node).toMatch(/^udp:127\.0\.0\.1:/)
  expect(checks.map(({ ok }: { ok: boolean }) => ok)).toEqual(Array(6).fill(true))
})

it.each([
  ['--help', 141],
  ['decode --hex 693165', 141],
  ['demo', 1],
])('the built command ends without a word when nobody reads on: %s', async (args, code) => {
  const child = spawn(process.execPath, [program, ...args.split(' ')])
  child.stdout.destroy()
  const said = text(child.stderr)
  expect(await once(child, 'exit')).toEqual([code, null])
  expect(await said).not.toMatch(/EPIPE| {4}at /)
})

it('a load that is interrupted leaves no calls behind, and tells what there was', async () => {
  const engine = new FakeRtpEngine()
  await engine.start()
  const args = [program, 'bench', '--json', '--calls', '1000000', engine.urls[0]!]
  const child = spawn(process.execPath, args)
  const output = text(child.stdout)
  await engine.received('answer')
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([1, null])
  const { calls, commands } = JSON.parse(await output)
  expect(calls).toBeGreaterThan(0)
  expect(calls).toBeLessThan(1_000_000)
  expect(commands[2]).toMatchObject({ command: 'delete', answered: calls, failed: 0 })
  expect(engine.calls).toEqual([])
  await engine.close()
})
