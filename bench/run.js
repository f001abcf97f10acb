// npm run bench [-- --only TEXT] [-- --json] [-- --svg] [-- --smoke]: see README.md beside this file.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { leftOut } from './contenders/native.js'
import { passes } from './judge.js'
import { measure } from './measure.js'
import { reasons, table } from './report.js'
import { rows } from './rows/all.js'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    row: { type: 'string' },
    json: { type: 'boolean' },
    svg: { type: 'boolean' },
    smoke: { type: 'boolean' },
  },
})
const FULL = { rounds: 15, roundMs: 200 }
const SHORT = { rounds: 5, roundMs: 40 }
const AGAIN = { rounds: 15, roundMs: 60 }

/**
 * A neighbour's burst can spoil a short run, so a row that falls below its floor has a second, longer one, which counts.
 *
 * @param {import('./row.js').Row} row
 */
async function smoke(row) {
  const findings = await measure(row, SHORT)
  return passes(findings) ? findings : measure(row, AGAIN)
}

/**
 * A row in a process of its own: what the compiler has learnt from the rows before, and the heap they leave, are none of its
 * business. `--row` is what that process is told.
 *
 * @param {import('./row.js').Row} row
 * @returns {import('./row.js').Finding[]}
 */
function alone(row) {
  const parameters = [fileURLToPath(import.meta.url), '--json', '--row', row.name]
  if (options.smoke) parameters.push('--smoke')
  return JSON.parse(
    execFileSync(process.execPath, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  )
}

/** @param {import('./row.js').Row} row */
function isWanted({ group, name }) {
  if (options.row !== undefined) return name === options.row
  return options.only === undefined || `${group} ${name}`.includes(options.only)
}

/** @type {import('./row.js').Finding[]} */
const findings = []
for (const row of rows) {
  if (!isWanted(row)) continue
  if (row.alone === true && options.row === undefined) findings.push(...alone(row))
  else findings.push(...(await (options.smoke ? smoke(row) : measure(row, FULL))))
}

if (options.json) console.log(JSON.stringify(findings, null, 2))
else {
  console.log(table(findings))
  for (const line of [...reasons(findings), ...leftOut()]) console.log(pc.dim(line))
}
if (options.svg) {
  const { writeCharts } = await import('./charts.js')
  for (const file of writeCharts(findings)) console.error(`wrote ${file}`)
}
if (options.smoke && options.row === undefined && !passes(findings)) process.exitCode = 1
