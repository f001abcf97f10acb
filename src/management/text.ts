import type { NodeStatus } from '../nodes/node.ts'

/** What the module prints of a node. */
export type ShownNode = Pick<NodeStatus, 'url' | 'set' | 'index' | 'disabled' | 'weight' | 'recheckTicks'>

/** What the management commands act on. */
export interface ManagedNodes {
  show(): readonly ShownNode[]
  enable(url: string, enabled: boolean): number
}

/** `nh_show_rtpp`: every media proxy with its state, as the module prints it. */
export function showText(nodes: readonly ShownNode[]): string {
  const entries = nodes.map(
    ({ url, set, index, disabled, weight, recheckTicks }) =>
      `${url}::  set=${set}\n\tindex:: ${index}\n\tdisabled:: ${disabled ? 1 : 0}\n` +
      `\tweight:: ${weight}\n\trecheck_ticks:: ${recheckTicks}\n`,
  )
  return `200 OK\n${entries.join('')}\n`
}

/**
 * `nh_enable_rtpp URL N`: enables (N other than 0) or disables every media proxy with this URL; N is decimal or 0x hex.
 * Anything behind N is ignored, as in the module.
 */
export function enableText(nodes: ManagedNodes, url: string | undefined, number: string | undefined): string {
  // The module looks for its list of media proxies before it looks at the arguments.
  if (nodes.show().length === 0) return '404 RTP proxy not found\n\n'
  if (!url || number === undefined) return '400 Too few or too many arguments\n\n'
  const enabled = unsigned32(number)
  if (enabled === undefined) return '400 Bad parameter\n\n'
  return nodes.enable(url, enabled !== 0) > 0 ? '200 OK\n\n' : '404 RTP proxy not found\n\n'
}

function unsigned32(text: string): number | undefined {
  if (!/^(?:[0-9]+|0x[0-9a-f]+)$/i.test(text)) return undefined
  const value = Number(text)
  return value <= 0xffff_ffff ? value : undefined
}
