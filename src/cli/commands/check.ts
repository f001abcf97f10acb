import pc from 'picocolors'
import { RtpProxyNgError } from '../../errors.ts'
import { checkParameters, readConfiguration } from '../../kamailio/parameters.ts'
import { checkRtpengine, readRtpengineConfiguration } from '../../kamailio/rtpengine/parameters.ts'
import { parseSockets } from '../../nodes/grammar.ts'
import { readInput } from '../input.ts'
import type { ExitCode } from '../outcome.ts'
import type { Report } from '../report.ts'
import { type Include, includesOf, type ScriptCall, scriptCalls } from './script-calls.ts'

/** A parameter of a module, and what it comes to. */
interface Parameter {
  readonly module: 'rtpproxy-ng' | 'rtpengine'
  readonly parameter: string
  readonly value: unknown
  /** Why it changes nothing; null: it is taken over. */
  readonly warning: string | null
}

interface Node {
  readonly module: Parameter['module']
  readonly set: number
  readonly url: string
  readonly weight: number
}

/** Longest file, in bytes: the largest there are have a tenth of it. */
const LONGEST = 2 * 1024 * 1024

/** What of a kamailio.cfg is taken over. */
interface Findings {
  readonly parameters: readonly Parameter[]
  readonly nodes: readonly Node[]
  readonly calls: readonly ScriptCall[]
  /** Files that it takes in, which are not read. */
  readonly includes: readonly Include[]
  readonly errors: readonly string[]
}

/** Reads a kamailio.cfg as `loadModule` and `loadRtpengine` would; fails when anything would not be taken over. */
export async function check(report: Report, _: unknown, file: string): Promise<ExitCode> {
  const findings = findingsOf((await readInput(file, LONGEST)).toString())
  report.result(findings, (findings) => show(report, findings))
  const { calls, errors } = findings
  return errors.length > 0 || calls.some(({ problem }) => problem !== null) ? 1 : 0
}

function findingsOf(text: string): Findings {
  const parameters: Parameter[] = []
  const nodes: Node[] = []
  const errors: string[] = []
  const wrong = ({ message }: RtpProxyNgError): void => {
    if (!errors.includes(message)) errors.push(message)
  }
  /** What one part of the file says; what is wrong with it stands among the errors. */
  const part = <T>(read: () => T, otherwise: T): T => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof RtpProxyNgError)) throw error
      wrong(error)
      return otherwise
    }
  }
  const readers = [
    ['rtpproxy-ng', readConfiguration, ofRtpproxy],
    ['rtpengine', readRtpengineConfiguration, ofRtpengine],
  ] as const
  for (const [module, read, check] of readers) {
    const given = part(() => read(text, wrong) as Record<string, unknown>, {})
    const { sockets, warnings } = part(() => check(given), NOTHING)
    for (const [parameter, value] of Object.entries(given))
      parameters.push({ module, parameter, value, warning: warnings.get(parameter) ?? null })
    for (const { id, nodes: members } of parseSockets(sockets))
      for (const { url, weight } of members) nodes.push({ module, set: id, url, weight })
  }
  const calls = part(() => scriptCalls(text), [])
  return { parameters, nodes, calls, includes: part(() => includesOf(text), []), errors }
}

/** What the parameters of a module come to. */
interface Checked {
  readonly sockets: readonly string[]
  readonly warnings: ReadonlyMap<string, string>
}
const NOTHING: Checked = { sockets: [], warnings: new Map() }

function ofRtpproxy(given: Record<string, unknown>): Checked {
  return { ...NOTHING, sockets: checkParameters(given).rtpproxy_sock }
}

function ofRtpengine(given: Record<string, unknown>): Checked {
  const { options, warnings } = checkRtpengine(given as never)
  return {
    sockets: options.sockets as readonly string[],
    warnings: new Map(warnings.map(({ parameter, message }) => [parameter, message])),
  }
}

function show(report: Report, { parameters, nodes, calls, includes, errors }: Findings): void {
  const verdict = (problem: string | null): string =>
    problem === null ? pc.green('taken over') : pc.yellow(problem)
  if (parameters.length > 0) {
    const rows = parameters.map(({ module, parameter, value, warning }) => [
      ...[module, parameter, Array.isArray(value) ? value.join('\n') : String(value)],
      verdict(warning),
    ])
    report.table(['module', 'parameter', 'value', ''], rows)
    report.line()
  }
  if (nodes.length > 0) {
    const rows = nodes.map(({ module, set, url, weight }) => [module, set, url, weight])
    report.table(['module', 'set', 'media proxy', 'weight'], rows)
    report.line()
  }
  if (calls.length > 0) {
    report.table(
      ['line', 'function', ''],
      calls.map(({ line, text, problem }) => [line, text, verdict(problem)]),
    )
    report.line()
  }
  for (const { line, file } of includes)
    report.line(`${pc.yellow('not read')}: ${file}, which line ${line} takes in: check it as well`)
  for (const error of errors) report.line(`${pc.red('error')}: ${error}`)
  if (parameters.length + calls.length + includes.length + errors.length === 0)
    report.line('nothing in this file is for the modules rtpproxy-ng and rtpengine')
}
