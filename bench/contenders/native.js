import { phoneInvite } from '../inputs/phone-invite.js'
import { yardsticks } from '../native/run.js'

// C programs beside the rows they belong to. They are no peers in Node: they show what the work costs without it.

/** @type {import('../native/run.js').Yardstick[] | undefined} */
let built

/**
 * The yardsticks called so, as contenders that measure by themselves; none where they cannot be built, and `run.js` says why.
 *
 * @param {string[]} names
 * @returns {import('../row.js').Contender[]}
 */
export function native(...names) {
  built ??= yardsticks(phoneInvite)
  return built.flatMap((one) => {
    if (one.missing !== undefined || !names.includes(one.name)) return []
    return [{ name: `${one.name} (C)`, sample: async () => ({ value: one.ns() }) }]
  })
}

/** Why yardsticks are left out. @returns {string[]} */
export function leftOut() {
  return (built ?? []).flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`${name} (C): left out: ${missing}`],
  )
}
