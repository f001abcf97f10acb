// Whether a figure is good enough.

/** A smoke run fails where a row falls below this part of its target (or of what is reached instead). */
const TOLERANCE = 0.8

/**
 * @typedef {object} Verdict
 * @property {'met' | 'missed' | 'no target'} outcome
 * @property {number} missedBy part of the target, 0 if it is met
 * @property {number | undefined} floor the worst score a smoke run lets pass
 * @property {boolean} lost whether the score is worse than that
 */

/**
 * @param {number} score
 * @param {import('./row.js').Goal | undefined} goal
 * @returns {Verdict}
 */
export function judge(score, goal) {
  if (goal?.atLeast !== undefined) {
    const floor = TOLERANCE * Math.min(goal.atLeast, goal.reached ?? goal.atLeast)
    return verdict(score >= goal.atLeast, 1 - score / goal.atLeast, floor, !(score >= floor))
  }
  if (goal?.atMost !== undefined) {
    const ceiling = Math.max(goal.atMost, goal.reached ?? goal.atMost) / TOLERANCE
    return verdict(score <= goal.atMost, score / goal.atMost - 1, ceiling, !(score <= ceiling))
  }
  return { outcome: 'no target', missedBy: 0, floor: undefined, lost: false }
}

/**
 * @param {boolean} met
 * @param {number} missedBy
 * @param {number} floor
 * @param {boolean} lost
 * @returns {Verdict}
 */
function verdict(met, missedBy, floor, lost) {
  return { outcome: met ? 'met' : 'missed', missedBy: met ? 0 : missedBy, floor, lost }
}

/** @param {readonly import('./row.js').Finding[]} findings */
export function passes(findings) {
  return findings.every(({ verdict }) => !verdict.lost)
}
