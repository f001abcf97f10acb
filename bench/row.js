// What a row of the benchmark is, and what comes of it. A row says what is done and by whom; how long, how often and in
// what order is for `measure.js`, and whether it was good enough for `judge.js`.

/**
 * How well we must do beside a peer, or by a figure of our own.
 *
 * @typedef {object} Goal
 * @property {number} [atLeast] times as good as the peer
 * @property {number} [atMost] more than the peer, or than zero if there is none, in the unit of the row
 * @property {number} [reached] what is reached instead of a target that is out of reach
 * @property {string} [why] and what stands in the way
 */

/**
 * @typedef {object} Sample
 * @property {number} value in the unit of the row
 * @property {number} [cpuUs] microseconds of CPU for each transaction, of this process
 */

/**
 * One who does the work of a row: with `run` once, with `sample` for about so many milliseconds.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {Goal} [goal] ours beside this one
 * @property {() => unknown} [run] timed as it is
 * @property {(ms: number) => Promise<Sample>} [sample] measures by itself
 * @property {(theirs: unknown, ours: unknown) => void} [agrees] throws if its answer is not ours; default: deep equality
 */

/**
 * @typedef {object} Row
 * @property {string} group
 * @property {string} name
 * @property {'ns' | '/s' | 'ms' | 'bytes'} unit
 * @property {Contender} ours
 * @property {Contender[]} peers
 * @property {Goal} [goal] of our figure alone
 * @property {boolean} [alone] whether it is measured in a process of its own
 * @property {number} [rounds] at most, where a round takes long
 * @property {() => Promise<() => Promise<void>>} [open] prepares, and returns what cleans up
 */

/**
 * Ours beside one peer, or alone.
 *
 * @typedef {object} Finding
 * @property {string} group
 * @property {string} row
 * @property {Row['unit']} unit
 * @property {Sample} ours
 * @property {string | undefined} peer
 * @property {Sample | undefined} theirs
 * @property {number} score a ratio, or for `atMost` a figure in `unit`
 * @property {[number, number]} spread first and third quartile of the scores of the rounds
 * @property {Goal | undefined} goal
 * @property {import('./judge.js').Verdict} verdict
 */

export {}
