import Table from 'cli-table3'
import pc from 'picocolors'

// The findings as a table for people. Nothing is left out: a missed target stands beside those that are met.

/** @typedef {import('./row.js').Finding} Finding */
/** @typedef {import('./row.js').Sample} Sample */

/** @param {readonly Finding[]} findings */
export function table(findings) {
  const table = new Table({
    head: ['', 'rtpproxy-ng', 'beside', 'that', 'ratio (quartiles)', 'target', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'left', 'right', 'right', 'right', 'left'],
  })
  let group = ''
  let row = ''
  for (const finding of findings) {
    if (finding.group !== group) table.push([{ colSpan: 7, content: pc.bold(finding.group) }])
    const first = finding.row !== row
    group = finding.group
    row = finding.row
    table.push([
      first ? finding.row : '',
      first ? amount(finding.ours, finding.unit) : '',
      finding.peer ?? '',
      finding.theirs === undefined ? '' : amount(finding.theirs, finding.unit),
      `${score(finding)} ${spread(finding)}`,
      target(finding),
      outcome(finding),
    ])
  }
  return table.toString()
}

/**
 * Why targets are missed that are known to be out of reach, a line each.
 *
 * @param {readonly Finding[]} findings
 */
export function reasons(findings) {
  return findings
    .filter(({ goal, verdict }) => verdict.outcome === 'missed' && goal?.why !== undefined)
    .map(({ row, peer, goal, verdict }) => {
      const beside = peer === undefined ? '' : `, beside ${peer}`
      return `${row}${beside}: misses the target by ${percent(verdict.missedBy)}: ${goal?.why}`
    })
}

/** @param {Sample} sample @param {Finding['unit']} unit */
function amount({ value, cpuUs }, unit) {
  const text = `${number(value)} ${unit}`
  return cpuUs === undefined ? text : `${text}, ${cpuUs.toFixed(1)} µs CPU`
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 })
}

/** @param {Finding} finding */
function score({ score, goal, peer, unit }) {
  if (peer === undefined) return `${number(score)} ${unit}`
  return goal?.atMost === undefined ? `${score.toFixed(2)} x` : `+${number(score)} ${unit}`
}

/** @param {Finding} finding */
function spread({ spread, goal, peer }) {
  const ratio = peer !== undefined && goal?.atMost === undefined
  return `(${spread.map((edge) => (ratio ? edge.toFixed(2) : number(edge))).join(' to ')})`
}

/** @param {Finding} finding */
function target({ goal, unit }) {
  if (goal?.atLeast !== undefined) return `>= ${goal.atLeast} x`
  return goal?.atMost === undefined ? '' : `<= ${number(goal.atMost)} ${unit}`
}

/** @param {Finding} finding */
function outcome({ verdict }) {
  if (verdict.outcome === 'no target') return ''
  if (verdict.outcome === 'met') return pc.green('met')
  const missed = `misses by ${percent(verdict.missedBy)}`
  return verdict.lost ? pc.red(`${missed}, too far`) : pc.yellow(missed)
}

/** @param {number} part */
function percent(part) {
  return `${(part * 100).toFixed(0)} %`
}
