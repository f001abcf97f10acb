// node bench/native/run.js [--json]
//
// Yardsticks in C: what GNU oSIP and libre need to parse the phone's INVITE, and what bencode costs by hand. Built where there
// is a compiler and the library (Debian: libosip2-dev, libre-dev, pkg-config, gcc); else the row says what is missing.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @typedef {{name: string, ns: number | undefined, note: string}} NativeRow */

const PROGRAMS = [
  { source: 'osip.c', name: 'libosip2: parse', library: 'libosip2' },
  { source: 're.c', name: 'libre: parse', library: 'libre' },
  { source: 'bencode.c', name: 'C by hand', library: undefined },
]

/** @param {string} program @param {string[]} args */
function output(program, args) {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** @param {string | undefined} library */
function flagsOf(library) {
  return library === undefined
    ? []
    : output('pkg-config', ['--cflags', '--libs', library]).split(/\s+/).filter(Boolean)
}

/**
 * Builds the yardsticks in a directory of their own and runs them one after the other.
 *
 * @param {Buffer} message a SIP message with SDP
 * @returns {NativeRow[]}
 */
export function nativeRows(message) {
  const directory = mkdtempSync(join(tmpdir(), 'rtpproxy-ng-native-'))
  try {
    const input = join(directory, 'message.sip')
    writeFileSync(input, message)
    return PROGRAMS.flatMap(({ source, name, library }) => {
      try {
        const program = join(directory, source.replace('.c', ''))
        const path = fileURLToPath(new URL(source, import.meta.url))
        output('cc', ['-std=gnu11', '-O2', '-o', program, path, ...flagsOf(library)])
        const lines = output(program, [input]).trim().split('\n')
        return lines.map((line) => ({ ...JSON.parse(line), note: library ?? '' }))
      } catch (error) {
        return [{ name, ns: undefined, note: `left out: ${reason(error)}` }]
      }
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** @param {unknown} error */
function reason(error) {
  const { code, path, stderr, message } = /** @type {NodeJS.ErrnoException & {stderr?: string}} */ (error)
  if (code === 'ENOENT') return `there is no ${path}`
  return (stderr || message).trim().split('\n')[0] ?? ''
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { phoneInvite } = await import('../inputs/phone-invite.js')
  const rows = nativeRows(phoneInvite)
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2))
  else for (const { name, ns, note } of rows) console.log(`${name.padEnd(28)} ${ns ?? '-'} ns  ${note}`)
}
