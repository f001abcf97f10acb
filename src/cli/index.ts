#!/usr/bin/env node
import { run } from './program.ts'

/** As a shell has it for who writes where nobody reads (128 and SIGPIPE): no failure of ours to tell of. */
const READER_GONE = 141
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? READER_GONE : 1))

// Files of the build stand side by side.
process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  demo: new URL('demo-call.js', import.meta.url),
})
