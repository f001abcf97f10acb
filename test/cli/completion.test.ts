import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { command } from './command.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))

/** What the last word may become, and whether it may be a file. */
async function complete(...words: string[]): Promise<{ found: string[]; mayBeFile: boolean }> {
  const lines = (await command('complete', '--', ...words)).out.trimEnd().split('\n')
  return { found: lines.slice(0, -1).map((line) => line.split('\t')[0]!), mayBeFile: lines.at(-1) === ':0' }
}

describe('completion', () => {
  it.each<[string[], string[], boolean]>([
    [['pi'], ['ping'], false],
    [['dr'], ['drain'], false],
    [['comp'], ['completion'], false],
    [['--json', 'sh'], ['show'], false],
    [['offer', '--a'], ['--as'], false],
    [['offer', 'x', '--rt'], ['--rtpengine', '--rtpengine-flags'], false],
    [['ping', '--j'], ['--json'], false],
    [['offer', '--as', 'an'], ['answer'], false],
    [['offer', '--as', '=', 'an'], ['answer'], false],
    [['offer', '--rtpengine', 'u'], [], false],
    [['offer', 'inv'], [], true],
    [['offer', '--as', 'offer', ''], [], true],
    [['decode', ''], [], true],
    [['check', '--json', './k'], [], true],
    [['completion', ''], ['bash', 'zsh', 'fish', 'powershell'], false],
    [['ping', ''], [], false],
    [['nonsense', 'x'], [], false],
  ])('of %j', async (words, found, mayBeFile) => {
    expect(await complete(...words)).toEqual({ found, mayBeFile })
  })

  it.each(['zsh', 'fish', 'powershell'])('has a script for %s', async (shell) => {
    const { stdout } = await run(process.execPath, [program, 'completion', shell])
    expect(stdout).toContain('rtpproxy-ng complete')
  })
})

describe('completion in bash', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'completion-'))
    const shim = join(directory, 'rtpproxy-ng')
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
    chmodSync(shim, 0o755)
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  /** Presses Tab behind the last word: `compopt` works while bash completes, and is heard here instead. */
  async function tab(...words: string[]): Promise<string[]> {
    const script = `
      set -eu
      source <(rtpproxy-ng completion bash)
      source <(rtpproxy-ng completion bash)
      compopt() { echo "compopt $*"; }
      COMP_WORDS=(rtpproxy-ng "$@") COMP_CWORD=$#
      _rtpproxy_ng_complete
      ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"
      complete -p rtpproxy-ng`
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` }
    const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', ...words], { env })
    expect(stderr).toBe('')
    return stdout.trimEnd().split('\n')
  }
  const registered = 'complete -o default -F _rtpproxy_ng_complete rtpproxy-ng'

  it('gives commands and choices, and leaves files to bash', async () => {
    expect(await tab('pi')).toEqual(['compopt +o default', 'ping', registered])
    expect(await tab('offer', '--as', 'an')).toEqual(['compopt +o default', 'answer', registered])
    expect(await tab('offer', '')).toEqual([registered])
  })

  it('runs nothing that stands in the line', async () => {
    const file = join(directory, 'made')
    await tab('ping', `$(touch ${file})`, `;touch ${file};`, "'", '')
    expect(existsSync(file)).toBe(false)
  })
})
