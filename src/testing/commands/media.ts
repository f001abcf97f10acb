import type { Call, Party } from '../../relay/call.ts'
import { type Reply, type Request, refusal } from '../../relay/request.ts'
import { isForAll, participants, partiesOf, selected } from './selection.ts'
import { type PartyState, stateOf, stateOfCall } from './state.ts'

type Command = (call: Call, request: Request) => Reply

type Switch = 'mediaBlocked' | 'dtmfBlocked' | 'silenced' | 'forwarding'

/** What is played lasts so long each time, in milliseconds. */
const PLAYED_MS = 1000
const OK: Reply = { result: 'ok' }

/** Recording: its commands do not know parties. */
export const recordingCommands: Readonly<Record<string, Command>> = {
  'start recording': (call) => record(call, 'on'),
  'pause recording': (call) => record(call, 'paused'),
  'stop recording': (call, request) => {
    const isPause = /^(yes|on|true)$/.test(request.text('pause') ?? '') || request.has('flags', 'pause')
    return record(call, isPause ? 'paused' : 'off')
  },
}

/** What is done to the media of a call or of some of its parties. */
export const mediaCommands: Readonly<Record<string, Command>> = {
  'block media': switches('mediaBlocked', true),
  'unblock media': switches('mediaBlocked', false),
  'block DTMF': switches('dtmfBlocked', true),
  'unblock DTMF': switches('dtmfBlocked', false),
  'silence media': switches('silenced', true),
  'unsilence media': switches('silenced', false),
  'start forwarding': switches('forwarding', true),
  'stop forwarding': switches('forwarding', false),
  'play media': playMedia,
  'stop media': stopMedia,
  'play DTMF': playDtmf,
}

function record(call: Call, recording: 'on' | 'paused' | 'off'): Reply {
  stateOfCall(call).recording = recording
  return OK
}

function switches(name: Switch, value: boolean): Command {
  return (call, request) => {
    const chosen = selected(call, request)
    // A from-tag alone chooses the whole call, unless the command says otherwise.
    const isWhole = isForAll(request) || (isByTag(request) && !request.has('flags', 'directional'))
    for (const party of isWhole ? partiesOf(call) : (chosen ?? partiesOf(call))) stateOf(party)[name] = value
    return OK
  }
}

function isByTag(request: Request): boolean {
  return ['label', 'from-label', 'address'].every((key) => request.text(key) === undefined)
}

function playMedia(call: Call, request: Request): Reply {
  const parties = participants(call, request)
  const isNamed = ['file', 'blob', 'blob64'].some((key) => request.text(key) !== undefined)
  if (!isNamed && request.integer('db-id') === undefined) throw refusal('No media file specified')
  const times = Math.max(request.integer('repeat-times') ?? 1, 1)
  for (const party of parties) stateOf(party).playsUntil = Date.now() + times * PLAYED_MS
  return { duration: PLAYED_MS, result: 'ok' }
}

function stopMedia(call: Call, request: Request): Reply {
  const states: PartyState[] = participants(call, request).map((party: Party) => stateOf(party))
  if (!states.some(({ isPlaying }) => isPlaying)) throw refusal('Not currently playing media')
  for (const state of states) state.playsUntil = undefined
  return OK
}

function playDtmf(call: Call, request: Request): Reply {
  participants(call, request)
  const text = request.text('code') ?? request.text('digit') ?? ''
  const number = request.integer('code') ?? request.integer('digit') ?? -1
  const isCode = /^[0-9*#A-D]$/.test(text) || (number >= 0 && number <= 15)
  if (!isCode) throw refusal("Out of range 'code' specified")
  return OK
}
