import type { LogBodies } from '../../diagnostics/bodies.ts'
import type { Logger, LogLevel } from '../../diagnostics/levels.ts'
import type { NameResolver } from '../../network/names.ts'
import type { ExchangeFailure } from '../../network/transport.ts'
import type { WebOptions } from '../../network/web/address.ts'
import type { CallStore } from '../../nodes/affinity/store.ts'
import type { Balancing } from '../../nodes/balancing.ts'
import type { FailoverOn } from '../../nodes/dispatch/failover.ts'
import type { Coding } from '../../nodes/transports.ts'
import type { DtmfReceiver } from '../../protocol/commands/notification.ts'
import type { Strictness } from '../../protocol/vocabulary/strict.ts'
import type { SipMessage } from '../message.ts'
import type { FlagGrammar } from '../request/rtpengine-flags.ts'

/** A failure that can count against a media proxy: no answer, a closed port, no way there. */
export type DeathCause = Extract<ExchangeFailure['kind'], 'timeout' | 'refused' | 'unreachable'>

/** What `new RtpProxyNg` takes. Where the module has the parameter, the default is the module's. */
export interface RtpProxyNgOptions {
  /**
   * The media proxies: strings of `[ID ==] URL[=WEIGHT] ...`, each one set (default id 0); a URL is `udp:HOST[:PORT]`,
   * `udp6:HOST[:PORT]`, `tcp:HOST[:PORT]`, `ws://HOST[:PORT]`, `wss:`, `http://HOST[:PORT]/ng`, `https:`, `unix:PATH` or a bare UNIX
   * path; two of them for one media proxy are `udp:... | tcp:...`. Default: none, and then every command fails.
   */
  readonly sockets?: string | readonly string[] | undefined
  /** How long to wait for a reply to one sending, in milliseconds. Default 1000. */
  readonly timeoutMs?: number | undefined
  /** How many times one command is sent to one media proxy in all. Default 5. */
  readonly attempts?: number | undefined
  /** Resends follow the measured round-trip time (RFC 6298), doubling, within `timeoutMs` x `attempts` and 30 seconds. Default false. */
  readonly adaptive?: boolean | undefined
  /** How long a command may take in all, in milliseconds; 0: as long as its attempts take. Default 0. A call may say otherwise. */
  readonly deadlineMs?: number | undefined

  /** How commands are written: `bencode` (default) or `json`, for those who read the traffic. JSON goes over UDP, WebSocket and HTTP. */
  readonly coding?: Coding | undefined
  /** Headers and TLS settings of WebSocket and HTTP connections, for a proxy in front of the media proxies. */
  readonly web?: WebOptions | undefined
  /**
   * Takes the keys pressed in calls that media proxies report over their `tcp:` connections (rtpengine's `--dtmf-log-ng-tcp`): a
   * `DtmfEvents`, which stays open when this client is closed.
   */
  readonly dtmf?: DtmfReceiver | undefined
  /**
   * Refuse commands, parameters and flags the NG protocol does not know, with `ERR_RTPPROXY_PARAMETER`; `'10.5'`: also those that came after
   * rtpengine 10.5. Default false: rtpengine ignores them.
   */
  readonly strict?: Strictness | undefined
  /**
   * How `rtpengineFlags` are read: `kamailio` (default) or `opensips`, by the grammar of that module; `rtpengine` sends them as
   * `rtpp-flags` to be read there (rtpengine 12.4 and later).
   */
  readonly flagGrammar?: FlagGrammar | undefined

  /** How long a media proxy that did not answer is left alone, in milliseconds. Default 60000. */
  readonly disableMs?: number | undefined
  /** What takes a media proxy out of use. Default all: `['timeout', 'refused', 'unreachable']`. */
  readonly deadOn?: readonly DeathCause[] | undefined
  /** How many unanswered commands in a row take a media proxy out of use. Default 1. */
  readonly deadAfter?: number | undefined
  /** Ping a media proxy before unanswered commands take it out of use: their replies may be too large for the path. Default false. */
  readonly confirmDead?: boolean | undefined
  /** After how many unanswered sends a command goes on to the next media proxy, while a ping finds out. Default: `attempts`. */
  readonly suspectAttempts?: number | undefined
  /** Try a media proxy whose time has come with one command instead of a ping. Default false. */
  readonly halfOpen?: boolean | undefined
  /** Ping media proxies that were silent for so long, in milliseconds, 10 % more or less; 0 (default): never. */
  readonly pingMs?: number | undefined
  /**
   * Ping media proxies at the start, and those that `setNodes` or a name adds. Default true; false: they count as up until a command, or
   * a ping by `pingMs`, finds otherwise.
   */
  readonly pingAtStart?: boolean | undefined
  /** Ping all media proxies of a set at once when none of them is left for a command. Default true. */
  readonly redetect?: boolean | undefined
  /** How many media proxies one command is sent to at most, one after the other, before it fails. Default: all that can be used. */
  readonly nodesPerCommand?: number | undefined
  /** How long a media proxy that had no room for a call is spared new ones, in milliseconds. Default 10000. */
  readonly spareMs?: number | undefined
  /**
   * Which `error` replies send an offer of a new call on to the next media proxy, beside those that say it is full: expressions for the
   * reason, or a function. Default: none, and the call fails with the error.
   */
  readonly failoverOn?: FailoverOn | undefined

  /** Who takes a new call: `checksum` (default, the module's), `rendezvous`, `least-open`, or a function of yours. */
  readonly balancing?: Balancing | undefined
  /** Media proxies of weight 0 take calls when no other can. Default false: never, as in the module. */
  readonly lastResort?: boolean | undefined
  /**
   * Whether a call stays on the media proxy that took it, and how many calls (default 100000) are remembered for how long after their
   * last use (default 4 hours, in milliseconds). Default true; false: every command is balanced, as in the module.
   */
  readonly affinity?: boolean | { readonly limit?: number; readonly lifetimeMs?: number } | undefined
  /** Shares calls and the state of media proxies with other SIP proxies: see `rtpproxy-ng/redis`. Needs `affinity`. */
  readonly store?: CallStore | undefined
  /** How long a command waits for the store at most, in milliseconds. Default 50. */
  readonly storeWaitMs?: number | undefined
  /**
   * Signs the token that names a call's media proxy (`token` of a result), 16 bytes or more; of several keys the first signs and all
   * are good. Default: none, and no tokens.
   */
  readonly tokenKey?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** How long a token is good, in milliseconds. Default 24 hours. */
  readonly tokenMs?: number | undefined

  /** How many commands may be under way at once; a tenth of it only deletes may use. Default 100000. */
  readonly openLimit?: number | undefined
  /** The same at one media proxy. Default 20000. */
  readonly nodeOpenLimit?: number | undefined
  /** How many deletes for media proxies that are out of order are kept until those are back. Default 10000. */
  readonly rememberedDeletes?: number | undefined

  /**
   * What a host name stands for: `first` (default) its first address, `all` a media proxy at each of its addresses, `srv` (for names
   * that begin with `_`) one for each SRV record (RFC 2782).
   */
  readonly names?: 'first' | 'all' | 'srv' | undefined
  /** Who looks names up, for every transport; asked for at most 5 seconds at a time. Default: the system. */
  readonly resolver?: NameResolver | undefined
  /**
   * IP address of this host to send from, over UDP, TCP, WebSocket and HTTP; a link-local one may name its interface (`fe80::1%eth0`).
   * Media proxies must be of its family, and names are looked up in it. Default: as the system chooses.
   */
  readonly localAddress?: string | undefined
  /** How often names are looked up again, in milliseconds; 0 (default): only when a socket is opened. */
  readonly resolveMs?: number | undefined

  /** For how many calls the last offer and answer are kept, so that `reanchor` can replay them. Default 0: none. Needs `affinity`. */
  readonly keepDialogs?: number | undefined
  /** Where flag `b` takes its `via-branch` from, unless the call names one. Default: nowhere, and flag `b` fails. */
  readonly extraId?: ((message: SipMessage) => string | null | undefined) | undefined
  /**
   * What flag `t` does to a delete. `'includes'` (default) is what the module does: without `t` a delete leaves the To tag
   * out, with `t` it is there. `'omits'` is what the module's manual says: the reverse.
   */
  readonly toTagFlag?: 'includes' | 'omits' | undefined
  /** Where to log: pino, or a child of it, or `console`. Default: nowhere. docs/observability.md lists what is said. */
  readonly logger?: Logger | undefined
  /** From which level on: `debug` (every command), `info` (default: states of media proxies), `warn` (failures) or `error`. */
  readonly logLevel?: LogLevel | undefined
  /**
   * What of commands and replies `debug` shows: `none` (default), `redacted`: with SDP, but without the keys in it, or `all`. SDP tells
   * addresses, and keys open the media: mind who reads the log.
   */
  readonly logBodies?: LogBodies | undefined
  /** How many INVITE transactions `manage` remembers at most. Default 100000. */
  readonly transactionLimit?: number | undefined
  /** How long `manage` remembers a transaction after its last message, in milliseconds. Default 300000. */
  readonly transactionMs?: number | undefined
}
