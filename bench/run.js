// npm run bench [-- --only TEXT] [-- --json] [-- --svg] [-- --smoke]: see README.md beside this file.

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

/** @type {import('./row.js').Finding[]} */
const findings = []
for (const row of rows) {
  if (options.only !== undefined && !`${row.group} ${row.name}`.includes(options.only)) continue
  findings.push(...(await (options.smoke ? smoke(row) : measure(row, FULL))))
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
if (options.smoke && !passes(findings)) process.exitCode = 1
