export {
  BencodeError,
  ConfigurationError,
  type ErrorCode,
  FlagError,
  NgError,
  NodeError,
  RtpProxyNgError,
  SdpError,
  SipError,
} from './errors.ts'
export type {
  CallOptions,
  CommandResult,
  DestroyOptions,
  ManageOptions,
  ManageResult,
  OfferOptions,
  RewriteResult,
  StatisticsResult,
} from './module/calls.ts'
export { RtpProxyNg, type RtpProxyNgEvents } from './module/client.ts'
export type { Route } from './module/manage.ts'
export { SipMessage, type SourceAddress } from './module/message.ts'
export type { RtpProxyNgOptions } from './module/options.ts'
export type { CallStatistics, QueryReply, TrafficCounters } from './module/statistics.ts'
export type { DroppedReplies } from './network/open-requests.ts'
export type { NodeStatus } from './nodes/node.ts'
