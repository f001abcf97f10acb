import assert from 'node:assert/strict'
import { parseSdp } from 'rtpproxy-ng/sdp'
import { sdpTransform } from '../contenders/packages.js'
import { scanLines } from '../contenders/sdp-lines.js'
import { parse } from '../contenders/sdp-object.js'
import { browserSdp } from '../inputs/browser-invite.js'
import { phoneSdp } from '../inputs/phone-invite.js'
import { scanSdp } from '../ours.js'

/** @typedef {import('../row.js').Goal} Goal */
/** @typedef {{port: number, protocol: string, rtp?: {payload: number, codec: string}[], fmtp?: {payload: number, config: string}[]}} TheirMedia */

// `sdp-transform` has another shape: what both know of the media must agree.

/** @param {unknown} theirs */
const theirMedia = (theirs) =>
  /** @type {{media: TheirMedia[]}} */ (theirs).media.map(({ port, protocol, rtp = [], fmtp = [] }) => ({
    port,
    protocol,
    codecs: rtp.map(({ payload, codec }) => `${payload} ${codec}`),
    parameters: fmtp.map(({ payload, config }) => `${payload} ${config}`),
  }))

/** @param {unknown} ours */
const ourMedia = (ours) =>
  /** @type {import('rtpproxy-ng/sdp').SessionDescription} */ (ours).mediaDescriptions.map((media) => ({
    port: media.port,
    protocol: media.protocol,
    codecs: media.rtpmap.map(({ payloadType, encoding }) => `${payloadType} ${encoding}`),
    parameters: media.fmtp.map(({ payloadType, parameters }) => `${payloadType} ${parameters}`),
  }))

/** @param {unknown} table all that it tells of every line */
function told(table) {
  const lines = /** @type {ReturnType<typeof scanSdp> | ReturnType<typeof scanLines>} */ (table)
  return Array.from({ length: lines.count }, (_, i) => {
    const type = lines.type(i)
    return {
      type,
      line: lines.line(i),
      value: lines.value(i),
      section: lines.section(i),
      ...(type === 'a' && {
        name: lines.attributeName(i),
        attribute: lines.attributeValue(i),
        number: lines.attributeNumber(i),
      }),
      ...(type === 'm' && {
        port: lines.port(i),
        portRange: lines.portRange(i),
        portCount: lines.portCount(i),
        protocol: lines.protocol(i),
      }),
      ...((type === 'c' || type === 'o') && {
        address: lines.address(i),
        network: lines.networkAddress(i),
        family: lines.family(i),
      }),
    }
  })
}

/** @param {unknown} table */
const portsOf = (table) =>
  told(table)
    .filter(({ type }) => type === 'm')
    .map(({ port }) => port)

/** @param {string} name @param {Buffer} sdp @param {Goal} goal @returns {import('../row.js').Row} */
const linesRow = (name, sdp, goal) => ({
  group: 'SDP',
  name: `${name} SDP (${sdp.length} bytes) to a line table`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => scanSdp(sdp) },
  peers: [
    {
      name: 'pure JS',
      run: () => scanLines(sdp),
      agrees: (theirs, ours) => assert.deepEqual(told(theirs), told(ours)),
    },
    {
      name: 'sdp-transform',
      goal,
      run: () => sdpTransform.parse(sdp.toString()),
      agrees: (theirs, ours) =>
        assert.deepEqual(
          theirMedia(theirs).map(({ port }) => port),
          portsOf(ours),
        ),
    },
  ],
})

/** @param {string} name @param {Buffer} sdp @param {Goal} goal @returns {import('../row.js').Row} */
const objectRow = (name, sdp, goal) => ({
  group: 'SDP',
  name: `${name} SDP (${sdp.length} bytes) to an object`,
  unit: 'ns',
  ours: { name: 'rtpproxy-ng', run: () => parseSdp(sdp) },
  peers: [
    { name: 'pure JS', run: () => parse(sdp) },
    {
      name: 'sdp-transform',
      goal,
      run: () => sdpTransform.parse(sdp.toString()),
      agrees: (theirs, ours) => assert.deepEqual(theirMedia(theirs), ourMedia(ours)),
    },
  ],
})

const phone = Buffer.from(phoneSdp)
const browser = Buffer.from(browserSdp)

/** @type {import('../row.js').Row[]} */
export const rows = [
  linesRow("a phone's", phone, { atLeast: 30 }),
  linesRow("a browser's", browser, { atLeast: 30 }),
  objectRow("a phone's", phone, { atLeast: 4 }),
  objectRow("a browser's", browser, { atLeast: 4 }),
]
