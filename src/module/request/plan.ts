import { encode } from '../../core/bencode.ts'
import type { MessageCommand, RequestPlan } from '../../core/ng.ts'
import { BRANCH_GIVEN } from '../../core/ng.ts'
import { SipError } from '../../errors.ts'
import { isIPv4 } from '../../protocol/ip.ts'
import type { SipMessage } from '../message.ts'
import type { CheckedOptions } from '../options/check.ts'
import { flagPlan } from './flags.ts'

/** What a call of a function gives beside the message. */
export interface PlanInput {
  readonly flags?: string | undefined
  readonly address?: string | undefined
  readonly extraId?: string | null | undefined
}

/**
 * What the NG request of `command` takes from flags, address and source.
 *
 * @throws FlagError, or SipError `ERR_RTPPROXY_NO_EXTRA_ID` when flag `b` finds no value.
 */
export function requestPlan(
  command: MessageCommand,
  message: SipMessage,
  given: PlanInput,
  options: CheckedOptions,
): RequestPlan {
  const plan = flagPlan(given.flags ?? '', command, message.isRequest)
  let branchValue: Buffer | undefined
  if (plan.branch === BRANCH_GIVEN) {
    const value = given.extraId ?? options.extraId?.(message)
    if (typeof value !== 'string' || value === '') {
      throw new SipError(
        'ERR_RTPPROXY_NO_EXTRA_ID',
        `${command}: flag 'b' was given, but there is no extra id`,
      )
    }
    branchValue = Buffer.from(value)
  }
  return {
    command: plan.command,
    flags: plan.pairs,
    // Only a delete is about one party or about all, so only there does flag `t` decide.
    toTag: plan.command !== 'delete' || plan.t === (options.toTagFlag === 'includes'),
    branch: plan.branch,
    branchValue,
    middle: middlePairs(message.source.address, given.address),
  }
}

/** Few sources send many messages (a proxy's neighbours), so the pairs of those seen lately are kept, with the last address. */
const MAX_SOURCES = 1024
interface SourcePairs {
  readonly receivedFrom: Buffer
  address: string
  both: Buffer
}
const sources = new Map<string, SourcePairs>()

/** `received-from` and, with an address, `media address`, as they stand in the dictionary. */
export function middlePairs(source: string, address: string | undefined): Buffer {
  let known = sources.get(source)
  if (known === undefined) {
    const receivedFrom = pair('received-from', familyAndAddress(source))
    known = { receivedFrom, address: '', both: receivedFrom }
    if (sources.size >= MAX_SOURCES) sources.delete(sources.keys().next().value!)
    sources.set(source, known)
  }
  if (!address) return known.receivedFrom
  if (known.address !== address) {
    known.both = Buffer.concat([known.receivedFrom, pair('media address', address)])
    known.address = address
  }
  return known.both
}

/** A socket for both families shows IPv4 peers as `::ffff:192.0.2.7`; such a peer is an IPv4 peer all the same. */
function familyAndAddress(source: string): [family: 'IP4' | 'IP6', address: string] {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(source)?.[1] ?? source
  return isIPv4(mapped) ? ['IP4', mapped] : ['IP6', writtenOut(source)]
}

/** One key-value pair as it stands inside a dictionary. */
function pair(key: string, value: string | string[]): Buffer {
  return Buffer.concat([encode(key), encode(value)])
}

/**
 * An IPv6 address with all eight groups and without compression, as the module writes it: `0:0:0:0:0:0:0:1`. A zone
 * (`%eth0`) means nothing to another host and is left out.
 */
export function writtenOut(address: string): string {
  let text = address.replace(/%.*$/, '')
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number]
    text = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  }
  const [head = '', tail] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}
