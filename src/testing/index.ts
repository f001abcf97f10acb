/**
 * A media proxy for the tests of SIP applications.
 *
 * @module rtpproxy-ng/testing
 */

export type { Carrier } from '../relay/control/message.ts'
export type { FakeCall, FakeParty } from './calls.ts'
export type { DtmfEvent } from './dtmf.ts'
export { FakeRtpEngine, type FakeRtpEngineOptions } from './engine.ts'
export type { ReceivedCommand } from './log.ts'
export type { Weather } from './network/weather.ts'
export type { Script, Scripted, ScriptOptions } from './script.ts'
