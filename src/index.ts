/**
 * Media proxies for SIP servers.
 *
 * @module rtpproxy-ng
 */

export type { LogBodies } from './diagnostics/bodies.ts'
export type { Logger, LogLevel } from './diagnostics/levels.ts'
export {
  BencodeError,
  type CommandContext,
  ConfigurationError,
  type ErrorCode,
  FlagError,
  NgError,
  NodeError,
  ParameterError,
  RtpProxyNgError,
  SdpError,
  SipError,
} from './errors.ts'
export type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  DestroyResult,
  ManageOptions,
  ManageResult,
  MessageOptions,
  NodeReply,
  OfferOptions,
  ReanchorResult,
  RewriteResult,
  StatisticsResult,
} from './module/calls.ts'
export { RtpProxyNg } from './module/client.ts'
export type { Counters } from './module/counters.ts'
export type { Route } from './module/manage.ts'
export { SipMessage, type SourceAddress } from './module/message.ts'
export type { DeathCause, RtpProxyNgOptions } from './module/options/options.ts'
export type { Orphan, OrphanOptions, OrphanReport } from './module/orphans.ts'
export type { RtpProxyNgEvents } from './module/proxies.ts'
export type { FlagGrammar } from './module/request/rtpengine-flags.ts'
export type { CallStatistics, QueryReply, TrafficCounters } from './module/statistics.ts'
export type { NameResolver, ServiceRecord } from './network/names.ts'
export type { DroppedReplies, DroppedReply } from './network/requests/dropped.ts'
export type { CallKey } from './nodes/affinity/calls.ts'
export type { SharedCallsCounters } from './nodes/affinity/shared.ts'
export type { CallStore } from './nodes/affinity/store.ts'
export type { Balanced, BalancedCall, Balancing, BalancingFunction } from './nodes/balancing.ts'
export type { FailoverOn } from './nodes/dispatch/failover.ts'
export type { CommandTrace } from './nodes/dispatch/trace.ts'
export type { NodeChange } from './nodes/health/change.ts'
export type { NodeState, NodeStatus } from './nodes/node.ts'
export type { Coding } from './nodes/transports.ts'
export type { DtmfReceiver } from './protocol/commands/notification.ts'
export type { Strictness } from './protocol/vocabulary/strict.ts'
export type { NgParameters } from './protocol/vocabulary/types.ts'
