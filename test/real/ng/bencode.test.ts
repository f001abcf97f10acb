import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOT_TOLERATED, TOLERATED } from '../../core/plain/tolerance.ts'
import { findProgram, RtpEngine } from '../program.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')

describe.skipIf(program === undefined)('what rtpengine itself tolerates', () => {
  let engine: RtpEngine
  let socket: Socket
  let count = 0
  beforeAll(async () => {
    engine = await RtpEngine.start(24_000)
    socket = createSocket('udp4')
    const [, host, port] = /^udp:(.*):(.*)$/.exec(engine.url) ?? []
    socket.connect(Number(port), host)
    await once(socket, 'connect')
  })
  afterAll(async () => {
    socket?.close()
    await engine?.stop()
  })

  /** What it answers to a ping with these bytes behind its command. */
  async function answer(bencode: string): Promise<string> {
    socket.send(`c${++count} d7:command4:ping${bencode.slice(1)}`)
    const [reply] = (await once(socket, 'message')) as [Buffer]
    expect(reply.toString()).toContain(`c${count} `)
    return reply.toString().slice(`c${count} `.length)
  }

  it.each(TOLERATED.map(([bencode]) => bencode))('takes %s', async (bencode) => {
    expect(await answer(bencode)).toBe('d6:result4:ponge')
  })

  it.each(NOT_TOLERATED)('refuses %s', async (bencode) => {
    expect(await answer(bencode)).toContain('Could not decode bencode dictionary')
  })
})
