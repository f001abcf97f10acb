import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BencodeValue, decode } from '../../src/core/bencode.ts'
import { EmbeddedRelay } from '../../src/relay/index.ts'
import { bytes, rtpenginePairs } from '../vectors.ts'
import { UdpClient } from './client.ts'

type Dictionary = { [key: string]: BencodeValue<string> }

/** Commands and keys that the relay leaves to rtpengine; see its docstring. */
const ELSEWHERE =
  /recording|DTMF|media$|forwarding|publish|subscribe|statistics|webrtc|savp|ICE force|rtcp-mux|codec|transport/

/** Ports and numbers of time and place differ from run to run. */
function comparable(value: BencodeValue<string>, key = ''): unknown {
  if (/port$|^created|^last |^created_us/.test(key)) return typeof value
  if (Array.isArray(value)) return value.map((item) => comparable(item))
  if (typeof value === 'string') return key === 'sdp' ? sdpLines(value) : value
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([name]) => !/^(stats_out|input|output)$/.test(name))
  return Object.fromEntries(entries.map(([name, item]) => [name, comparable(item, name)]))
}

/** What is the relay's business in an SDP. rtpengine writes attributes anew, the relay leaves them. */
function sdpLines(sdp: string): string[] {
  return sdp
    .split('\r\n')
    .filter((line) => /^[^a]/.test(line))
    .map((line) => line.replace(/^(m=\w+) [1-9]\d*/, '$1 PORT'))
}

function parsed(datagram: Buffer): unknown {
  const space = datagram.indexOf(0x20)
  const payload = datagram.subarray(space + 1)
  const isJson = payload[0] === 0x7b
  const dictionary = isJson ? JSON.parse(payload.toString()) : decode(payload, 'latin1')
  // Whether rtpengine was to control ICE is not a matter of the relay.
  const text = JSON.stringify(comparable(dictionary as Dictionary)).replaceAll(',"ICE controlling"', '')
  return [datagram.toString('latin1', 0, space), JSON.parse(text)]
}

// The recording is one story: each command finds the calls that those before it have left.
describe('beside a real rtpengine 10.5.3', { shuffle: false }, () => {
  let relay: EmbeddedRelay
  let client: UdpClient
  beforeAll(async () => {
    relay = new EmbeddedRelay()
    await relay.start()
    client = new UdpClient(relay.urls[0]!)
  })
  afterAll(async () => {
    client.close()
    await relay.close()
  })

  const comparablePairs = rtpenginePairs.filter(({ name, reply }) => reply !== null && !ELSEWHERE.test(name))

  it('has most of the recording to compare with', () => {
    expect(comparablePairs.length).toBeGreaterThan(55)
  })

  it.each(comparablePairs)('answers "$name" alike', async ({ request, reply }) => {
    expect(parsed(await client.datagram(bytes(request)))).toEqual(parsed(bytes(reply ?? '')))
  })

  it('answers commands that it does not have as rtpengine answers unknown ones', async () => {
    for (const command of ['start recording', 'play media', 'statistics', 'frobnicate']) {
      expect(await client.request({ command, 'call-id': 'c1', 'from-tag': 'f1' })).toEqual({
        result: 'error',
        'error-reason': 'Unrecognized command',
      })
    }
  })
})
