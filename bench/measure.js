import assert from 'node:assert/strict'
import { Bench } from 'tinybench'
import { judge } from './judge.js'

// Contenders take turns in short rounds, in another order each time, so that what else the machine does meets all alike;
// what counts is the ratio inside a round, and of those the median.

/** @typedef {import('./row.js').Contender} Contender */
/** @typedef {import('./row.js').Finding} Finding */
/** @typedef {import('./row.js').Goal} Goal */
/** @typedef {import('./row.js').Row} Row */
/** @typedef {import('./row.js').Sample} Sample */

/** One call of the clock must be small beside what it measures. */
const BATCH_NS = 50_000
const WARM_UP_MS = 100

/** Keeps results alive, so that no compiler drops the work. */
export let sink = /** @type {unknown} */ (undefined)

/**
 * Throws if one of the row's contenders gives another answer than ours.
 *
 * @param {Row} row
 */
export function compare(row) {
  const { ours, peers } = row
  if (ours.run === undefined) return
  for (const { name, run, agrees } of peers) {
    if (run === undefined) continue
    const answer = ours.run()
    try {
      if (agrees === undefined) assert.deepEqual(run(), answer)
      else agrees(run(), answer)
    } catch (cause) {
      throw new Error(`${row.name}: ${name} gives another answer`, { cause })
    }
  }
}

/**
 * @param {Row} row
 * @param {{rounds: number, roundMs: number}} options
 * @returns {Promise<Finding[]>}
 */
export async function measure(row, { rounds, roundMs }) {
  compare(row)
  const contenders = [row.ours, ...row.peers]
  const samplers = contenders.map(sampler)
  /** @type {Sample[][]} */
  const samples = contenders.map(() => [])
  const close = await row.open?.()
  try {
    const turns = Math.min(rounds, row.rounds ?? rounds)
    for (let round = 0; round < turns; round++) {
      for (let i = 0; i < contenders.length; i++) {
        const turn = (round + i) % contenders.length
        samples[turn]?.push(await /** @type {(ms: number) => Promise<Sample>} */ (samplers[turn])(roundMs))
      }
    }
  } finally {
    await close?.()
  }
  const [ours = [], ...theirs] = samples
  const findings = row.peers.map((peer, i) => finding(row, ours, peer, theirs[i] ?? []))
  if (row.goal !== undefined || row.peers.length === 0) findings.unshift(finding(row, ours, undefined, []))
  return findings
}

/**
 * @param {Row} row
 * @param {Sample[]} ours
 * @param {Contender | undefined} peer
 * @param {Sample[]} theirs
 * @returns {Finding}
 */
function finding(row, ours, peer, theirs) {
  const goal = peer === undefined ? row.goal : peer.goal
  const scores = ours.map(({ value }, round) => {
    const other = theirs[round]?.value ?? 0
    if (peer === undefined) return value
    if (goal?.atMost !== undefined) return value - other
    return row.unit === '/s' ? value / other : other / value
  })
  const score = quantile(scores, 0.5)
  return {
    group: row.group,
    row: row.name,
    unit: row.unit,
    ours: median(ours),
    peer: peer?.name,
    theirs: peer === undefined ? undefined : median(theirs),
    score,
    spread: [quantile(scores, 0.25), quantile(scores, 0.75)],
    goal,
    verdict: judge(score, goal),
  }
}

/** @param {Sample[]} samples @returns {Sample} */
function median(samples) {
  const value = quantile(
    samples.map((sample) => sample.value),
    0.5,
  )
  const cpu = samples.flatMap(({ cpuUs }) => cpuUs ?? [])
  return cpu.length === 0 ? { value } : { value, cpuUs: quantile(cpu, 0.5) }
}

/**
 * @param {readonly number[]} numbers
 * @param {number} part from 0 to 1
 */
export function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN
}

/**
 * @param {Contender} contender
 * @returns {(ms: number) => Promise<Sample>}
 */
function sampler({ name, run, sample }) {
  if (sample !== undefined) return sample
  if (run === undefined) throw new Error(`${name} does nothing`)
  const batch = warmUp(run)
  return async (ms) => {
    const bench = new Bench({ time: ms, iterations: 1, warmup: false })
    bench.add(name, () => repeat(run, batch))
    const [task] = bench.runSync()
    const result = task?.result
    if (result === undefined || !('latency' in result)) throw new Error(`${name} did not run`)
    // The mean, not the median: what the garbage collector takes is part of the price.
    return { value: (result.latency.mean * 1e6) / batch }
  }
}

/**
 * @param {() => unknown} run
 * @returns how many runs make a batch
 */
function warmUp(run) {
  const started = performance.now()
  let runs = 0
  while (performance.now() - started < WARM_UP_MS) {
    repeat(run, 100)
    runs += 100
  }
  const ns = ((performance.now() - started) * 1e6) / runs
  return Math.max(1, Math.round(BATCH_NS / ns))
}

/**
 * @param {() => unknown} run
 * @param {number} times
 */
function repeat(run, times) {
  for (let i = 0; i < times; i++) sink = run()
}
