import type { RtpProxyNg } from '../../module/client.ts'
import type { NodeStatus } from '../../nodes/node.ts'

/** What a management command answers: a structure, a list of them or a number; `error` with a code and a line. */
export type RpcResult =
  | { readonly result: RpcOutcome | number | readonly RpcNode[]; readonly error?: undefined }
  | { readonly error: { readonly code: number; readonly message: string }; readonly result?: undefined }

/** What became of `rtpengine.enable` (`enable`, `disable` or `fail`) and `rtpengine.ping` (`success` or `fail`). */
export interface RpcOutcome {
  /** As it was given: a URL, or `all`. */
  readonly url: string
  readonly status: 'enable' | 'disable' | 'success' | 'fail'
}

/** What `rtpengine.show` prints of a media proxy. */
export interface RpcNode {
  readonly url: string
  readonly set: number
  readonly index: number
  readonly weight: number
  /** Whether it is disabled by hand. */
  readonly disabled: boolean
  /** Whether it takes calls. */
  readonly active: boolean
  /** Seconds until it is tried again, 0 for one in order, -1 for one disabled by hand. */
  readonly recheck_ticks: number
}

type RpcBody = RpcOutcome | readonly RpcNode[]

const failure = (code: number, message: string): RpcResult => ({ error: { code, message } })
const TOO_FEW = failure(500, 'Not enough parameters')

/**
 * `rtpengine.show`, `.enable`, `.ping`, `.reload` and `.get_hash_total`.
 *
 * @param seconds since the start of the client.
 */
export async function rpc(
  client: RtpProxyNg,
  seconds: number,
  command: string,
  args: readonly string[],
): Promise<RpcResult> {
  switch (command) {
    case 'rtpengine.show':
      return withNodes(client, args[0], (nodes) => nodes.map((node) => shown(node, seconds)))
    case 'rtpengine.enable':
      if (!/^-?[0-9]+$/.test(args[1] ?? '')) return TOO_FEW
      return withNodes(client, args[0], (nodes, url) => enable(client, nodes, url, Number(args[1]) !== 0))
    case 'rtpengine.ping':
      return withNodes(client, args[0], (nodes, url) => ping(client, nodes, url))
    case 'rtpengine.get_hash_total':
      return { result: client.counters.calls }
    case 'rtpengine.reload':
      return failure(500, 'No Database URL')
    default:
      return failure(404, `there is no command '${command}'`)
  }
}

async function withNodes(
  client: RtpProxyNg,
  name: string | undefined,
  body: (nodes: NodeStatus[], url: string) => RpcBody | Promise<RpcBody>,
): Promise<RpcResult> {
  if (name === undefined) return TOO_FEW
  // Kamailio's command line wants `::` before a URL with colons that it would take for types.
  const url = name.replace(/^::/, '')
  const nodes = client.show().filter((node) => url === 'all' || node.url === url || node.origin === url)
  return nodes.length === 0 ? failure(404, 'Instance not found') : { result: await body(nodes, url) }
}

function shown(node: NodeStatus, seconds: number): RpcNode {
  const { url, set, index, weight, disabled, disabledByHand, recheckTicks } = node
  const left = disabled ? Math.max(0, Math.ceil(recheckTicks - seconds)) : 0
  return {
    url,
    set,
    index,
    weight,
    disabled: disabledByHand,
    active: !disabled,
    recheck_ticks: disabledByHand ? -1 : left,
  }
}

/** Who does not answer is not enabled. */
async function enable(
  client: RtpProxyNg,
  nodes: NodeStatus[],
  url: string,
  enabled: boolean,
): Promise<RpcOutcome> {
  if (!enabled) {
    for (const one of urlsOf(nodes)) client.enable(one, false)
    return { url, status: 'disable' }
  }
  const all = await Promise.all(urlsOf(nodes).map((one) => client.probe(one)))
  return { url, status: all.every(Boolean) ? 'enable' : 'fail' }
}

/** Who answers is taken back at once, unless it is disabled by hand. */
async function ping(client: RtpProxyNg, nodes: NodeStatus[], url: string): Promise<RpcOutcome> {
  const lost = new Set(urlsOf(nodes.filter(({ state }) => state === 'down')))
  const all = await Promise.all(
    urlsOf(nodes).map(async (one) => {
      const answers = await answersPing(client, one)
      if (answers && lost.has(one)) client.enable(one, true)
      return answers
    }),
  )
  return { url, status: all.every(Boolean) ? 'success' : 'fail' }
}

function urlsOf(nodes: readonly NodeStatus[]): string[] {
  return [...new Set(nodes.map(({ url }) => url))]
}

async function answersPing(client: RtpProxyNg, url: string): Promise<boolean> {
  try {
    await client.ping({ node: url })
    return true
  } catch {
    return false
  }
}
