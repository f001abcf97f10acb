import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { NgClient } from '../../src/ng/index.ts'
import { SDP } from '../diagnostics/scene.ts'
import { plain } from './command.ts'

const program = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))
const run = promisify(execFile)

/** The lines a program has written, as they come. */
async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of child.stdout!) {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop()!
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

it('shells complete commands and options', async () => {
  const complete = async (...words: string[]) =>
    (await run(process.execPath, [program, 'complete', '--', ...words])).stdout
  expect(await complete('pi')).toMatch(/^ping\t/)
  expect(await complete('offer', '--a')).toMatch(/^--as\t/)
  for (const shell of ['bash', 'zsh', 'fish'])
    expect((await run(process.execPath, [program, 'completion', shell])).stdout).toContain('rtpproxy-ng')
})

it('what bash is given is a script of bash', async () => {
  const { stdout } = await run(process.execPath, [program, 'completion', 'bash'])
  await run('bash', ['-n', '-c', stdout])
})
