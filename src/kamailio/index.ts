/**
 * Kamailio's modules `rtpproxy-ng` and `rtpengine` under their own names.
 *
 * @module rtpproxy-ng/kamailio
 */

export type { KamailioMessage, MessageContext } from './message.ts'
export { type BeyondModule, type KamailioModule, loadModule } from './module.ts'
export type { ModuleParametersInput } from './parameters.ts'
export type { DtmfRoute } from './rtpengine/dtmf.ts'
export type { Flags, ViaBranch } from './rtpengine/functions.ts'
export { type BeyondRtpengine, loadRtpengine, type RtpengineModule } from './rtpengine/module.ts'
export type { ParameterWarning, RtpengineParameters } from './rtpengine/parameters.ts'
export type { RpcNode, RpcOutcome, RpcResult } from './rtpengine/rpc.ts'
export type { ReturnCode } from './script.ts'
