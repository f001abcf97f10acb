import type { RtpProxyNg } from '../module/client.ts'
import type { NodeState, NodeStatus } from '../nodes/node.ts'

/** One value, with the labels that tell it from others of its metric. */
export interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

/** A metric that is read from the client when somebody asks for it. */
export interface State {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Whether it only grows. */
  readonly counts?: boolean
  /** Undefined: there is nothing of the kind. */
  read(media: RtpProxyNg): number | readonly Sample[] | undefined
}

const NODE_LABELS = ['node', 'set'] as const
const NODE_STATES: readonly NodeState[] = ['up', 'suspect', 'down', 'disabled', 'draining']

export const STATES: readonly State[] = [
  {
    name: 'node_state',
    help: 'State of a media proxy: 1 for the one it is in, 0 for the others.',
    labels: [...NODE_LABELS, 'state'],
    read: (media) =>
      media
        .show()
        .flatMap((node) => NODE_STATES.map((state) => ofNode(node, node.state === state ? 1 : 0, { state }))),
  },
  {
    name: 'node_weight',
    help: 'Weight of a media proxy in its set.',
    labels: NODE_LABELS,
    read: (media) => media.show().map((node) => ofNode(node, node.weight)),
  },
  {
    name: 'node_open_commands',
    help: 'Commands that wait for the reply of a media proxy.',
    labels: NODE_LABELS,
    read: (media) => media.show().map((node) => ofNode(node, node.open)),
  },
  {
    name: 'node_calls',
    help: 'Calls on a media proxy, by the memory of calls.',
    labels: NODE_LABELS,
    read: (media) => media.show().map((node) => ofNode(node, node.calls)),
  },
  {
    name: 'open_commands',
    help: 'Commands under way, those that wait for a media proxy to be found included.',
    read: ({ counters }) => counters.commands,
  },
  {
    name: 'open_requests',
    help: 'Requests that wait for a reply, pings included.',
    read: ({ counters }) => counters.openRequests,
  },
  {
    name: 'calls',
    help: 'Calls in the memory of calls; of forked ones each branch.',
    read: ({ counters }) => counters.calls,
  },
  {
    name: 'transactions',
    help: 'INVITE transactions remembered by manage.',
    read: ({ counters }) => counters.transactions,
  },
  {
    name: 'dialogs',
    help: 'Calls whose last offer and answer are kept.',
    read: ({ counters }) => counters.dialogs,
  },
  {
    name: 'remembered_deletes',
    help: 'Deletes that wait for their media proxy to come back.',
    read: ({ counters }) => counters.rememberedDeletes,
  },
  {
    name: 'dropped_deletes_total',
    help: 'Remembered deletes that were given up.',
    counts: true,
    read: ({ counters }) => counters.droppedDeletes,
  },
  {
    name: 'overloads_total',
    help: 'Commands refused since too many were under way.',
    counts: true,
    read: ({ counters }) => counters.overloads,
  },
  {
    name: 'dropped_replies_total',
    help: 'Datagrams that came from a media proxy but answered no open request.',
    labels: ['reason'],
    counts: true,
    read: ({ droppedReplies }) => byLabel('reason', droppedReplies),
  },
  {
    name: 'refused_tokens_total',
    help: 'Tokens of calls that were refused.',
    labels: ['reason'],
    counts: true,
    read: ({ counters }) => counters.tokens && byLabel('reason', counters.tokens),
  },
  {
    name: 'store_operations_total',
    help: 'What became of operations of the shared store.',
    labels: ['kind'],
    counts: true,
    read: ({ counters }) => counters.store && byLabel('kind', counters.store),
  },
]

function ofNode({ url, set }: NodeStatus, value: number, more = {}): Sample {
  return { value, labels: { node: url, set: String(set), ...more } }
}

function byLabel(label: string, counts: object): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ value: Number(value), labels: { [label]: name } }))
}
