import type { DtmfEvent } from '../../dtmf/event.ts'
import { DtmfEvents } from '../../dtmf/events.ts'
import { DTMF_PARAMETERS } from './names.ts'

/** Called for each key pressed in a call, as `event_route[rtpengine:dtmf-event]` is run. */
export type DtmfRoute = (event: DtmfEvent, variables: Readonly<Record<string, string>>) => void

/** What the parameters say of DTMF events. */
export interface DtmfSettings {
  /** `dtmf_events_sock`, as `udp:ADDRESS:PORT`. */
  readonly listen: string | undefined
  /** The variables that the parameters name, as they are written, by parameter. */
  readonly variables: ReadonlyMap<string, string>
}

/** Where the events of all media proxies come together. */
export function dtmfEvents({ listen }: DtmfSettings): DtmfEvents {
  return new DtmfEvents({ listen })
}

/** Runs `route` for each event until `events` is closed. What it throws goes where uncaught errors go, and the next event comes. */
export async function runRoute(events: DtmfEvents, settings: DtmfSettings, route: DtmfRoute): Promise<void> {
  for await (const event of events) {
    try {
      route(event, variablesOf(event, settings))
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** The text of each field as the module has it: of the moment its seconds, of the tags a list with commas. */
const FIELDS: Record<(typeof DTMF_PARAMETERS)[number], (event: DtmfEvent) => string | undefined> = {
  dtmf_event: ({ code }) => `${code}`,
  dtmf_event_callid: ({ callId }) => callId,
  dtmf_event_source_tag: ({ sourceTag }) => sourceTag,
  dtmf_event_timestamp: ({ timestamp }) => `${Math.floor(timestamp.getTime() / 1000)}`,
  dtmf_event_source_label: ({ sourceLabel }) => sourceLabel,
  dtmf_event_tags: ({ tags }) => tags.join(','),
  dtmf_event_type: () => 'DTMF',
  dtmf_event_source_ip: ({ sourceAddress }) => sourceAddress,
  dtmf_event_duration: ({ durationMs }) => `${durationMs}`,
  // RFC 4733 leaves the sign out.
  dtmf_event_volume: ({ volume }) => `${Math.abs(volume)}`,
}

function variablesOf(event: DtmfEvent, { variables }: DtmfSettings): Record<string, string> {
  const values: Record<string, string> = {}
  for (const parameter of DTMF_PARAMETERS) {
    const variable = variables.get(parameter)
    const value = FIELDS[parameter](event)
    if (variable !== undefined && value !== undefined) values[variable] = value
  }
  return values
}
