import { NgError } from '../../errors.ts'
import { type BencodeValue, decode } from '../bencode.ts'
import { MAX_INPUT } from '../instance.ts'
import { type ReplySummary, readReply } from '../ng.ts'
import { decodeLarge, type LargeValue } from './bencode.ts'

/** A reply with all that is in it, its strings as text. */
export interface WholeReply {
  readonly summary: ReplySummary
  readonly reply: { readonly [key: string]: BencodeValue<string> }
}

/**
 * Reads all of the reply at `offset`, however large it is: over a stream a `list` or `statistics` can be.
 *
 * @throws NgError `ERR_RTPPROXY_REPLY`: not a bencoded dictionary.
 */
export function readWholeReply(
  bytes: Buffer,
  offset: number,
  command: string,
  node: string | undefined,
): WholeReply {
  if (bytes.length - offset <= MAX_INPUT) {
    const summary = readReply(bytes, offset, command, node)
    return { summary, reply: decode(bytes.subarray(offset), 'utf8') as WholeReply['reply'] }
  }
  try {
    const reply = textOf(decodeLarge(bytes, offset)) as WholeReply['reply']
    return { summary: summaryOf(reply), reply }
  } catch (cause) {
    const message = `${command}: ${node} answered no bencoded dictionary`
    throw new NgError('ERR_RTPPROXY_REPLY', message, { command, node }, { cause })
  }
}

/** The value with its strings as text. */
export function textOf(value: LargeValue): BencodeValue<string> {
  if (Buffer.isBuffer(value)) return value.toString()
  if (Array.isArray(value)) return value.map(textOf)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...value].map(([key, item]) => [key, textOf(item)]))
}

const RESULTS = ['ok', 'pong', 'error', 'load limit'] as const

function summaryOf(reply: WholeReply['reply']): ReplySummary {
  const text = (key: string) => (typeof reply[key] === 'string' ? reply[key] : undefined)
  const resultText = text('result')
  return {
    result: RESULTS.find((one) => one === resultText) ?? 'other',
    resultText,
    hasSdp: text('sdp') !== undefined,
    reason: text('error-reason') ?? text('message'),
    warning: text('warning'),
  }
}
