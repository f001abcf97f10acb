import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { UsageError } from './outcome.ts'

/** Where a management server is, and what opens it. */
export interface ManagementOptions {
  readonly management: string
  readonly token?: string
}

/** A management server that refuses, or is not there. */
export class ManagementError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Most bytes of an answer. */
const LONGEST = 64 * 1024 * 1024
const TIMEOUT_MS = 10_000

/**
 * Calls a method of the management server: docs/management.md has them.
 *
 * @throws ManagementError when it cannot be reached, or refuses; UsageError for a URL that is none.
 */
export async function manage(
  { management, token }: ManagementOptions,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { status, text } = await post(management, token, body)
  if (status === 401)
    throw new ManagementError(
      'ERR_RTPPROXY_TOKEN',
      `${management} wants a token: --token or RTPPROXY_NG_TOKEN`,
    )
  let answer: { result?: unknown; error?: { message?: string } | string }
  try {
    answer = JSON.parse(text)
  } catch {
    throw new ManagementError(
      'ERR_RTPPROXY_MANAGEMENT',
      `${management} is no management server (status ${status})`,
    )
  }
  const { error } = answer
  if (error === undefined && 'result' in answer) return answer.result
  const why = typeof error === 'string' ? error : error?.message
  throw new ManagementError('ERR_RTPPROXY_MANAGEMENT', `${management}: ${why ?? `status ${status}`}`)
}

async function post(
  management: string,
  token: string | undefined,
  body: string,
): Promise<{ status: number; text: string }> {
  const { request, target } = wayTo(management)
  const patience = AbortSignal.timeout(TIMEOUT_MS)
  const outgoing = request({
    ...target,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    signal: patience,
  })
  try {
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of response) {
      chunks.push(chunk)
      length += chunk.length
      if (length > LONGEST) throw new Error(`the answer has more than ${LONGEST} bytes`)
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const why = patience.aborted
      ? `no answer in ${TIMEOUT_MS / 1000} s`
      : [code, message].find((text) => text !== '')
    throw new ManagementError('ERR_RTPPROXY_MANAGEMENT', `${management} cannot be reached: ${why}`)
  }
}

function wayTo(management: string) {
  if (management.startsWith('unix:'))
    return {
      request: httpRequest,
      target: { socketPath: management.slice('unix:'.length), host: 'localhost', path: '/rpc' },
    }
  const url = URL.canParse(management) ? new URL(management) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`--management must be http://HOST:PORT or unix:PATH, not '${management}'`)
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A proxy on the way may have put it below a path.
  const path = `${url.pathname.replace(/\/*$/, '')}/rpc`
  return { request, target: { host, port: url.port, path } }
}
