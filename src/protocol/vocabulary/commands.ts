import type { Since } from './values.ts'

/** A command, what it cannot do without, and what it answers. */
export interface Command {
  readonly name: string
  readonly about: string
  /** Keys that must be there; their spellings will do. */
  readonly needs: readonly string[]
  /** Keys of the reply beside `result`. */
  readonly reply: readonly string[]
  /** `error-reason` as rtpengine words it, beside what every command may answer. Its case varies between releases. */
  readonly errors: readonly string[]
  readonly spellings: readonly string[]
  readonly since: Since
  /** Whether rtpengine's manual has it, not only its source. */
  readonly documented: boolean
}

function command<const N extends string, const Needs extends readonly string[]>(
  name: N,
  about: string,
  needs: Needs,
  reply: readonly string[],
  errors: readonly string[],
  rest: Partial<Pick<Command, 'since' | 'documented' | 'spellings'>> = {},
): Command & { readonly name: N; readonly needs: Needs } {
  return { name, about, needs, reply, errors, spellings: [], since: '10.5', documented: true, ...rest }
}

/** What a media proxy that is full answers an offer of a new call; without `supports` always the first, as an error. */
const LIMITS = [
  'Parallel session limit reached',
  'CPU usage limit exceeded',
  'Load limit exceeded',
  'Bandwidth limit exceeded',
] as const

/** What commands about a party answer when it is not found. */
const NO_PARTY = [
  'Unknown call-ID',
  'No monologue matching the given label',
  'Failed to parse network address',
  'Failed to match address to any tag',
  'From-tag given, but no such tag exists',
] as const

/** The same of commands about what one party sends another. */
const NO_FLOW = [
  ...NO_PARTY,
  'Media flow not found (to-tag not found)',
  'Media flow not found (to-label not found)',
  'Media flow not found (to-tag not subscribed)',
  'No eligible media subscriptions found',
] as const

/** Every command rtpengine knows. */
export const COMMANDS = [
  command('ping', 'whether it is there and answers', [], ['result: pong'], []),
  command(
    'offer',
    'takes the SDP of one party and gives the one for the other',
    ['sdp', 'call-id', 'from-tag'],
    ['sdp', 'recordings'],
    [
      'No SDP body in message',
      'No call-id in message',
      'No from-tag in message',
      'Failed to parse SDP',
      'Incomplete SDP specification',
      'Invalid dialogue association',
      'Error rewriting SDP',
      'Ran out of ports',
      ...LIMITS,
    ],
  ),
  command(
    'answer',
    'the same for the answer',
    ['sdp', 'call-id', 'from-tag', 'to-tag'],
    ['sdp', 'recordings'],
    [
      'No SDP body in message',
      'No call-id in message',
      'No from-tag in message',
      'No to-tag in message',
      'Unknown call-id',
      'Failed to parse SDP',
      'Incomplete SDP specification',
      'Invalid dialogue association',
      'Error rewriting SDP',
      'Ran out of ports',
    ],
  ),
  command(
    'delete',
    'ends a call, a branch or a party of it',
    ['call-id'],
    ['totals', 'tags', 'SSRC', 'created', 'last signal', 'warning'],
    ["Call-ID not found or tags didn't match"],
  ),
  command(
    'query',
    'everything that is known of a call',
    ['call-id'],
    ['totals', 'tags', 'SSRC', 'created', 'last signal'],
    ['Unknown call-id'],
  ),
  command('list', 'Call-IDs of the calls there are', [], ['calls'], ['invalid limit, must be >= 0']),
  command('statistics', 'what it counts of itself', [], ['statistics'], []),
  command('start recording', 'records a call', ['call-id'], ['recordings'], ['Unknown call-id']),
  command('stop recording', 'ends the recording, or pauses it', ['call-id'], [], ['Unknown call-id']),
  command('pause recording', 'pauses the recording', ['call-id'], [], ['Unknown call-id'], {
    since: 'later',
  }),
  command('start forwarding', 'hands audio to the recording daemon', ['call-id'], [], NO_PARTY),
  command('stop forwarding', 'ends that', ['call-id'], [], NO_PARTY),
  command('block DTMF', 'keeps digits from the other side, or replaces them', ['call-id'], [], NO_PARTY),
  command('unblock DTMF', 'ends that', ['call-id'], [], NO_PARTY),
  command('block media', 'keeps media from the other side', ['call-id'], [], NO_FLOW),
  command('unblock media', 'ends that', ['call-id'], [], NO_FLOW),
  command('silence media', 'replaces audio with silence (G.711, G.722)', ['call-id'], [], NO_FLOW),
  command('unsilence media', 'ends that', ['call-id'], [], NO_FLOW),
  command(
    'play media',
    'plays a file to a party',
    ['call-id'],
    ['duration'],
    [...NO_PARTY, 'No participant party specified', 'unsupported'],
  ),
  command(
    'stop media',
    'ends that',
    ['call-id'],
    ['last-frame-pos'],
    [...NO_PARTY, 'Not currently playing media', 'Currently MoH ongoing, ignore stop media.'],
  ),
  command(
    'play DTMF',
    'sends a digit as if the party had pressed it',
    ['call-id', 'code'],
    [],
    [
      ...NO_PARTY,
      "Out of range 'code' specified",
      'Monologue has no media capable of DTMF injection',
      'There is no sink media capable of DTMF playback',
      'No SSRC context present for DTMF injection',
    ],
  ),
  command(
    'publish',
    'takes in media that nobody has asked for yet',
    ['sdp'],
    ['call-id', 'from-tag', 'sdp', 'recordings'],
    ['Failed to create SDP'],
  ),
  command(
    'subscribe request',
    'offers a copy of the media of parties',
    ['call-id'],
    ['sdp', 'from-tag', 'from-tags', 'to-tag', 'tag-medias', 'media-labels'],
    ['Failed to request subscription', 'No medias found (no monologues matched)', 'Unknown call-ID(s)'],
  ),
  command(
    'subscribe answer',
    'the answer of who receives the copy',
    ['call-id', 'to-tag', 'sdp'],
    [],
    ['To-tag not found', 'Failed to process subscription answer'],
  ),
  command('unsubscribe', 'ends the copy', ['call-id', 'to-tag'], [], ['Failed to unsubscribe']),
  command(
    'inject start',
    'lets a party be heard by one it is not connected to',
    ['call-id', 'to-tag', 'source-tag'],
    [],
    [
      'No source-tag in message',
      'Source-tag not found',
      'Trying to inject to self',
      'Failed to merge two calls into one',
      'Failed to start inject',
    ],
    { since: 'later' },
  ),
  command('inject stop', 'ends that', ['call-id', 'to-tag', 'source-tag'], [], ['Failed to stop inject'], {
    since: 'later',
  }),
  command(
    'connect',
    'lets two parties hear each other, of one call or of two',
    ['call-id', 'to-tag'],
    [],
    ['Failed to merge two calls into one (tag collision)'],
    { since: 'later' },
  ),
  command(
    'create',
    'makes a party of which no offer has come',
    [],
    ['call-id', 'from-tag', 'sdp'],
    ['failed to set up call/monologue', 'failed to create SDP'],
    { since: 'later' },
  ),
  command(
    'create answer',
    'the answer of that party',
    ['sdp', 'call-id', 'from-tag'],
    [],
    ['unknown call-ID', 'from-tag not found', 'failed to perform answer'],
    { since: 'later' },
  ),
  command(
    'mesh',
    'lets several parties hear one another',
    ['calls'],
    [],
    [
      'Unknown call ID(s)',
      'Failed to merge calls (tag collision)',
      'Given from-tag not found',
      'Given to-tag not found',
    ],
    { since: 'later' },
  ),
  command('cli', 'one line of the command line interface', ['body'], ['response'], ["No 'body' in message"], {
    since: 'later',
    documented: false,
    spellings: ['CLI'],
  }),
  command(
    'transform',
    'transcodes streams that belong to no call',
    ['media'],
    ['call-id', 'from-tag', 'media'],
    ['Transform loop detected', 'Failed to set up transform'],
    { since: 'later', documented: false },
  ),
] as const

/** The name of a command. */
export type NgCommandName = (typeof COMMANDS)[number]['name']

/** The keys a command cannot do without. */
export type NeedsOf<Name extends NgCommandName> = Extract<
  (typeof COMMANDS)[number],
  { readonly name: Name }
>['needs'][number]

/** The command called so, in any spelling. */
export function commandOf(name: string): Command | undefined {
  return (COMMANDS as readonly Command[]).find((one) => one.name === name || one.spellings.includes(name))
}
