import { randomBytes } from 'node:crypto'
import type { BencodeInput } from '../../core/bencode.ts'
import { encodeLarge } from '../../core/large/bencode.ts'
import { checkParameters } from '../../protocol/vocabulary/check.ts'
import type { Strictness } from '../../protocol/vocabulary/strict.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import { wireParameters } from '../../protocol/vocabulary/wire.ts'

/** A command made of parameters alone. */
export interface ParameterRequest {
  readonly datagram: Buffer
  readonly callId: string | undefined
  readonly viaBranch: string | undefined
  /** Byte sum of the Call-ID, modulo 256. */
  readonly sum: number
}

/** rtpengine makes up the Call-ID of these when there is none; made up here, the call is known from the start. */
const MAKES_CALL_ID: ReadonlySet<string> = new Set(['publish', 'create', 'transform'])

/**
 * Makes the command `name` of its parameters, behind `room` bytes left free for the cookie.
 *
 * @throws ParameterError, BencodeError
 */
export function parameterRequest(
  name: string,
  given: NgParameters,
  strict: Strictness,
  room: number,
): ParameterRequest {
  const parameters = wireParameters(name, given)
  if (MAKES_CALL_ID.has(name)) parameters['call-id'] ??= randomBytes(32).toString('hex')
  if (strict) checkParameters(name, parameters, strict)
  const datagram = Buffer.concat([Buffer.alloc(room), encodeLarge({ ...parameters, command: name })])
  const callId = callIdOf(parameters)
  return {
    datagram,
    callId: textOf(callId),
    viaBranch: textOf(parameters['via-branch']),
    sum: callId === undefined ? 0 : byteSum(callId),
  }
}

const CALL_ID_KEYS = ['call-id', 'call-ID', 'call id', 'call ID'] as const

/** The call that decides where the command goes; of several that are to be meshed the first. */
function callIdOf(parameters: Record<string, BencodeInput>): BencodeInput | undefined {
  for (const key of CALL_ID_KEYS) if (parameters[key] !== undefined) return parameters[key]
  const { calls } = parameters
  return Array.isArray(calls) ? (calls[0] as BencodeInput | undefined) : undefined
}

function textOf(value: BencodeInput | undefined): string | undefined {
  if (value === undefined) return undefined
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}

export function byteSum(callId: BencodeInput): number {
  const bytes = callId instanceof Uint8Array ? callId : Buffer.from(String(callId))
  let sum = 0
  for (const byte of bytes) sum += byte
  return sum & 0xff
}
