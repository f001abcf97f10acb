import type { Call } from './call.ts'

/** A call as it stands now: a copy that does not change with it. */
export interface RelayCall {
  readonly callId: string
  readonly created: Date
  /** Tags of the parties, in the order of offers and answers. */
  readonly tags: readonly string[]
  /** Ports that RTP comes in by; RTCP has the next of each. */
  readonly ports: readonly number[]
  /** Packets received, of RTP and RTCP together. */
  readonly packets: number
}

export function snapshot(call: Call): RelayCall {
  const { id, created, dialogues, medias } = call
  const parties = dialogues.flatMap((dialogue) => dialogue.parties)
  const tags = parties.flatMap(({ tag }) => (tag === undefined ? [] : [text(tag)]))
  return {
    callId: text(id),
    created: new Date(created),
    tags: [...new Set(tags)],
    ports: medias.map(({ rtp }) => rtp.local.port),
    packets: medias.reduce((sum, { rtp, rtcp }) => sum + rtp.received.packets + rtcp.received.packets, 0),
  }
}

/** Inside the relay strings are bytes held as latin1. */
export function text(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
