import assert from 'node:assert/strict'
import { decode, encode } from 'rtpproxy-ng/bencode'
import * as pure from '../contenders/bencode.js'
import { native } from '../contenders/native.js'
import { bencode, bencodec } from '../contenders/packages.js'
import { phoneOffer } from '../inputs/phone-invite.js'
import { queryReply, statisticsReply } from '../inputs/replies.js'

/** @typedef {import('../row.js').Goal} Goal */
/** @typedef {{pure: Goal, bencode: Goal}} Goals */

/** The packages sort keys and give Uint8Arrays; the values are what must agree. */
const sameValue = (/** @type {unknown} */ theirs, /** @type {unknown} */ ours) =>
  assert.deepEqual(plain(theirs), plain(ours))

/** @param {unknown} value @returns {unknown} */
function plain(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

const sameBencode = (/** @type {unknown} */ theirs, /** @type {unknown} */ ours) =>
  sameValue(decode(/** @type {Buffer} */ (theirs)), decode(/** @type {Buffer} */ (ours)))

const encoded = encode(phoneOffer)

/** @param {Goals} goals @returns {import('../row.js').Row} */
const encodeRow = (goals) => ({
  group: 'bencode',
  name: `encode an offer (${encoded.length} bytes)`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => encode(phoneOffer) },
  peers: [
    { name: 'pure JS', goal: goals.pure, run: () => pure.encode(phoneOffer) },
    { name: 'bencode', goal: goals.bencode, run: () => bencode.encode(phoneOffer), agrees: sameBencode },
    { name: 'bencodec', run: () => bencodec.encode(phoneOffer), agrees: sameBencode },
    ...native('C by hand: encode an offer'),
  ],
})

/** @param {string} name @param {Buffer} bytes @param {Goals} goals @returns {import('../row.js').Row} */
const bytesRow = (name, bytes, goals) => ({
  group: 'bencode',
  name: `decode ${name} (${bytes.length} bytes) to Buffers`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => decode(bytes) },
  peers: [
    { name: 'pure JS', goal: goals.pure, run: () => pure.decodeBytes(bytes) },
    { name: 'bencode', goal: goals.bencode, run: () => bencode.decode(bytes), agrees: sameValue },
    { name: 'bencodec', run: () => bencodec.decode(bytes), agrees: sameValue },
  ],
})

/** @param {string} name @param {Buffer} bytes @param {Goals} goals @returns {import('../row.js').Row} */
const textRow = (name, bytes, goals) => ({
  group: 'bencode',
  name: `decode ${name} (${bytes.length} bytes) to strings`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => decode(bytes, 'utf8') },
  peers: [
    { name: 'pure JS', goal: goals.pure, run: () => pure.decodeText(bytes) },
    // Its decoder to strings fails on dictionaries (4.0.1), so it may do with less: bytes.
    { name: 'bencode', goal: goals.bencode, run: () => bencode.decode(bytes), agrees: sameValue },
    { name: 'bencodec', run: () => bencodec.decode(bytes, { stringify: true }), agrees: sameValue },
  ],
})

const walk =
  'both hand their strings to V8 to be joined and written (0.3 of our 1.1 µs) and make a Buffer (0.25); the core takes 0.15, and the rest is a walk through the same object'
const objects = 'V8 builds the same objects for all; the core takes a quarter of the time, or a tenth'

/** @type {import('../row.js').Row[]} */
export const rows = [
  encodeRow({ pure: { atLeast: 1.5, reached: 1.35, why: walk }, bencode: { atLeast: 5 } }),
  bytesRow('it', encoded, { pure: { atLeast: 1.3 }, bencode: { atLeast: 3 } }),
  textRow('it', encoded, { pure: { atLeast: 1.3 }, bencode: { atLeast: 3 } }),
  textRow('a query reply', queryReply, {
    pure: { atLeast: 1.3, reached: 1, why: objects },
    bencode: { atLeast: 3 },
  }),
  textRow('a statistics reply', statisticsReply, {
    pure: { atLeast: 1.3, reached: 0.97, why: objects },
    bencode: { atLeast: 3, reached: 1.7, why: objects },
  }),
]
