import { type ControlReport, controlReport, type IntervalReport, intervalReport } from './command-report.ts'
import {
  child,
  children,
  decimal,
  dictionary,
  integer,
  type NgReply,
  text,
  unsigned,
  whole,
} from './fields.ts'

export type { CommandInterval, CommandUse, ControlReport, IntervalReport, Spread } from './command-report.ts'

/** The same figure of all packets, of those the process relayed, and of those the kernel did. */
export interface Relayed<Figures> {
  readonly all: Figures
  readonly userSpace: Figures
  readonly kernel: Figures
}

export interface Traffic {
  readonly packets: number | bigint | undefined
  readonly bytes: number | bigint | undefined
  readonly errors: number | bigint | undefined
}

/** `currentstatistics`. */
export interface CurrentReport {
  readonly sessions: {
    readonly own: number | undefined
    /** Calls that another rtpengine serves, known through Redis. */
    readonly foreign: number | undefined
    readonly total: number | undefined
  }
  readonly transcodedMedia: number | undefined
  /** Per second. */
  readonly rates: Relayed<Traffic>
  /** Media streams by who relays them; `mixed` by the kernel one way only. */
  readonly media: {
    readonly userSpace: number | undefined
    readonly kernel: number | undefined
    readonly mixed: number | undefined
  }
}

/** `totalstatistics`: since the node started. */
export interface TotalReport {
  readonly uptimeSeconds: number | undefined
  readonly managedSessions: number | bigint | undefined
  readonly rejectedSessions: number | bigint | undefined
  /** Sessions that ended, by why. */
  readonly ended: {
    readonly timeout: number | bigint | undefined
    readonly silentTimeout: number | bigint | undefined
    readonly finalTimeout: number | bigint | undefined
    readonly offerTimeout: number | bigint | undefined
    readonly regular: number | bigint | undefined
    readonly forced: number | bigint | undefined
  }
  readonly relayed: Relayed<Traffic>
  /** Calls in which no RTP came at all, and in which it came from one side alone. */
  readonly zeroWayStreams: number | bigint | undefined
  readonly oneWayStreams: number | bigint | undefined
  readonly averageCallSeconds: number | undefined
  readonly totalCallSeconds: number | undefined
}

/** One interface and address that media goes through. */
export interface InterfaceReport {
  readonly name: string | undefined
  readonly address: string | undefined
  readonly ports: {
    readonly min: number | undefined
    readonly max: number | undefined
    readonly used: number | undefined
    readonly free: number | undefined
    readonly total: number | undefined
    readonly last: number | undefined
    readonly usedPercent: number | undefined
  }
}

/** The MOS of all calls, from 1.0 to about 4.4. */
export interface MosReport {
  readonly average: number | undefined
  readonly deviation: number | undefined
  readonly samples: number | bigint | undefined
}

/** One kind of transcoding that is under way, per second. */
export interface TranscoderReport {
  /** As in `PCMA -> opus`. */
  readonly chain: string | undefined
  readonly count: number | undefined
  readonly packetRate: number | bigint | undefined
  readonly byteRate: number | bigint | undefined
  readonly sampleRate: number | bigint | undefined
}

/** The reply of `statistics`. What the reply lacks, or has with the wrong type, is undefined or empty. */
export interface NodeReport {
  readonly current: CurrentReport
  readonly totals: TotalReport
  readonly interval: IntervalReport
  readonly control: ControlReport
  readonly interfaces: readonly InterfaceReport[]
  readonly mos: MosReport
  readonly transcoders: readonly TranscoderReport[]
}

/** Reads the decoded reply of `statistics`: numbers that come as text become numbers. Never throws. */
export function nodeReport(reply: NgReply): NodeReport {
  const of = child(dictionary(reply), 'statistics')
  return {
    current: currentReport(child(of, 'currentstatistics')),
    totals: totalReport(child(of, 'totalstatistics')),
    interval: intervalReport(child(of, 'intervalstatistics')),
    control: controlReport(child(of, 'controlstatistics')),
    interfaces: children(of, 'interfaces').map(interfaceReport),
    mos: mosReport(child(of, 'mos')),
    transcoders: children(of, 'transcoders').map(transcoderReport),
  }
}

function currentReport(of: NgReply | undefined): CurrentReport {
  return {
    sessions: {
      own: whole(of, 'sessionsown'),
      foreign: whole(of, 'sessionsforeign'),
      total: whole(of, 'sessionstotal'),
    },
    transcodedMedia: whole(of, 'transcodedmedia'),
    rates: relayed(of, ['packetrate', 'byterate', 'errorrate']),
    media: {
      userSpace: whole(of, 'media_userspace'),
      kernel: whole(of, 'media_kernel'),
      mixed: whole(of, 'media_mixed'),
    },
  }
}

function totalReport(of: NgReply | undefined): TotalReport {
  return {
    uptimeSeconds: whole(of, 'uptime'),
    managedSessions: integer(of, 'managedsessions'),
    rejectedSessions: integer(of, 'rejectedsessions'),
    ended: {
      timeout: integer(of, 'timeoutsessions'),
      silentTimeout: integer(of, 'silenttimeoutsessions'),
      finalTimeout: integer(of, 'finaltimeoutsessions'),
      offerTimeout: integer(of, 'offertimeoutsessions'),
      regular: integer(of, 'regularterminatedsessions'),
      forced: integer(of, 'forcedterminatedsessions'),
    },
    relayed: relayed(of, ['relayedpackets', 'relayedbytes', 'relayedpacketerrors']),
    zeroWayStreams: integer(of, 'zerowaystreams'),
    oneWayStreams: integer(of, 'onewaystreams'),
    averageCallSeconds: decimal(of, 'avgcallduration'),
    totalCallSeconds: decimal(of, 'totalcallsduration'),
  }
}

function relayed(of: NgReply | undefined, keys: readonly [string, string, string]): Relayed<Traffic> {
  const [packets, bytes, errors] = keys
  const by = (suffix: string): Traffic => ({
    packets: integer(of, packets + suffix),
    bytes: integer(of, bytes + suffix),
    errors: integer(of, errors + suffix),
  })
  return { all: by(''), userSpace: by('_user'), kernel: by('_kernel') }
}

function interfaceReport(of: NgReply): InterfaceReport {
  const ports = child(of, 'ports')
  return {
    name: text(of, 'name'),
    address: text(of, 'address'),
    ports: {
      min: unsigned(ports, 'min', 65535),
      max: unsigned(ports, 'max', 65535),
      used: whole(ports, 'used'),
      free: whole(ports, 'free'),
      total: whole(ports, 'totals'),
      last: unsigned(ports, 'last', 65535),
      usedPercent: decimal(ports, 'used_pct'),
    },
  }
}

function mosReport(of: NgReply | undefined): MosReport {
  return {
    average: decimal(of, 'mos_average'),
    deviation: decimal(of, 'mos_stddev'),
    samples: integer(of, 'mos_samples_total'),
  }
}

function transcoderReport(of: NgReply): TranscoderReport {
  return {
    chain: text(of, 'chain'),
    count: whole(of, 'num'),
    packetRate: integer(of, 'packetrate'),
    byteRate: integer(of, 'byterate'),
    sampleRate: integer(of, 'samplerate'),
  }
}
