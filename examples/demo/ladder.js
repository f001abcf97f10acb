// Prints a call as a ladder: who sent what to whom, and what the media proxy changed in the SDP.

import pc from 'picocolors'

const COLUMNS = ['alice', 'proxy', 'media', 'bob']
const WIDTH = 26

/** @param {string} text */
const visible = (text) => text.length

export function ladderHead() {
  const names = { alice: 'Alice', proxy: 'SIP proxy', media: 'media proxy', bob: 'Bob' }
  const head = COLUMNS.map((column) => names[/** @type {keyof typeof names} */ (column)].padEnd(WIDTH)).join(
    '',
  )
  return `${pc.bold(head.trimEnd())}\n${bars()}`
}

function bars() {
  return COLUMNS.map(() => '|'.padEnd(WIDTH))
    .join('')
    .trimEnd()
}

/**
 * One arrow, with what it carries on it.
 *
 * @param {string} from
 * @param {string} to
 * @param {string} label
 */
export function ladderArrow(from, to, label) {
  const a = COLUMNS.indexOf(from)
  const b = COLUMNS.indexOf(to)
  const [left, right] = a < b ? [a, b] : [b, a]
  const room = (right - left) * WIDTH - 1
  const text = ` ${label} `
  const dashes = Math.max(2, room - visible(text) - 1)
  const before = '-'.repeat(Math.floor(dashes / 2))
  const after = '-'.repeat(Math.ceil(dashes / 2))
  const arrow = a < b ? `${before}${text}${after}>` : `<${before}${text}${after}`
  const row = COLUMNS.map((_, i) => {
    if (i < left || i >= right) return '|'.padEnd(WIDTH)
    return i === left ? `|${arrow}` : ''
  }).join('')
  return row.trimEnd()
}

/**
 * The SDP lines that differ, below the arrow that changed them.
 *
 * @param {Buffer} before
 * @param {Buffer} after
 */
export function sdpChanges(before, after) {
  const old = before.toString('latin1').split(/\r?\n/)
  const now = after.toString('latin1').split(/\r?\n/)
  const indent = `|${' '.repeat(WIDTH - 1)}|   `
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => indent + pc.red(`- ${line}`)),
    ...now.filter((line) => !old.includes(line)).map((line) => indent + pc.green(`+ ${line}`)),
  ]
}
