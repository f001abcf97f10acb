import pc from 'picocolors'
import { decode } from '../../core/bencode.ts'
import { listenTo } from '../../diagnostics/subscriptions.ts'
import { NgError } from '../../errors.ts'
import type { RewriteResult } from '../../module/calls.ts'
import { RtpProxyNg } from '../../module/client.ts'
import { SipMessage, type SourceAddress } from '../../module/message.ts'
import { COOKIE_LENGTH } from '../../protocol/cookie.ts'
import { EmbeddedRelay } from '../../relay/index.ts'
import { milliseconds } from '../figures.ts'
import { readInput } from '../input.ts'
import { type ExitCode, UsageError } from '../outcome.ts'
import { jsonOf, type Report } from '../report.ts'

interface OfferOptions {
  readonly rtpengine?: string
  readonly flags?: string
  readonly rtpengineFlags?: string
  readonly as: 'offer' | 'answer' | 'delete' | 'query'
  readonly source: string
  readonly keep?: boolean
}

/** Longest file, in bytes: more than any SIP message that is taken. */
const LONGEST = 1024 * 1024

/** No trial leaves calls behind. */
const AT_ONCE = { parameters: { 'delete-delay': 0 } }

/** What went over the wire, and what became of the message. */
interface Trial {
  readonly node: string
  readonly sent: unknown
  readonly reply: unknown
  readonly ms: number
  /** The message after, if it was rewritten. */
  readonly message: string | null
  readonly warning: string | null
  /** Why the media proxy refused. */
  readonly error: string | null
}

/** Sends the command of one SIP message, and shows everything. */
export async function offer(report: Report, options: OfferOptions, file: string): Promise<ExitCode> {
  const message = SipMessage.parse(withLineEnds(await readInput(file, LONGEST)), sourceOf(options.source))
  const relay = options.rtpengine === undefined ? new EmbeddedRelay() : undefined
  await relay?.start()
  const media = new RtpProxyNg({ sockets: options.rtpengine ?? relay!.urls, attempts: 2 })
  let down: Error | undefined
  media.once('node:down', (_, reason) => {
    down = reason
  })
  try {
    await media.start()
    if (down !== undefined) throw down
    const trial = await tried(media, message, options)
    report.result(trial, (trial) => show(report, trial))
    return trial.error === null ? 0 : 1
  } finally {
    await media.close()
    await relay?.close()
  }
}

async function tried(media: RtpProxyNg, message: SipMessage, options: OfferOptions): Promise<Trial> {
  const { as, flags, rtpengineFlags, keep } = options
  let seen: Omit<Trial, 'message' | 'warning' | 'error'> | undefined
  const end = listenTo(media, {
    ended: ({ command, node = '', datagram, reply, durationMs = 0 }) => {
      if (command === 'ping') return
      const text = { encoding: 'utf8' } as const
      seen ??= {
        node,
        sent: decode(datagram.subarray(COOKIE_LENGTH + 1), text),
        reply: reply === undefined ? null : decode(reply, { ...text, tolerant: true }),
        ms: durationMs,
      }
    },
  })
  const chosen = { flags, rtpengineFlags }
  try {
    const result =
      as === 'offer' || as === 'answer'
        ? await media[as](message, chosen)
        : await media.command(as, message, as === 'delete' ? chosen : {})
    end()
    if ((as === 'offer' || as === 'answer') && !keep)
      await media.destroy(message, AT_ONCE).catch(() => undefined)
    const { message: after, warning } = result as Partial<RewriteResult>
    return { ...seen!, message: after?.toString() ?? null, warning: warning ?? null, error: null }
  } catch (error) {
    // What was refused is worth a look; what was never answered is an error like any other.
    if (!(error instanceof NgError) || seen === undefined) throw error
    return { ...seen, message: null, warning: null, error: error.message }
  } finally {
    end()
  }
}

function show(report: Report, { node, sent, reply, ms, message, warning, error }: Trial): void {
  report.line(pc.bold(`sent to ${node}`))
  showDictionary(report, sent)
  report.line()
  report.line(pc.bold(`came back in ${milliseconds(ms)}`))
  showDictionary(report, reply)
  if (warning !== null) report.line(pc.yellow(`warning: ${warning}`))
  if (error !== null) report.line(pc.red(`error: ${error}`))
  if (message === null) return
  report.line()
  report.line(pc.bold('the message after'))
  for (const line of message.split(/\r?\n/)) report.line(line)
}

/** A line for each pair; SDP line by line. */
function showDictionary(report: Report, dictionary: unknown): void {
  for (const [key, value] of Object.entries(dictionary ?? {})) {
    if (typeof value === 'string' && value.includes('\n')) {
      report.line(`  ${pc.cyan(key)}:`)
      for (const line of value.trimEnd().split(/\r?\n/)) report.line(`    ${line}`)
      continue
    }
    const [first = '', ...more] = (typeof value === 'string' ? value : textOf(value)).split('\n')
    report.line(`  ${pc.cyan(key)}: ${first}`)
    for (const line of more) report.line(`  ${line}`)
  }
}

/** Short values in one line. */
function textOf(value: unknown): string {
  const short = JSON.stringify(value, (_, entry) => (typeof entry === 'bigint' ? String(entry) : entry))
  return short.length <= 80 ? short : jsonOf(value)
}

/** Editors write LF; SIP and SDP have CRLF. */
function withLineEnds(bytes: Buffer): Buffer {
  if (bytes.includes('\r\n')) return bytes
  return Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
}

function sourceOf(text: string): SourceAddress {
  const [, ipv6, ipv4, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const address = ipv6 ?? ipv4
  if (address === undefined) throw new UsageError(`--source must be ADDRESS:PORT, not '${text}'`)
  return { address, port: Number(port) }
}
