import type { Call } from '../relay/call.ts'
import { type RelayCall, snapshot, text } from '../relay/snapshot.ts'
import { partiesOf } from './commands/selection.ts'
import { type CallState, stateOf, stateOfCall } from './commands/state.ts'

/** One party of a call as it stands. */
export interface FakeParty {
  readonly tag: string
  readonly label: string | undefined
  /** After `block media`, `block DTMF`, `silence media` and `start forwarding`, until they are undone. */
  readonly mediaBlocked: boolean
  readonly dtmfBlocked: boolean
  readonly silenced: boolean
  readonly forwarding: boolean
  /** Between `play media` and `stop media`, for a second for each repeat. */
  readonly playing: boolean
}

/** A call as it stands: a copy that does not change with it. */
export interface FakeCall extends RelayCall {
  readonly recording: CallState['recording']
  readonly parties: readonly FakeParty[]
}

export function fakeCall(call: Call): FakeCall {
  const { recording } = stateOfCall(call)
  const parties = partiesOf(call).map((party) => {
    const { mediaBlocked, dtmfBlocked, silenced, forwarding, isPlaying } = stateOf(party)
    return {
      tag: text(party.tag!),
      label: party.label === undefined ? undefined : text(party.label),
      ...{ mediaBlocked, dtmfBlocked, silenced, forwarding, playing: isPlaying },
    }
  })
  return { ...snapshot(call), recording, parties }
}
