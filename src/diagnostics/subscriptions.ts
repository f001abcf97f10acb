import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DroppedReply } from '../network/requests/dropped.ts'
import type { CommandTrace } from '../nodes/dispatch/trace.ts'
import type { NodeChange } from '../nodes/health/change.ts'

/** What can be heard of a client. */
export interface Listeners {
  /** A command has begun. */
  readonly begun?: ((trace: CommandTrace) => void) | undefined
  /** A command leaves for a media proxy, for the first time or again. */
  readonly sent?: ((trace: CommandTrace) => void) | undefined
  /** A command is over. */
  readonly ended?: ((trace: CommandTrace) => void) | undefined
  readonly changed?: ((change: NodeChange) => void) | undefined
  readonly dropped?: ((reply: DroppedReply) => void) | undefined
}

const CHANNELS = {
  begun: 'tracing:rtpproxy-ng:command:start',
  sent: 'rtpproxy-ng:send',
  ended: 'tracing:rtpproxy-ng:command:asyncEnd',
  changed: 'rtpproxy-ng:node',
  dropped: 'rtpproxy-ng:drop',
} as const satisfies Record<keyof Listeners, string>

/** Listens to one client on the channels that all clients share; returns what ends it. */
export function listenTo(client: object, listeners: Listeners): () => void {
  const ends = Object.entries(CHANNELS).map(([name, channel]) => {
    const listener = listeners[name as keyof Listeners] as ((message: unknown) => void) | undefined
    if (listener === undefined) return undefined
    const heard = (message: unknown): void => {
      if ((message as { client?: unknown }).client === client) listener(message)
    }
    subscribe(channel, heard)
    return () => unsubscribe(channel, heard)
  })
  return () => {
    for (const end of ends) end?.()
  }
}
