import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { run } from '../../src/cli/program.ts'

class Collector extends Writable {
  text = ''
  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.text += chunk
    done()
  }
}

/** What `rtpproxy-ng ARGS` writes, and its exit code. */
export async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new Collector(), new Collector()]
  const demo = new URL('../../examples/demo/demo.js', import.meta.url)
  const code = await run(args, { stdout, stderr, demo })
  return { code, out: stripVTControlCharacters(stdout.text), err: stripVTControlCharacters(stderr.text) }
}
