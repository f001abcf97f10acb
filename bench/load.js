import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { serve } from './processes/media-proxy.js'

// Transactions kept open side by side, and the process that answers them.

/** A shorter round would be mostly ramp. */
const ROUND_MS = 200

/** How long to wait for what is still open behind a round: a lost datagram comes never. */
const DRAIN_MS = 500

/**
 * Keeps `open` transactions open for a while, 200 ms at least.
 *
 * @param {number} open
 * @param {(done: () => void) => void} start begins one, and calls `done` at its end
 * @returns {(ms: number) => Promise<import('./row.js').Sample>}
 */
export function underLoad(open, start) {
  return (ms) =>
    new Promise((resolve, reject) => {
      let completed = 0
      let running = open
      let over = false
      const began = performance.now()
      const cpu = process.cpuUsage()
      const done = () => {
        completed++
        if (!over) start(done)
        else if (--running === 0) drained()
      }
      /** @type {import('./row.js').Sample} */
      let sample
      /** @type {NodeJS.Timeout} */
      let drain
      const drained = () => {
        clearTimeout(drain)
        resolve(sample)
      }
      setTimeout(
        () => {
          over = true
          const seconds = (performance.now() - began) / 1000
          const { user, system } = process.cpuUsage(cpu)
          sample = { value: completed / seconds, cpuUs: (user + system) / completed }
          if (completed === 0) reject(new Error('no transaction came to its end'))
          drain = setTimeout(drained, DRAIN_MS)
        },
        Math.max(ms, ROUND_MS),
      )
      for (let i = 0; i < open; i++) start(done)
    })
}

/**
 * Starts a media proxy that answers `reply` to every request: in this thread, so that a transaction's CPU time is that of both
 * sides, whoever's turn it is; or in a process of its own.
 *
 * @param {'udp' | 'tcp'} transport
 * @param {Buffer} reply
 * @param {'thread' | 'process'} [where]
 * @returns {Promise<import('./processes/media-proxy.js').MediaProxy>}
 */
export async function mediaProxy(transport, reply, where = 'thread') {
  if (where === 'thread') return serve[transport](reply)
  const file = fileURLToPath(new URL('processes/echo.js', import.meta.url))
  const child = fork(file, [transport, reply.toString('base64')])
  const [port] = /** @type {[number]} */ (await once(child, 'message'))
  return {
    port,
    async close() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
