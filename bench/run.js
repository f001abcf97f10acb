// npm run bench [-- --json] [-- --smoke]
//
// The core against its peers in one process, in interleaved rounds; answers are compared before anything is timed, and
// what counts is the ratio, since machines differ. --smoke is short and fails when a row falls below its floor:
// what a change must not lose.

import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { decode, encode } from 'rtpproxy-ng/bencode'
import { Bench } from 'tinybench'
import { encodeRequest, rewriteMessage } from '../dist/core/ng.js'
import { invite, offer, reply, source } from './inputs.js'
import { pureOffer, pureRewrite } from './pure-js.js'

/** @type {{default: {encode(value: unknown): Uint8Array, decode(bytes: Uint8Array): unknown}}} */
// @ts-expect-error the package has no types
const { default: bencode } = await import('bencode')

const { values } = parseArgs({ options: { smoke: { type: 'boolean' }, json: { type: 'boolean' } } })
const ROUNDS = values.smoke ? 5 : 15
const ROUND_MS = values.smoke ? 40 : 200

const empty = Buffer.alloc(0)
/** @type {import('../dist/core/ng.js').RequestPlan} */
const plan = {
  command: 'offer',
  flags: empty,
  toTag: true,
  branch: 0,
  branchValue: undefined,
  middle: Buffer.from(`13:received-froml3:IP4${source.length}:${source}e`),
}
const encoded = encode(offer)

/** @typedef {{name: string, floor: number, ours: () => unknown, peer: () => unknown, peerName: string}} Row */
/** @type {Row[]} */
const rows = [
  {
    name: `INVITE of ${invite.length} bytes to an NG offer`,
    floor: 1.5,
    ours: () => encodeRequest(invite, plan, 0),
    peer: () => pureOffer(invite, source),
    peerName: 'pure JS',
  },
  {
    name: `NG reply of ${reply.length} bytes into the INVITE`,
    floor: 1,
    ours: () => /** @type {{message: Buffer}} */ (rewriteMessage(invite, reply, 0, 'offer', '')).message,
    peer: () => pureRewrite(invite, reply),
    peerName: 'pure JS, checks less',
  },
  {
    name: `encode an offer of ${encoded.length} bytes`,
    floor: 5,
    ours: () => encode(offer),
    peer: () => bencode.encode(offer),
    peerName: 'bencode',
  },
  {
    name: 'decode it to Buffers',
    floor: 3,
    ours: () => decode(encoded),
    peer: () => bencode.decode(encoded),
    peerName: 'bencode',
  },
]

assert.deepEqual(rows[0]?.ours(), rows[0]?.peer())
assert.deepEqual(rows[1]?.ours(), rows[1]?.peer())
// `bencode` sorts the keys and decodes to Uint8Array; the values are what must agree.
assert.deepEqual(decode(Buffer.from(bencode.encode(offer)), 'utf8'), offer)
const text = (/** @type {unknown} */ value) =>
  JSON.stringify(value, (_, v) =>
    v?.type === 'Buffer' || v instanceof Uint8Array ? Buffer.from(v.data ?? v).toString() : v,
  )
assert.equal(text(decode(encoded)), text(bencode.decode(encoded)))

/** @param {number[]} numbers */
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** @param {() => unknown} run */
async function nanoseconds(run) {
  const bench = new Bench({ time: ROUND_MS, warmup: false })
  bench.add('run', () => {
    run()
  })
  const [task] = await bench.run()
  const result = task?.result
  if (result === undefined || !('latency' in result)) throw new Error('the benchmark did not run')
  return result.latency.p50 * 1e6
}

const report = []
for (const row of rows) {
  for (let i = 0; i < 20_000; i++) {
    row.ours()
    row.peer()
  }
  /** @type {number[]} */
  const ours = []
  /** @type {number[]} */
  const peer = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await nanoseconds(row.ours))
    peer.push(await nanoseconds(row.peer))
  }
  const ratios = ours.map((time, i) => (peer[i] ?? Number.NaN) / time).sort((a, b) => a - b)
  const ratio = median([...ratios])
  report.push({
    name: row.name,
    peer: row.peerName,
    oursNs: Math.round(median(ours)),
    peerNs: Math.round(median(peer)),
    ratio: Number(ratio.toFixed(2)),
    spread: [ratios[0], ratios.at(-1)].map((value) => Number(value?.toFixed(2))),
    floor: row.floor,
    ok: ratio >= row.floor,
  })
}

if (values.json) console.log(JSON.stringify(report, null, 2))
else {
  for (const { name, peer, oursNs, peerNs, ratio, spread, floor, ok } of report) {
    const line = `${name.padEnd(42)} ${String(oursNs).padStart(6)} ns  ${peer} ${peerNs} ns  ${ratio} x (${spread.join(' to ')}), floor ${floor} x`
    console.log(ok ? line : pc.red(line))
  }
}
if (values.smoke && report.some(({ ok }) => !ok)) process.exitCode = 1
