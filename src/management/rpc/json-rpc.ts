import { RtpProxyNgError } from '../../errors.ts'

/** What a method answers: anything JSON can carry. */
export type Method = (parameters: Parameters) => unknown | Promise<unknown>

/** The parameters of a request: by position or by name (JSON-RPC 2.0, section 4.2). */
export type Parameters = readonly unknown[] | Readonly<Record<string, unknown>>

/** Thrown by a method whose parameters cannot be used. */
export class InvalidParams extends Error {}

/** Codes of JSON-RPC 2.0, section 5.1; -32000 is for what a method refuses. */
const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600
const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603
const REFUSED = -32000

/** Most requests in a batch. */
const MAX_BATCH = 100

interface Failure {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}
type Response = Readonly<Record<string, unknown>>

const failed = (id: unknown, error: Failure): Response => ({ jsonrpc: '2.0', error, id })

/** The response to a text that is no JSON. */
export const parseError: Response = failed(null, { code: PARSE_ERROR, message: 'the body is not JSON' })

/**
 * Answers a JSON-RPC 2.0 request, or a batch of up to 100; undefined when nothing is to be answered (notifications).
 *
 * @param methods own properties only are methods.
 */
export async function answer(
  body: unknown,
  methods: Readonly<Record<string, Method>>,
): Promise<Response | Response[] | undefined> {
  if (!Array.isArray(body)) return answerOne(body, methods)
  if (body.length === 0 || body.length > MAX_BATCH)
    return failed(null, { code: INVALID_REQUEST, message: `a batch has 1 to ${MAX_BATCH} requests` })
  const responses = await Promise.all(body.map((request) => answerOne(request, methods)))
  const told = responses.filter((response) => response !== undefined)
  return told.length === 0 ? undefined : told
}

async function answerOne(
  request: unknown,
  methods: Readonly<Record<string, Method>>,
): Promise<Response | undefined> {
  if (!isRequest(request))
    return failed(idOf(request), { code: INVALID_REQUEST, message: 'not a JSON-RPC 2.0 request' })
  const { id, method: name, params = [] } = request
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  const isNotification = !Object.hasOwn(request, 'id')
  if (method === undefined) {
    const message = `there is no method '${name}'; there are ${Object.keys(methods).join(', ')}`
    return isNotification ? undefined : failed(id, { code: METHOD_NOT_FOUND, message })
  }
  try {
    const result = await method(params)
    return isNotification ? undefined : { jsonrpc: '2.0', result: result ?? null, id }
  } catch (error) {
    return isNotification ? undefined : failed(id, failureOf(error))
  }
}

interface Request {
  readonly id?: unknown
  readonly method: string
  readonly params?: Parameters
}

function isRequest(value: unknown): value is Request {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { jsonrpc, method, params, id } = value as Record<string, unknown>
  const isParams = params === undefined || (typeof params === 'object' && params !== null)
  return jsonrpc === '2.0' && typeof method === 'string' && isParams && (id === undefined || isId(id))
}

const isId = (id: unknown): boolean => id === null || typeof id === 'string' || typeof id === 'number'

/** The id of what is no request otherwise; null where there is none to be seen (section 5). */
function idOf(request: unknown): unknown {
  const { id } = Object(request) as { id?: unknown }
  return isId(id) ? id : null
}

function failureOf(error: unknown): Failure {
  if (error instanceof InvalidParams) return { code: INVALID_PARAMS, message: error.message }
  if (error instanceof RtpProxyNgError)
    return { code: REFUSED, message: error.message, data: { code: error.code } }
  // What it says may be about anything.
  return { code: INTERNAL_ERROR, message: 'internal error' }
}
