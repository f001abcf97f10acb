import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

// The findings as bar charts, a file for each group. Each row has a scale of its own, so that all bars are true to length.

/** @typedef {import('./row.js').Finding} Finding */
/** @typedef {{who: string, value: number, label: string}} Bar */

const DIRECTORY = fileURLToPath(new URL('../docs/charts', import.meta.url))
const WIDTH = 760
const LEFT = 150
const BAR = 24
const TITLE = 34
const OURS = '#0b6bcb'
const THEIRS = '#9aa5b1'
const INK = '#1f2933'

const UNITS = {
  ns: 'nanoseconds, shorter is better',
  '/s': 'a second, longer is better',
  ms: 'milliseconds, shorter is better',
  bytes: 'bytes, shorter is better',
}

/**
 * @param {readonly Finding[]} findings
 * @returns {string[]} the files written, docs/charts/*.svg
 */
export function writeCharts(findings) {
  mkdirSync(DIRECTORY, { recursive: true })
  return [...grouped(findings, 'group')].flatMap(([group, members]) => {
    const beside = members.filter(({ peer }) => peer !== undefined)
    if (beside.length === 0) return []
    const file = `${DIRECTORY}/${group.toLowerCase().replaceAll(' ', '-')}.svg`
    writeFileSync(file, `${chart(group, beside)}\n`)
    return file
  })
}

/**
 * The same findings make the same bytes.
 *
 * @param {string} group
 * @param {readonly Finding[]} findings all with a peer
 */
export function chart(group, findings) {
  const { document } = parseHTML('<html><body></body></html>')
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  let top = 0
  for (const [row, members] of grouped(findings, 'row')) {
    const bars = barsOf(members)
    const plot = plotOf(bars, document)
    // Its style sheet is for a page of its own: there `height: auto` suits, here it would stretch every plot.
    plot.querySelector('style')?.remove()
    plot.setAttribute('y', String(top + TITLE))
    const title = document.createElementNS('http://www.w3.org/2000/svg', 'text')
    title.textContent = `${row} (${UNITS[/** @type {Finding} */ (members[0]).unit]})`
    for (const [name, value] of Object.entries({
      x: 12,
      y: top + TITLE - 10,
      fill: INK,
      'font-weight': 600,
    })) {
      title.setAttribute(name, String(value))
    }
    picture.append(title, plot)
    top += TITLE + bars.length * BAR
  }
  const height = top + 12
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  for (const [name, value] of Object.entries({ width: WIDTH, height, fill: 'white' })) {
    ground.setAttribute(name, String(value))
  }
  picture.prepend(ground)
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width: WIDTH,
    height,
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: 'img',
    'aria-label': group,
    'font-family': 'system-ui, sans-serif',
    'font-size': 13,
  }
  for (const [name, value] of Object.entries(attributes)) picture.setAttribute(name, String(value))
  return picture.outerHTML
}

/**
 * @param {readonly Finding[]} findings
 * @param {'group' | 'row'} by
 */
function grouped(findings, by) {
  /** @type {Map<string, Finding[]>} */
  const groups = new Map()
  for (const finding of findings) groups.set(finding[by], [...(groups.get(finding[by]) ?? []), finding])
  return groups
}

/** @param {Finding[]} findings of one row @returns {Bar[]} */
function barsOf(findings) {
  const [first] = findings
  if (first === undefined) return []
  const ours = first.ours.value
  return [
    { who: 'rtpproxy-ng', value: ours, label: number(ours) },
    ...findings.map(({ peer = '', theirs, unit }) => {
      const value = theirs?.value ?? 0
      const ratio = unit === '/s' ? ours / value : value / ours
      return { who: peer, value, label: `${number(value)} (${ratio.toFixed(ratio < 10 ? 1 : 0)} x)` }
    }),
  ]
}

/** @param {Bar[]} bars @param {ReturnType<typeof parseHTML>['document']} document */
function plotOf(bars, document) {
  return Plot.plot({
    document,
    width: WIDTH,
    height: bars.length * BAR,
    marginLeft: LEFT,
    marginRight: 130,
    marginTop: 0,
    marginBottom: 0,
    style: { fontSize: '13px', color: INK, overflow: 'visible' },
    x: { axis: null, zero: true },
    y: { domain: bars.map(({ who }) => who), label: null, tickSize: 0, padding: 0.25 },
    marks: [
      Plot.barX(bars, { x: 'value', y: 'who', fill: ({ who }) => (who === 'rtpproxy-ng' ? OURS : THEIRS) }),
      Plot.text(bars, { x: 'value', y: 'who', text: 'label', textAnchor: 'start', dx: 6, fill: INK }),
    ],
  })
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 })
}
