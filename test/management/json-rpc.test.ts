import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../../src/errors.ts'
import { answer, InvalidParams, type Method } from '../../src/management/rpc/json-rpc.ts'

let calls: unknown[]
beforeEach(() => {
  calls = []
})
const methods: Record<string, Method> = {
  echo: (parameters) => parameters,
  nothing: () => undefined,
  note: (parameters) => void calls.push(parameters),
  picky: () => {
    throw new InvalidParams('x must be a text')
  },
  refuse: () => {
    throw new NodeError('ERR_RTPPROXY_NO_NODE', 'refuse: nobody there', {
      command: 'refuse',
      node: undefined,
    })
  },
  fail: async () => {
    throw new Error('the secret is 42')
  },
}
const request = (method: string, more: object = { id: 1 }) => ({ jsonrpc: '2.0', method, ...more })

describe('JSON-RPC 2.0', () => {
  it('answers with what the method gives, and null for nothing', async () => {
    expect(await answer(request('echo', { id: 'a', params: [1, { b: 2 }] }), methods)).toEqual({
      jsonrpc: '2.0',
      result: [1, { b: 2 }],
      id: 'a',
    })
    expect(await answer(request('nothing', { id: null }), methods)).toEqual({
      jsonrpc: '2.0',
      result: null,
      id: null,
    })
  })

  it('answers nothing to a notification, whatever became of it', async () => {
    expect(await answer(request('note', { params: { x: 1 } }), methods)).toBeUndefined()
    expect(calls).toEqual([{ x: 1 }])
    for (const name of ['fail', 'refuse', 'no such method'])
      expect(await answer(request(name, {}), methods)).toBeUndefined()
  })

  it.each([
    [request('missing'), -32601, "no method 'missing'; there are echo"],
    [request('toString'), -32601, "no method 'toString'"],
    [request('__proto__'), -32601, "no method '__proto__'"],
    [request('picky'), -32602, 'x must be a text'],
    [request('refuse'), -32000, 'nobody there'],
    [request('fail'), -32603, 'internal error'],
    [{ method: 'echo', id: 1 }, -32600, 'not a JSON-RPC 2.0 request'],
    [request('echo', { id: {} }), -32600, 'not a JSON-RPC 2.0 request'],
    [request('echo', { id: 1, params: 'x' }), -32600, 'not a JSON-RPC 2.0 request'],
    [null, -32600, 'not a JSON-RPC 2.0 request'],
    [[], -32600, '1 to 100'],
    [Array(101).fill(request('echo')), -32600, '1 to 100'],
  ])('answers %j with the error %i', async (body, code, message) => {
    expect(await answer(body, methods)).toMatchObject({
      jsonrpc: '2.0',
      error: { code, message: expect.stringContaining(message) },
    })
  })

  it('gives what is no request its id back, where there is one to be seen', async () => {
    const idOf = async (body: unknown) => ((await answer(body, methods)) as { id: unknown }).id
    expect(await idOf({ jsonrpc: '2.0', method: 1, params: 'bar', id: 'x' })).toBe('x')
    expect(await idOf(request('echo', { id: 7, params: 'bar' }))).toBe(7)
    expect(await idOf({ method: 'echo', id: 0 })).toBe(0)
    for (const body of [{ jsonrpc: '2.0', method: 1 }, request('echo', { id: [1] }), 'x', 5, null])
      expect(await idOf(body)).toBeNull()
  })

  it('says the code of what was refused, and nothing of what went wrong inside', async () => {
    expect(await answer(request('refuse'), methods)).toMatchObject({
      error: { data: { code: 'ERR_RTPPROXY_NO_NODE' } },
    })
    expect(JSON.stringify(await answer(request('fail'), methods))).not.toContain('secret')
  })

  it('answers a batch, each request for itself', async () => {
    const batch = [request('echo', { id: 1 }), request('note', {}), request('missing', { id: 2 }), 5]
    expect(await answer(batch, methods)).toMatchObject([
      { id: 1, result: [] },
      { id: 2, error: { code: -32601 } },
      { id: null, error: { code: -32600 } },
    ])
    expect(await answer([request('note', {})], methods)).toBeUndefined()
  })

  it('never throws, whatever it is given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        const response = await answer(body, methods)
        if (response !== undefined) expect(JSON.stringify(response)).toContain('2.0')
      }),
    )
  })
})
