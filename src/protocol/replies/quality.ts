import type { CallReport, MosSample, SsrcReport } from './call-report.ts'

/** As on the wire: MOS times ten, round trips in microseconds. */
type Measure = 'mos' | 'packetloss' | 'jitter' | 'roundtrip' | 'roundtrip_leg' | 'samples'

const MEASURES: Record<Measure, (sample: MosSample) => number | undefined> = {
  mos: ({ mos }) => scaled(mos, 10),
  packetloss: ({ packetLoss }) => packetLoss,
  jitter: ({ jitterMs }) => jitterMs,
  roundtrip: ({ roundTripMs }) => scaled(roundTripMs, 1000),
  roundtrip_leg: ({ roundTripLegMs }) => scaled(roundTripLegMs, 1000),
  samples: ({ samples }) => samples,
}
const AVERAGED = Object.keys(MEASURES) as Measure[]
const OF_ONE = AVERAGED.filter((measure) => measure !== 'samples')

/** Kamailio looks at so many sources of a side. */
const MOST_OF_A_SIDE = 4

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * by)
}

function secondsInto(report: CallReport, sample: MosSample): number | undefined {
  const at = sample.reportedAt?.getTime()
  return at === undefined ? undefined : Math.floor((at - (startOf(report) ?? 0)) / 1000)
}

/** When the call began, to the second as the media proxy tells all other moments. */
function startOf(report: CallReport): number | undefined {
  const created = report.created?.getTime()
  return created === undefined ? undefined : Math.floor(created / 1000) * 1000
}

/**
 * The text of Kamailio's `mos_*` parameters, keyed by their names without `_pv`: `mos_min` (`4.3`), `mos_min_at` (minutes and
 * seconds into the call, `0:05`), `mos_min_packetloss` (per cent), `mos_min_jitter` (ms), `mos_min_roundtrip` and
 * `mos_min_roundtrip_leg` (microseconds), the same of `mos_max`, and `mos_average` with `mos_average_samples` and no time.
 * With a label for side A or B also those of the sources of the parties with that `label`: `mos_min_A`, `mos_min_at_A` ...
 *
 * As in Kamailio fractions are cut off, a measure the reply lacks prints as -1, and a side that has no MOS has no variables.
 */
export function mosVariables(
  report: CallReport,
  labels: { readonly A?: string | undefined; readonly B?: string | undefined } = {},
): Record<string, string> {
  const variables = variablesOf(report, report.ssrcs, '')
  for (const side of ['A', 'B'] as const) {
    const label = labels[side]
    if (label !== undefined) Object.assign(variables, variablesOf(report, sideOf(report, label), `_${side}`))
  }
  return variables
}

function variablesOf(
  report: CallReport,
  sources: readonly SsrcReport[],
  side: string,
): Record<string, string> {
  const variables: Record<string, string> = {}
  const put = (kind: string, measures: readonly Measure[], samples: readonly MosSample[]) => {
    for (const measure of measures) {
      const total = samples.reduce((sum, sample) => sum + (MEASURES[measure](sample) ?? -1), 0)
      const value = Math.trunc(total / samples.length)
      variables[measure === 'mos' ? `mos_${kind}${side}` : `mos_${kind}_${measure}${side}`] =
        measure === 'mos' ? `${Math.trunc(value / 10)}.${value % 10}` : `${value}`
    }
  }
  const extreme = (
    key: 'lowest' | 'highest',
    isBetter: (mos: number, than: MosSample | undefined) => boolean,
  ) =>
    sources
      .map((source) => source[key])
      .reduce((best, one) => (one?.mos !== undefined && isBetter(one.mos, best) ? one : best), undefined)
  const max = extreme('highest', (mos, best) => mos >= 0 && mos > (best?.mos ?? -1))
  const min = extreme('lowest', (mos, best) => mos > 0 && mos < (best?.mos ?? 10))
  for (const [kind, sample] of Object.entries({ max, min })) {
    if (sample === undefined) continue
    put(kind, OF_ONE, [sample])
    const at = secondsInto(report, sample)
    if (at !== undefined) variables[`mos_${kind}_at${side}`] = minutes(at)
  }
  const averages = sources.flatMap(({ average }) =>
    average?.mos !== undefined && average.mos > 0 ? average : [],
  )
  if (averages.length > 0) put('average', AVERAGED, averages)
  return variables
}

function minutes(seconds: number): string {
  return `${Math.trunc(seconds / 60)}:${String(Math.abs(seconds % 60)).padStart(2, '0')}`
}

/** The sources that the first stream of each media of the parties with `label` names. */
function sideOf(report: CallReport, label: string): SsrcReport[] {
  const parties = report.parties.filter((party) => party.label === label)
  const named = parties.flatMap((party) => party.medias.flatMap(({ streams }) => streams[0]?.ssrc ?? []))
  const ssrcs = new Set(named.slice(0, MOST_OF_A_SIDE))
  return report.ssrcs.filter((source) => ssrcs.has(source.ssrc))
}

const NAMED = /^(mos|jitter|roundtrip|packetloss)-(?:(average)|(min|max)(-at)?)$/i

/**
 * What OpenSIPS gives for `$rtpstat(name)`: `name` is one of `MOS`, `jitter`, `roundtrip` and `packetloss` with `-average`,
 * `-min`, `-max`, `-min-at` or `-max-at`, in any case. Integers as text: MOS times ten, jitter in ms, round trips in
 * microseconds, loss in per cent, `-at` in seconds into the call. The extremes are those among the moments of the lowest
 * (`-min`) and the highest (`-max`) MOS of each source.
 *
 * @param tag only what the party with this tag sent.
 * @returns undefined for other names, for a tag the call does not have, and where the reply has no such value.
 */
export function namedStatistic(report: CallReport, name: string, tag?: string): string | undefined {
  const [, measure, average, extreme, at] = NAMED.exec(name) ?? []
  if (measure === undefined) return undefined
  const sources = tag === undefined ? report.ssrcs : sourcesOf(report, tag)
  const value = MEASURES[measure.toLowerCase() as Measure]
  if (average !== undefined) {
    const all = sources.flatMap((source) => (source.average && value(source.average)) ?? [])
    return all.length === 0 ? undefined : `${Math.trunc(all.reduce((a, b) => a + b, 0) / all.length)}`
  }
  const isMin = extreme?.toLowerCase() === 'min'
  const best = (isMin ? lowest : highest)(sources, value)
  if (best === undefined) return undefined
  if (at === undefined) return `${value(best)}`
  const seconds = startOf(report) === undefined ? undefined : secondsInto(report, best)
  return seconds === undefined || seconds < 0 ? undefined : `${seconds}`
}

type Value = (sample: MosSample) => number | undefined

function lowest(sources: readonly SsrcReport[], value: Value): MosSample | undefined {
  return pick(sources, 'lowest', (one, best) => one < (best ?? Infinity), value)
}

function highest(sources: readonly SsrcReport[], value: Value): MosSample | undefined {
  return pick(sources, 'highest', (one, best) => one > (best ?? -1), value)
}

function pick(
  sources: readonly SsrcReport[],
  key: 'lowest' | 'highest',
  isBetter: (one: number, best: number | undefined) => boolean,
  value: Value,
): MosSample | undefined {
  let found: MosSample | undefined
  for (const { [key]: sample } of sources) {
    const one = sample && value(sample)
    if (one !== undefined && isBetter(one, found && value(found))) found = sample
  }
  return found
}

function sourcesOf(report: CallReport, tag: string): SsrcReport[] {
  const party = report.parties.find((one) => one.tag === tag)
  const ssrcs = new Set(party?.medias.flatMap(({ streams }) => streams.map((stream) => stream.ssrc)))
  return report.ssrcs.filter((source) => ssrcs.has(source.ssrc))
}
