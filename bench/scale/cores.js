// node bench/scale/cores.js [--json]
//
// Transactions a second with one and two processes, and with one and two threads, each with a client and an echo of its own:
// nothing is shared, so on two idle cores two should do twice as much as one.

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const SECONDS = 3
const unit = fileURLToPath(new URL('./unit.js', import.meta.url))

/** @typedef {{on(event: 'message', listener: (message: any) => void): unknown, tell(seconds: number): void}} Unit */

/** @type {Record<string, () => Unit>} */
const kinds = {
  processes: () => {
    const child = fork(unit)
    return Object.assign(child, { tell: (/** @type {number} */ seconds) => child.send(seconds) })
  },
  threads: () => {
    const thread = new Worker(unit)
    return Object.assign(thread, { tell: (/** @type {number} */ seconds) => thread.postMessage(seconds) })
  },
}

/** @param {() => Unit} start @param {number} count */
async function together(start, count) {
  const units = Array.from({ length: count }, start)
  /** @param {Unit} one */
  const next = (one) =>
    new Promise((resolve) => {
      one.on('message', resolve)
    })
  await Promise.all(units.map(next))
  const results = units.map(
    (one) =>
      new Promise((resolve) => {
        one.on('message', resolve)
      }),
  )
  for (const one of units) one.tell(SECONDS)
  const done = /** @type {{perSecond: number}[]} */ (await Promise.all(results))
  return done.reduce((sum, { perSecond }) => sum + perSecond, 0)
}

const rows = []
for (const [kind, start] of Object.entries(kinds)) {
  const one = await together(start, 1)
  const two = await together(start, 2)
  rows.push({ kind, one: Math.round(one), two: Math.round(two), ratio: two / one })
}
if (process.argv.includes('--json'))
  console.log(JSON.stringify({ cores: availableParallelism(), rows }, null, 2))
else
  for (const { kind, one, two, ratio } of rows)
    console.log(
      `${kind.padEnd(10)} one ${one}/s  two ${two}/s  ${ratio.toFixed(2)} x on ${availableParallelism()} cores`,
    )
