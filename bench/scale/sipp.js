// node bench/scale/sipp.js [--rates 100,200,400] [--seconds 10] [--json]
//
// sipp makes calls through the example proxy and a real rtpengine, at rising rates until something breaks: more than one call in a
// hundred fails, or sipp cannot keep the rate. Says for each rate what failed, what was sent again, and what a call cost whom.
// Needs sipp and rtpengine (Debian: sip-tester, rtpengine-daemon).

import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { NgClient } from 'rtpproxy-ng/ng'

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '100,200,400,600,800,1000,1200,1500,2000,3000' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
})
const SECONDS = Number(values.seconds)
/** How long a call lasts. */
const CALL_MS = 500
/** How long calls that do not get through may take to fail. One whose 200 was lost for good fails never: sipp waits for it for ever. */
const PATIENCE_MS = (3 * SECONDS + 40) * 1000
/** Ticks of the kernel in a second (`getconf CLK_TCK`). */
const TICKS = 100
const FAILED = 0.01
const KEPT = 0.95

/** @returns {Promise<number>} */
async function freePort() {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** CPU time that a process has used, in microseconds. @param {number | undefined} pid */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6
}

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

/** @param {string} directory */
async function startRtpengine(directory) {
  const url = `udp:127.0.0.1:${await freePort()}`
  const child = spawn(
    'rtpengine',
    [
      ...['--foreground', '--log-stderr', '--log-level=3', '--table=-1', '--config-file=none'],
      ...['--interface=127.0.0.1', `--listen-ng=${url.slice(4)}`, '--port-min=10000', '--port-max=31999'],
      ...['--delete-delay=0', `--pidfile=${join(directory, 'pid')}`],
    ],
    { stdio: 'ignore' },
  )
  const client = new NgClient(url, { deadlineMs: 200 })
  for (let tries = 0; tries < 100; tries++) {
    if (await client.ping().catch(() => undefined)) break
    await delay(50)
  }
  await client.close()
  return { url, child }
}

/** @param {string} rtpengine @param {number} next */
async function startProxy(rtpengine, next) {
  const main = new URL('../../examples/sip-proxy/main.js', import.meta.url).pathname
  const listen = `127.0.0.1:${await freePort()}`
  const child = spawn(
    process.execPath,
    [main, '--rtpengine', rtpengine, '--listen', listen, '--next', `127.0.0.1:${next}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return { listen, child }
}

/** One run of sipp. @param {number} rate @param {string} directory */
async function run(rate, directory) {
  const engine = await startRtpengine(directory)
  const uasPort = await freePort()
  const proxy = await startProxy(engine.url, uasPort)
  const options = ['-i', '127.0.0.1', '-nostdin', '-buff_size', '4194304']
  const uas = spawn('sipp', ['-sn', 'uas', '-p', `${uasPort}`, ...options], {
    cwd: directory,
    stdio: 'ignore',
  })
  const statistics = join(directory, `${rate}.csv`)
  const before = { proxy: cpuOf(proxy.child.pid), engine: cpuOf(engine.child.pid) }
  const uac = spawn(
    'sipp',
    [
      ...['-sn', 'uac', proxy.listen, '-p', `${await freePort()}`, ...options],
      ...['-r', `${rate}`, '-m', `${rate * SECONDS}`, '-d', `${CALL_MS}`, '-l', '20000'],
      ...['-trace_stat', '-stf', statistics, '-fd', '1'],
    ],
    { cwd: directory, stdio: 'ignore' },
  )
  // What a process has used can be read only while it is there.
  let uacCpu = 0
  const sampling = setInterval(() => {
    if (uac.exitCode === null) uacCpu = cpuOf(uac.pid)
  }, 100)
  const patience = setTimeout(() => uac.kill('SIGKILL'), PATIENCE_MS)
  await once(uac, 'exit')
  clearTimeout(patience)
  clearInterval(sampling)
  const sipp = uacCpu + cpuOf(uas.pid)
  const cpu = {
    proxy: cpuOf(proxy.child.pid) - before.proxy,
    engine: cpuOf(engine.child.pid) - before.engine,
  }
  for (const child of [uas, proxy.child, engine.child]) await end(child)
  const [head = '', ...rows] = readFileSync(statistics, 'utf8').trim().split('\n')
  const columns = head.split(';')
  const value = (/** @type {string} */ column, row = rows.at(-1) ?? '') =>
    Number(row.split(';')[columns.indexOf(column)])
  const calls = value('TotalCallCreated')
  // Behind the last call stands the wait for those that failed. There is a row for each second.
  const created = rows.findIndex((row) => value('TotalCallCreated', row) === calls)
  const generating = Math.max(created, SECONDS)
  return {
    rate,
    reached: calls / generating,
    calls,
    failed: value('FailedCall(C)') + value('CurrentCall'),
    resent: value('Retransmissions(C)'),
    proxyUs: cpu.proxy / calls,
    engineUs: cpu.engine / calls,
    sippUs: sipp / calls,
    // Of all cores, while calls were made.
    load: (cpu.proxy + cpu.engine + sipp) / 1e6 / generating / availableParallelism(),
  }
}

const directory = mkdtempSync(join(tmpdir(), 'scale-'))
const rows = []
try {
  for (const rate of values.rates.split(',').map(Number)) {
    const row = await run(rate, directory)
    rows.push(row)
    if (!values.json) {
      const { reached, failed, resent, proxyUs, engineUs } = row
      console.error(
        `${rate}/s: ${reached.toFixed(0)} reached, ${failed} failed, ${resent} sent again, ${proxyUs.toFixed(0)} and ${engineUs.toFixed(0)} us`,
      )
    }
    if (row.failed > FAILED * row.calls || row.reached < KEPT * rate) break
  }
} finally {
  rmSync(directory, { recursive: true })
}

if (values.json) console.log(JSON.stringify(rows))
else {
  const table = new Table({
    head: [
      'calls/s',
      'reached',
      'calls',
      'failed',
      'sent again',
      'proxy us',
      'rtpengine us',
      'sipp us',
      'load',
    ],
    style: { head: [], border: [] },
  })
  for (const row of rows)
    table.push([
      row.rate,
      row.reached.toFixed(0),
      row.calls,
      row.failed,
      row.resent,
      row.proxyUs.toFixed(0),
      row.engineUs.toFixed(0),
      row.sippUs.toFixed(0),
      `${(row.load * 100).toFixed(0)} %`,
    ])
  console.log(table.toString())
}
