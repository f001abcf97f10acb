import type { BranchSource, MessageCommand } from '../../core/ng.ts'
import { FlagError } from '../../errors.ts'

/** What a flag string asks for, made once for each distinct string and command. */
export interface FlagPlan {
  readonly command: MessageCommand
  /** The bencoded pairs between `sdp` and `call-id`. */
  readonly pairs: Buffer
  /** 1, 2: branch of that Via; 3: the value of `extra_id_pv`; 0: no `via-branch`. */
  readonly branch: BranchSource
  /** Flag `t` was given. */
  readonly t: boolean
}

/** Values of the lists `flags`, `direction` and `replace` that a letter adds to. */
const LISTED: Record<string, readonly [list: 'direction' | 'flags' | 'replace', ...values: string[]]> = {
  a: ['flags', 'asymmetric', 'trust-address'],
  r: ['flags', 'trust-address'],
  w: ['flags', 'symmetric'],
  f: ['flags', 'force'],
  x: ['flags', 'auto-bridge'],
  i: ['direction', 'internal'],
  e: ['direction', 'external'],
  o: ['replace', 'origin'],
  c: ['replace', 'session-connection'],
}

const PROTOCOLS = ['RTP/AVP', 'RTP/SAVP', 'RTP/AVPF', 'RTP/SAVPF'] as const
const SECURE = 1
const FEEDBACK = 2

/** Longest flag string taken, in characters: far beyond any sensible one, and room enough in the core. */
const MAX_LENGTH = 1024
/** The module reads the number of `z` into a C int. */
const MAX_PACKET_TIME = 0x7fff_ffff

const text = (value: string): string => `${Buffer.byteLength(value)}:${value}`
const list = (values: readonly string[]): string => `l${values.map(text).join('')}e`

/**
 * Reads a flag string of the module: one character each, upper case meaning the same except for `s S p P`.
 *
 * @param isRequest whether the message is a request: what `3` means depends on it.
 * @throws FlagError `ERR_RTPPROXY_FLAG` with the place of the first character that is wrong.
 */
function parseFlags(flags: string, command: MessageCommand, isRequest: boolean): FlagPlan {
  if (flags.length > MAX_LENGTH) {
    throw new FlagError(
      flags,
      MAX_LENGTH,
      `flag string of ${flags.length} characters; the limit is ${MAX_LENGTH}`,
    )
  }
  const lists = { direction: [] as string[], flags: [] as string[], replace: [] as string[] }
  let effective = command
  let inOrder = ''
  let branch: BranchSource = 0
  let t = false
  let transport: number | undefined

  for (let at = 0; at < flags.length; at++) {
    const given = flags.charAt(at)
    const flag = 'SP'.includes(given) ? given : given.toLowerCase()
    switch (flag) {
      case '1':
        branch = 1
        break
      case '2':
        branch = 2
        break
      case '3':
        branch = isRequest ? 1 : 2
        break
      case 'b':
        branch = 3
        break
      case 'l':
        if (effective !== 'offer')
          throw new FlagError(flags, at, `flag '${given}' cannot turn ${effective} into an answer`)
        effective = 'answer'
        break
      case 't':
        t = true
        break
      case 'z': {
        const digits = /^[0-9]*/.exec(flags.slice(at + 1))![0]
        const packetTime = Number(digits)
        if (packetTime > MAX_PACKET_TIME)
          throw new FlagError(flags, at, `flag 'z' asks for packets of ${digits} ms`)
        if (packetTime > 0) inOrder += `11:repacketizei${packetTime}e`
        at += digits.length
        break
      }
      case '+':
        inOrder += '3:ICE5:force'
        break
      case '-':
        inOrder += '3:ICE6:remove'
        break
      case 's':
        transport = (transport ?? 0) & ~SECURE
        break
      case 'S':
        transport = (transport ?? 0) | SECURE
        break
      case 'p':
        transport = (transport ?? 0) & ~FEEDBACK
        break
      case 'P':
        transport = (transport ?? 0) | FEEDBACK
        break
      default: {
        const listed = Object.hasOwn(LISTED, flag) ? LISTED[flag] : undefined
        if (listed === undefined)
          throw new FlagError(flags, at, `unknown flag '${given}' at ${at} of '${flags}'`)
        const [name, ...values] = listed
        lists[name].push(...values)
      }
    }
  }

  let pairs = inOrder
  // Only what carries SDP has anything to direct, flag or replace: the module leaves these out of other commands.
  if (command === 'offer' || command === 'answer') {
    for (const name of ['direction', 'flags', 'replace'] as const) {
      if (lists[name].length > 0) pairs += text(name) + list(lists[name])
    }
  }
  if (transport !== undefined) pairs += text('transport-protocol') + text(PROTOCOLS[transport]!)
  return { command: effective, pairs: Buffer.from(pairs), branch, t }
}

/** Bounds the memory of plans: a configuration has a handful of flag strings, unless they are made from user input. */
const MAX_PLANS = 256

type Plans = Map<string, FlagPlan>
/** By command and kind of message first: the flag string itself is then the key, and its hash is known already. */
const requestPlans = new Map<MessageCommand, Plans>()
const replyPlans = new Map<MessageCommand, Plans>()

/** `parseFlags`, with the plans of the strings seen lately kept. */
export function flagPlan(flags: string, command: MessageCommand, isRequest: boolean): FlagPlan {
  const byCommand = isRequest ? requestPlans : replyPlans
  let plans = byCommand.get(command)
  if (plans === undefined) {
    plans = new Map()
    byCommand.set(command, plans)
  }
  let plan = plans.get(flags)
  if (plan === undefined) {
    plan = parseFlags(flags, command, isRequest)
    if (plans.size >= MAX_PLANS) plans.delete(plans.keys().next().value!)
    plans.set(flags, plan)
  }
  return plan
}
