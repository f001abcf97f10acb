/**
 * For operators: JSON-RPC, health check, status page.
 *
 * @module rtpproxy-ng/management
 */

export type { PingResult, SetSummary } from './rpc/methods.ts'
export type { ManagementOptions, MetricsRegistry } from './server/options.ts'
export { type ManagementServer, managementServer } from './server/server.ts'
