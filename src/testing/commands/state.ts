import type { Call, Party } from '../../relay/call.ts'

/** What commands switch on and off for one party. */
export class PartyState {
  mediaBlocked = false
  dtmfBlocked = false
  silenced = false
  forwarding = false
  /** When what is played to it ends, in ms since 1970; undefined: nothing was played. */
  playsUntil: number | undefined

  get isPlaying(): boolean {
    return this.playsUntil !== undefined && Date.now() < this.playsUntil
  }
}

export class CallState {
  recording: 'off' | 'on' | 'paused' = 'off'
  /** Where DTMF events of the call go to, as `ADDRESS:PORT`. */
  dtmfDestination: string | undefined
}

const calls = new WeakMap<Call, CallState>()
const parties = new WeakMap<Party, PartyState>()

export function stateOfCall(call: Call): CallState {
  const state = calls.get(call) ?? new CallState()
  calls.set(call, state)
  return state
}

export function stateOf(party: Party): PartyState {
  const state = parties.get(party) ?? new PartyState()
  parties.set(party, state)
  return state
}
