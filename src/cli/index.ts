#!/usr/bin/env node
import { run } from './program.ts'

// Files of the build stand side by side.
process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  demo: new URL('demo-call.js', import.meta.url),
})
