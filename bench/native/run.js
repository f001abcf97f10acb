// node bench/native/run.js [--json]
//
// Yardsticks in C: what GNU oSIP and libre need to parse the phone's INVITE, and what bencode costs by hand. Built where there
// is a compiler and the library (Debian: libosip2-dev, libre-dev, pkg-config, gcc); else the row says what is missing.

import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @typedef {{source: string, library: string | undefined, names: string[]}} Program */

/** @type {Program[]} */
const PROGRAMS = [
  { source: 'osip.c', library: 'libosip2', names: ['libosip2: parse'] },
  { source: 're.c', library: 'libre', names: ['libre: parse'] },
  {
    source: 'bencode.c',
    library: undefined,
    names: ['C by hand: encode an offer', 'C by hand: decode a reply'],
  },
]

/**
 * A yardstick: `ns` runs its program for some 0.2 seconds and gives the nanoseconds of its median round. `missing` says why it
 * could not be built.
 *
 * @typedef {{name: string, ns: () => number, missing?: undefined} | {name: string, missing: string}} Yardstick
 */

/** @param {string} program @param {string[]} parameters */
function output(program, parameters) {
  return execFileSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/**
 * Builds the yardsticks where the project keeps what can be made again. Each file takes its name only when it is whole, since a
 * bench and the tests may build at once.
 *
 * @param {Buffer} message a SIP message with SDP
 * @returns {Yardstick[]}
 */
export function yardsticks(message) {
  const directory = fileURLToPath(new URL('../../node_modules/.cache/rtpproxy-ng', import.meta.url))
  mkdirSync(directory, { recursive: true })
  const input = join(directory, 'message.sip')
  const unfinished = `${input}.${process.pid}`
  writeFileSync(unfinished, message)
  renameSync(unfinished, input)
  /** @param {Program} program @returns {Yardstick[]} */
  const build = ({ source, library, names }) => {
    const program = join(directory, source.replace('.c', ''))
    const unfinished = `${program}.${process.pid}`
    try {
      const path = fileURLToPath(new URL(source, import.meta.url))
      const flags = library === undefined ? '' : output('pkg-config', ['--cflags', '--libs', library])
      output('cc', ['-std=gnu11', '-O2', '-o', unfinished, path, ...flags.split(/\s+/).filter(Boolean)])
      renameSync(unfinished, program)
    } catch (error) {
      return names.map((name) => ({ name, missing: reason(error) }))
    }
    return names.map((name) => ({ name, ns: () => run(program, input, name) }))
  }
  return PROGRAMS.flatMap(build)
}

/** @param {string} program @param {string} input @param {string} name */
function run(program, input, name) {
  for (const line of output(program, [input]).trim().split('\n')) {
    const said = JSON.parse(line)
    if (said.name === name) return Number(said.ns)
  }
  throw new Error(`${program} says nothing of '${name}'`)
}

/** @param {unknown} error */
function reason(error) {
  const { code, path, stderr, message } = /** @type {NodeJS.ErrnoException & {stderr?: string}} */ (error)
  if (code === 'ENOENT') return `there is no ${path}`
  return (stderr || message).trim().split('\n')[0] ?? ''
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { phoneInvite } = await import('../inputs/phone-invite.js')
  const rows = yardsticks(phoneInvite).map((one) =>
    one.missing === undefined ? { name: one.name, ns: one.ns() } : one,
  )
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2))
  else
    for (const row of rows)
      console.log(`${row.name.padEnd(28)} ${'ns' in row ? `${row.ns} ns` : `left out: ${row.missing}`}`)
}
