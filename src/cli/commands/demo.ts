import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ExitCode } from '../outcome.ts'

/** The demonstration is a program of its own: it says itself whether all was well. */
export async function demo(
  program: URL,
  { rtpengine, json }: { rtpengine?: string; json?: boolean },
): Promise<ExitCode> {
  const args = [...(rtpengine === undefined ? [] : ['--rtpengine', rtpengine]), ...(json ? ['--json'] : [])]
  const child = spawn(process.execPath, [fileURLToPath(program), ...args], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code === 0 ? 0 : 1
}
