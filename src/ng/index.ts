/**
 * The NG protocol without SIP.
 *
 * @module rtpproxy-ng/ng
 */

export {
  type DtmfCounters,
  type DtmfEvent,
  DtmfEvents,
  type DtmfEventsOptions,
  type DtmfReaderOptions,
} from '../dtmf/events.ts'
export type { DroppedReplies } from '../network/requests/dropped.ts'
export type { WebOptions, WebTlsOptions } from '../network/web/address.ts'
export { NgCommands } from '../protocol/commands/ng-commands.ts'
export type { DtmfReceiver } from '../protocol/commands/notification.ts'
export type {
  Answered,
  NgReplies,
  NgReply,
  PartyReply,
  ReplyTo,
  Warned,
  WithSdp,
} from '../protocol/commands/replies.ts'
export {
  type CallParty,
  type CallReport,
  type CallTotals,
  callReport,
  type MediaReport,
  type MosProgression,
  type MosSample,
  type NetworkEndpoint,
  type Quality,
  type SsrcReport,
  type StreamReport,
} from '../protocol/replies/call-report.ts'
export type { Counters as StreamCounters } from '../protocol/replies/counters.ts'
export {
  type CommandInterval,
  type CommandUse,
  type ControlReport,
  type CurrentReport,
  type InterfaceReport,
  type IntervalReport,
  type MosReport,
  type NodeReport,
  nodeReport,
  type Relayed,
  type Spread,
  type TotalReport,
  type Traffic,
  type TranscoderReport,
} from '../protocol/replies/node-report.ts'
export { mosVariables, namedStatistic } from '../protocol/replies/quality.ts'
export type { RtpengineFlags, ViaBranchChoice } from '../protocol/rtpengine-flags/flags.ts'
export { parseKamailioFlags, printKamailioFlags } from '../protocol/rtpengine-flags/kamailio.ts'
export { parseOpenSipsFlags, printOpenSipsFlags } from '../protocol/rtpengine-flags/opensips.ts'
export { checkParameters } from '../protocol/vocabulary/check.ts'
export { COMMANDS, type Command as NgCommand, type NgCommandName } from '../protocol/vocabulary/commands.ts'
export { FLAG_PREFIXES, FLAGS, LATER_FLAG_PREFIXES, type NgFlag } from '../protocol/vocabulary/flags.ts'
export { KEYS } from '../protocol/vocabulary/keys.ts'
export type { Strictness } from '../protocol/vocabulary/strict.ts'
export type { NgParameters, ParametersOf } from '../protocol/vocabulary/types.ts'
export type { Key as NgKey, Value as NgValue } from '../protocol/vocabulary/values.ts'
export {
  type CallCarrier,
  type MediaBranch,
  MediaCall,
  type MediaCallOptions,
  type RestoredMedia,
} from '../session/call.ts'
export {
  type MediaTimeout,
  MediaTimeouts,
  type MediaTimeoutsCounters,
  type MediaTimeoutsEvents,
  type MediaTimeoutsOptions,
} from '../timeouts/timeouts.ts'
export {
  type AnswerParameters,
  type CallParameters,
  type NgCallOptions,
  NgClient,
  type OfferParameters,
} from './client.ts'
export type { NgClientOptions } from './options.ts'
