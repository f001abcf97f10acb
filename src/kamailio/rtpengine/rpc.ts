import type { RtpProxyNg } from '../../module/client.ts'
import type { NodeStatus } from '../../nodes/node.ts'

/** What a management command answers: a structure or list for those that print one, else a line; `error` with a code and a line. */
export type RpcResult =
  | { readonly result: string | number | readonly RpcNode[]; readonly error?: undefined }
  | { readonly error: { readonly code: number; readonly message: string }; readonly result?: undefined }

/** What `rtpengine.show` prints of a media proxy. */
export interface RpcNode {
  readonly url: string
  readonly set: number
  readonly index: number
  readonly weight: number
  /** `0`, `1`, or `1(permanent)` for one disabled by hand. */
  readonly disabled: string
  /** `N/A` for one disabled by hand. */
  readonly recheck_ticks: string
}

const failure = (code: number, message: string): RpcResult => ({ error: { code, message } })

/** `rtpengine.show`, `.enable`, `.ping`, `.reload` and `.get_hash_total`. */
export async function rpc(client: RtpProxyNg, command: string, args: readonly string[]): Promise<RpcResult> {
  switch (command) {
    case 'rtpengine.show':
      return withNodes(client, args[0], (nodes) => ({ result: nodes.map(shown) }))
    case 'rtpengine.enable':
      return withNodes(client, args[0], (nodes) => enable(client, nodes, args[1]))
    case 'rtpengine.ping':
      return withNodes(client, args[0], (nodes) => ping(client, nodes))
    case 'rtpengine.get_hash_total':
      return { result: client.counters.calls }
    case 'rtpengine.reload':
      return failure(500, 'No database is used; call setNodes() instead')
    default:
      return failure(404, `there is no command '${command}'`)
  }
}

function withNodes(
  client: RtpProxyNg,
  name: string | undefined,
  body: (nodes: NodeStatus[]) => RpcResult | Promise<RpcResult>,
): RpcResult | Promise<RpcResult> {
  if (name === undefined) return failure(400, 'a URL, or all, is missing')
  // Kamailio's command line wants `::` before a URL with colons that it would take for types.
  const url = name.replace(/^::/, '')
  const nodes = client.show().filter((node) => url === 'all' || node.url === url || node.origin === url)
  return nodes.length === 0 ? failure(404, `no media proxy is called ${url}`) : body(nodes)
}

function shown({ url, set, index, weight, disabled, disabledByHand, recheckTicks }: NodeStatus): RpcNode {
  return {
    url,
    set,
    index,
    weight,
    disabled: disabledByHand ? '1(permanent)' : disabled ? '1' : '0',
    recheck_ticks: disabledByHand ? 'N/A' : String(disabled ? recheckTicks : 0),
  }
}

async function enable(client: RtpProxyNg, nodes: NodeStatus[], flag: string | undefined): Promise<RpcResult> {
  if (flag === undefined || !/^[0-9]+$/.test(flag)) return failure(400, 'the second argument must be 0 or 1')
  const urls = [...new Set(nodes.map(({ url }) => url))]
  if (Number(flag) === 0) {
    for (const url of urls) client.enable(url, false)
    return { result: 'disabled' }
  }
  const answers = await Promise.all(urls.map((url) => answersPing(client, url)))
  urls.forEach((url, i) => {
    if (answers[i]) client.enable(url, true)
  })
  return answers.every(Boolean) ? { result: 'enabled' } : failure(500, 'a media proxy does not answer')
}

async function ping(client: RtpProxyNg, nodes: NodeStatus[]): Promise<RpcResult> {
  const urls = [...new Set(nodes.map(({ url }) => url))]
  const answers = await Promise.all(urls.map((url) => answersPing(client, url)))
  return answers.every(Boolean) ? { result: 'success' } : failure(500, 'a media proxy does not answer')
}

async function answersPing(client: RtpProxyNg, url: string): Promise<boolean> {
  try {
    await client.ping({ node: url })
    return true
  } catch {
    return false
  }
}
