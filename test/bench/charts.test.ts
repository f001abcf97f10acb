import { expect, it } from 'vitest'
import { chart } from '../../bench/charts.js'
import type { Finding } from '../../bench/row.js'

const findings: Finding[] = [
  {
    group: 'SDP',
    row: 'a <phone>',
    unit: 'ns',
    ours: { value: 400 },
    peer: 'pure JS',
    theirs: { value: 1000 },
    score: 2.5,
    spread: [2, 3],
    goal: undefined,
    verdict: { outcome: 'no target', missedBy: 0, floor: undefined, lost: false },
  },
]

it('a chart names who took how long, and is the same for the same findings', () => {
  const svg = chart('SDP', findings)
  expect(svg).toContain('>rtpproxy-ng<')
  expect(svg).toContain('>1,000 (2.5 x)<')
  expect(svg).toContain('a &lt;phone&gt;')
  expect(chart('SDP', findings)).toBe(svg)
})
