import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../src/core/bencode.ts'
import { ReplyFrame } from '../../src/network/framing/reply-frame.ts'
import { OpenRequests } from '../../src/network/requests/open-requests.ts'
import { UnixTransport } from '../../src/network/unix.ts'
import { COOKIE_LENGTH } from '../../src/protocol/cookie.ts'

let directory: string
const cleanups: (() => Promise<unknown>)[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unix-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(directory, { recursive: true })
})

async function server(answer: (connection: Socket, request: Buffer) => void): Promise<string> {
  const path = join(directory, 'ng.sock')
  const listening = createServer((connection) => {
    connection.on('error', () => undefined)
    connection.on('data', (request) => answer(connection, request))
  }).listen(path)
  await once(listening, 'listening')
  cleanups.push(() => new Promise((resolve) => listening.close(resolve)))
  return path
}

function exchange(path: string, timeoutMs = 5000): Promise<string> {
  const unix = new UnixTransport(`unix:${path}`, { path }, new OpenRequests())
  cleanups.push(() => unix.close())
  return send(unix, timeoutMs)
}

function send(unix: UnixTransport, timeoutMs = 5000): Promise<string> {
  return new Promise((resolve) => {
    unix.send(
      {
        datagram: Buffer.from(`${' '.repeat(COOKIE_LENGTH + 1)}d7:command4:pinge`),
        replied: (bytes, offset) => resolve(bytes.toString('latin1', offset)),
        failed: ({ kind }) => resolve(`failed: ${kind}`),
      },
      { timeoutMs, attempts: 5 },
    )
  })
}

describe('a command over a UNIX socket', () => {
  it('is the dictionary alone, on a connection of its own', async () => {
    const seen: string[] = []
    const path = await server((connection, request) => {
      seen.push(request.toString())
      connection.end('d6:result4:ponge')
    })
    expect(await exchange(path)).toBe('d6:result4:ponge')
    expect(await exchange(path)).toBe('d6:result4:ponge')
    expect(seen).toEqual(['d7:command4:pinge', 'd7:command4:pinge'])
  })

  it('needs no close to know that the reply is complete', async () => {
    expect(await exchange(await server((connection) => connection.write('d6:result4:ponge')))).toBe(
      'd6:result4:ponge',
    )
  })

  it('fails when the peer says nothing, closes, is not there, or is no socket', async () => {
    expect(await exchange(await server(() => undefined), 40)).toBe('failed: timeout')
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    expect(await exchange(await server((connection) => connection.destroy()))).toMatch(/^failed: refused$/)
    expect(await exchange(join(directory, 'missing.sock'))).toBe('failed: unreachable')
    expect(await exchange(directory)).toBe('failed: refused')
  })

  it('gets its reply whole, wherever the stream is cut', async () => {
    const reply = 'd6:result4:pong3:xyzd1:al0:i-12eeee'
    let cut = 0
    const path = await server((connection) => {
      connection.write(reply.slice(0, cut), () => setImmediate(() => connection.write(reply.slice(cut))))
    })
    for (cut = 1; cut < reply.length; cut++) expect(await exchange(path)).toBe(reply)
  })

  it('goes to a path of digits, and not to the TCP port of that number', async () => {
    const before = process.cwd()
    process.chdir(directory)
    try {
      await server((connection) => connection.write('d6:result4:ponge'))
      symlinkSync('ng.sock', '2223')
      expect(await exchange('2223')).toBe('d6:result4:ponge')
    } finally {
      process.chdir(before)
    }
  })

  it('waits for its turn where there are more at once than a listener has room for', async () => {
    const path = await server((connection) => connection.write('d6:result4:ponge'))
    const unix = new UnixTransport(`unix:${path}`, { path }, new OpenRequests())
    cleanups.push(() => unix.close())
    const outcomes = await Promise.all(Array.from({ length: 3000 }, () => send(unix, 20_000)))
    expect(new Set(outcomes)).toEqual(new Set(['d6:result4:ponge']))
  })

  it('that waits for its turn runs out of time like any other, and costs nobody a connection', async () => {
    let served = 0
    const path = await server(() => void served++)
    const requests = new OpenRequests()
    const unix = new UnixTransport(`unix:${path}`, { path }, requests)
    cleanups.push(() => unix.close())
    const first = Array.from({ length: 32 }, () => send(unix, 60))
    const late = Array.from({ length: 10 }, () => send(unix, 20))
    expect(new Set(await Promise.all([...first, ...late]))).toEqual(new Set(['failed: timeout']))
    await expect.poll(() => served).toBe(32)
    expect(requests.size).toBe(0)
  })

  it('gets a reply of 65,535 bytes', async () => {
    const reply = `d1:x65524:${'x'.repeat(65_524)}e`
    expect(reply).toHaveLength(65_535)
    expect(await exchange(await server((connection) => connection.write(reply)))).toBe(reply)
  })

  it('fails when the transport is closed, which ends its connection', async () => {
    let asked: (ended: Promise<unknown>) => void
    const connected = new Promise<Promise<unknown>[]>((resolve) => {
      asked = (ended) => resolve([ended])
    })
    const path = await server((connection) => asked(once(connection, 'close')))
    const requests = new OpenRequests()
    const unix = new UnixTransport(`unix:${path}`, { path }, requests)
    const outcome = send(unix)
    const [ended] = await connected
    await unix.close()
    expect(await outcome).toBe('failed: closed')
    await ended
    expect([requests.size, requests.wheel.size]).toEqual([0, 0])
    expect(await send(unix)).toBe('failed: closed')
  })

  it('hands on what came when the peer closes in the middle, for the decoder to judge', async () => {
    expect(await exchange(await server((connection) => connection.end('d6:resu')))).toBe('d6:resu')
  })
})

describe('the frame of a reply in a stream', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.string(),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('any'), { maxKeys: 4 }),
    ),
  })).any

  it('ends exactly where the dictionary ends, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), value, { maxKeys: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        (dictionary, sizes) => {
          const bytes = encode(dictionary as never)
          const frame = new ReplyFrame()
          let complete: Buffer | undefined
          for (let at = 0; at < bytes.length; ) {
            expect(complete).toBeUndefined()
            const size = sizes.next().value
            complete = frame.push(bytes.subarray(at, at + size))
            at += size
          }
          expect(complete).toEqual(bytes)
        },
      ),
    )
  })

  it('gives up on what is no dictionary, too deep or too large', () => {
    const first = (text: string) => new ReplyFrame().push(Buffer.from(text)) !== undefined
    expect([first('x'), first('i1e'), first('d1x'), first('d'.repeat(100)), first('d99999999:')]).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(first('d3:abc')).toBe(false)
    expect(first(`d60000:${'x'.repeat(70000)}`)).toBe(true)
  })

  it('takes any bytes without an error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (chunks) => {
        const frame = new ReplyFrame()
        for (const chunk of chunks) frame.push(Buffer.from(chunk))
        expect(frame.length).toBeLessThanOrEqual(200)
      }),
    )
  })
})
