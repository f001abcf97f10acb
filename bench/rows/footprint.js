import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What a start takes is the least of so many: whatever else the machine does only adds to it. */
const STARTS = 8

/** @param {string} path from this folder */
const file = (path) => fileURLToPath(new URL(path, import.meta.url))

/** @param {string[]} parameters of node */
function run(...parameters) {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${parameters.join(' ')} failed: ${stderr}`)
  return stdout
}

/** @param {string} program @returns {() => Promise<import('../row.js').Sample>} */
const start = (program) => async () => {
  const times = Array.from({ length: STARTS }, () => {
    const began = performance.now()
    run(file(`../processes/${program}.js`))
    return performance.now() - began
  })
  return { value: Math.min(...times) }
}

/** @param {string} client @returns {() => Promise<import('../row.js').Sample>} */
const openRequest = (client) => async () => {
  const { heap } = JSON.parse(run('--expose-gc', file('../processes/open-requests.js'), client))
  return { value: heap }
}

/** @type {import('../row.js').Row[]} */
export const rows = [
  {
    group: 'footprint',
    name: 'start: import, compile, first parse',
    unit: 'ms',
    ours: { name: 'rtpproxy-ng', sample: start('first-call') },
    peers: [
      {
        name: 'an empty module',
        goal: { atMost: 15 },
        sample: start('empty'),
      },
    ],
  },
  {
    group: 'footprint',
    name: 'core.wasm',
    unit: 'bytes',
    ours: {
      name: 'rtpproxy-ng',
      sample: async () => ({ value: statSync(file('../../build/core.wasm')).size }),
    },
    peers: [],
    goal: { atMost: 24_000 },
    rounds: 1,
  },
  {
    group: 'footprint',
    name: 'heap for each of 10,000 open offers',
    unit: 'bytes',
    ours: { name: 'rtpproxy-ng', sample: openRequest('rtpproxy-ng') },
    peers: [{ name: 'rtpengine-client', sample: openRequest('rtpengine-client') }],
    goal: {
      atMost: 1000,
      reached: 1300,
      why: 'entry, dispatch and command 430 bytes, Buffers and field table 280, the functions of a promise 200, message, Call-ID and promise 230',
    },
    rounds: 3,
  },
]
