import type { QueryReply } from '../../module/statistics.ts'
import { callReport } from '../../protocol/replies/call-report.ts'
import { mosVariables } from '../../protocol/replies/quality.ts'

/**
 * What the reply to a query or delete has for each of the `mos_` parameters.
 *
 * @param parameters which of them are wanted.
 * @param labels how the parties A and B were labelled when they offered or answered.
 */
export function qualityValues(
  reply: QueryReply,
  parameters: Iterable<string>,
  labels: { readonly A: string | undefined; readonly B: string | undefined },
): Map<string, string> {
  const figures = mosVariables(callReport(reply), labels)
  const values = new Map<string, string>()
  for (const parameter of parameters) {
    const value = figures[parameter.replace(/_pv$/, '')]
    if (value !== undefined) values.set(parameter, value)
  }
  return values
}

/** `RTP: B bytes, P packets, E errors; RTCP: B bytes, P packets, E errors`; -1 for a counter the reply lacks. */
export function totalsText(reply: QueryReply): string | null {
  const totals = reply.totals as QueryReply | undefined
  const part = (name: 'RTP' | 'RTCP'): string | undefined => {
    const counters = totals?.[name]
    if (typeof counters !== 'object' || Array.isArray(counters)) return undefined
    const { bytes, packets, errors } = counters as QueryReply
    return `${name}: ${bytes ?? -1} bytes, ${packets ?? -1} packets, ${errors ?? -1} errors`
  }
  const [rtp, rtcp] = [part('RTP'), part('RTCP')]
  return rtp === undefined || rtcp === undefined ? null : `${rtp}; ${rtcp}`
}
