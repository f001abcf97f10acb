import { afterEach, describe, expect, it } from 'vitest'
import { EmbeddedRelay } from '../../src/relay/index.ts'
import { moveCall } from './moved-call.ts'

const relays: EmbeddedRelay[] = []
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.close()
})

describe('the reanchor example', () => {
  it('moves a live call to the other media proxy when the one that has it dies', async () => {
    for (let i = 0; i < 2; i++) relays.push(new EmbeddedRelay({ listen: 'udp:127.0.0.1:0' }))
    for (const relay of relays) await relay.start()
    const { node } = await moveCall(
      relays.map((relay) => relay.urls[0]!),
      async (url) => {
        const dying = relays.findIndex((relay) => relay.urls[0] === url)
        await relays.splice(dying, 1)[0]!.close()
      },
    )
    expect(node).toBe(relays[0]!.urls[0])
  })
})
