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

/** Without colours, which CI turns on, and the blanks that fill the last column up. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/ +$/gm, '')
}

/** What `rtpproxy-ng ARGS` writes, and its exit code. */
export async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new Collector(), new Collector()]
  const demo = new URL('../../examples/demo/demo.js', import.meta.url)
  const code = await run(args, { stdout, stderr, demo })
  return { code, out: plain(stdout.text), err: plain(stderr.text) }
}
