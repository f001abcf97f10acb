import { afterEach, describe, expect, it } from 'vitest'
import { moveCall } from '../examples/moved-call.ts'
import { findProgram, RtpEngine } from './program.ts'

const program = findProgram('rtpengine', 'rtpengine-daemon')
const engines: RtpEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop()
})

describe.skipIf(program === undefined)('a live call on a real rtpengine that is killed', () => {
  it('goes on over another rtpengine, with media both ways', async () => {
    engines.push(await RtpEngine.start(12_000), await RtpEngine.start(16_000))
    const { node, noticedMs, flowingMs } = await moveCall(
      engines.map(({ url }) => url),
      (url) => engines.find((engine) => engine.url === url)!.kill(),
    )
    expect(engines.map(({ url }) => url)).toContain(node)
    console.info(
      `rtpengine killed: noticed after ${noticedMs.toFixed(0)} ms, media flows again after ${flowingMs.toFixed(0)} ms`,
    )
  })
})
