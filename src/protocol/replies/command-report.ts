import { children, decimal, integer, type NgReply, text } from './fields.ts'

export interface CommandUse {
  readonly count: number | bigint | undefined
  /** Time spent on all of them, in seconds. */
  readonly seconds: number | undefined
}

/** `controlstatistics`: the commands since the node started. Commands are named as in the NG protocol. */
export interface ControlReport {
  /** By client. */
  readonly clients: readonly {
    readonly address: string | undefined
    readonly commands: ReadonlyMap<string, CommandUse>
    readonly errors: number | bigint | undefined
  }[]
  /** How many of each command, of all clients. */
  readonly counts: ReadonlyMap<string, number | bigint>
}

export interface Spread {
  readonly min: number | undefined
  readonly max: number | undefined
  readonly average: number | undefined
}

export interface CommandInterval {
  /** From the command to the reply, in seconds. */
  readonly delaySeconds: Spread
  /** Commands per second. */
  readonly requestRate: Spread
}

/** `intervalstatistics`: the last full interval of rtpengine's statistics. */
export interface IntervalReport {
  readonly totalCallSeconds: number | undefined
  readonly managedSessions: { readonly min: number | undefined; readonly max: number | undefined }
  readonly commands: ReadonlyMap<string, CommandInterval>
}

/** What `controlstatistics` shortens. */
const SHORTENED = new Map([
  ['startrec', 'start recording'],
  ['stoprec', 'stop recording'],
  ['pauserec', 'pause recording'],
  ['startfwd', 'start forwarding'],
  ['stopfwd', 'stop forwarding'],
  ['blkdtmf', 'block DTMF'],
  ['unblkdtmf', 'unblock DTMF'],
  ['blkmedia', 'block media'],
  ['unblkmedia', 'unblock media'],
  ['slnmedia', 'silence media'],
  ['unslnmedia', 'unsilence media'],
  ['playmedia', 'play media'],
  ['stopmedia', 'stop media'],
  ['playdtmf', 'play DTMF'],
  ['stats', 'statistics'],
  ['pub', 'publish'],
  ['subreq', 'subscribe request'],
  ['subans', 'subscribe answer'],
  ['unsub', 'unsubscribe'],
])

export function controlReport(of: NgReply | undefined): ControlReport {
  const counts = new Map<string, number | bigint>()
  for (const [key, name] of commands(of, /^total(.+)count$/)) {
    const count = integer(of, key)
    if (count !== undefined) counts.set(name, count)
  }
  const clients = children(of, 'proxies').map((client) => ({
    address: text(client, 'proxy'),
    commands: new Map(
      commands(client, /^(.+)duration$/).map(([key, name, short]): [string, CommandUse] => [
        name,
        { count: integer(client, `${short}count`), seconds: decimal(client, key) },
      ]),
    ),
    errors: integer(client, 'errorcount'),
  }))
  return { clients, counts }
}

/** The keys that name a command, with the name in full and as it stands there. */
function commands(of: NgReply | undefined, pattern: RegExp): [key: string, name: string, short: string][] {
  return Object.keys(of ?? {}).flatMap((key): [string, string, string][] => {
    const short = pattern.exec(key)?.[1]
    return short === undefined ? [] : [[key, SHORTENED.get(short) ?? short, short]]
  })
}

export function intervalReport(of: NgReply | undefined): IntervalReport {
  const spread = (name: string): Spread => ({
    min: decimal(of, `min${name}`),
    max: decimal(of, `max${name}`),
    average: decimal(of, `avg${name}`),
  })
  const named = commands(of, /^min(.+)delay$/).map(([, , name]): [string, CommandInterval] => [
    name,
    { delaySeconds: spread(`${name}delay`), requestRate: spread(`${name}requestrate`) },
  ])
  const { min, max } = spread('managedsessions')
  return {
    totalCallSeconds: decimal(of, 'totalcallsduration'),
    managedSessions: { min, max },
    commands: new Map(named),
  }
}
