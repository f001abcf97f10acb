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
export {
  type CallOptions,
  type CommandResult,
  type DestroyOptions,
  type ManageOptions,
  type ManageResult,
  type OfferOptions,
  type RewriteResult,
  RtpProxyNg,
  type RtpProxyNgEvents,
  type StatisticsResult,
} from './module/client.ts'
export type { Route } from './module/manage.ts'
export { SipMessage, type SourceAddress } from './module/message.ts'
export type { RtpProxyNgOptions } from './module/options.ts'
export type { CallStatistics, QueryReply, TrafficCounters } from './module/statistics.ts'
export type { NodeStatus } from './nodes/node.ts'
