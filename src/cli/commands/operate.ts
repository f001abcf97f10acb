import { setTimeout as delay } from 'node:timers/promises'
import type { NodeStatus } from '../../nodes/node.ts'
import { ManagementError, type ManagementOptions, manage } from '../management.ts'
import type { ExitCode } from '../outcome.ts'
import type { Report } from '../report.ts'

/** How often a draining media proxy is asked for its calls, in milliseconds. */
const LOOK_MS = 1000

async function nodesOf(options: ManagementOptions): Promise<readonly NodeStatus[]> {
  return (await manage(options, 'nh_show_rtpp')) as NodeStatus[]
}

function showNodes(report: Report, nodes: readonly NodeStatus[]): void {
  const rows = nodes.map(({ set, url, state, weight, calls, open }) => [set, url, state, weight, calls, open])
  report.table(['set', 'media proxy', 'state', 'weight', 'calls', 'open'], rows)
}

/** Every media proxy of the SIP server; fails when none takes calls. */
export async function show(report: Report, options: ManagementOptions): Promise<ExitCode> {
  const nodes = await nodesOf(options)
  report.result(nodes, (nodes) => showNodes(report, nodes))
  return nodes.some(({ state }) => state === 'up' || state === 'suspect') ? 0 : 1
}

async function setEnabled(
  report: Report,
  options: ManagementOptions,
  url: string,
  wish: boolean | 'probe',
): Promise<ExitCode> {
  const { enabled } = (await manage(options, 'nh_enable_rtpp', [url, wish])) as { enabled: boolean }
  const nodes = await named(options, url)
  report.result(nodes, (nodes) => showNodes(report, nodes))
  return wish === 'probe' && !enabled ? 1 : 0
}

/** With `probe` only if it answers a ping; fails if it does not. */
export function enable(
  report: Report,
  options: ManagementOptions & { readonly probe?: boolean },
  url: string,
): Promise<ExitCode> {
  return setEnabled(report, options, url, options.probe ? 'probe' : true)
}

export function disable(report: Report, options: ManagementOptions, url: string): Promise<ExitCode> {
  return setEnabled(report, options, url, false)
}

/** Gives a media proxy no new calls, and with `wait` waits for the last of those it has. */
export async function drain(
  report: Report,
  options: ManagementOptions & { readonly wait?: boolean },
  url: string,
): Promise<ExitCode> {
  await manage(options, 'drain', [url])
  let nodes = await named(options, url)
  while (options.wait && nodes.some(({ calls }) => calls > 0)) {
    report.progress(`calls left: ${nodes.reduce((sum, { calls }) => sum + calls, 0)}`)
    await delay(LOOK_MS)
    nodes = await named(options, url)
    if (!nodes.every(({ state }) => state === 'draining'))
      throw new ManagementError('ERR_RTPPROXY_MANAGEMENT', `${url} is not draining any more`)
  }
  report.progress('')
  report.result(nodes, (nodes) => showNodes(report, nodes))
  return 0
}

async function named(options: ManagementOptions, url: string): Promise<readonly NodeStatus[]> {
  const nodes = (await nodesOf(options)).filter((node) => node.url === url || node.origin === url)
  if (nodes.length === 0)
    throw new ManagementError('ERR_RTPPROXY_MANAGEMENT', `the SIP server has no media proxy ${url}`)
  return nodes
}
