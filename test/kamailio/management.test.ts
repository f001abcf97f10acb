import { describe, expect, it } from 'vitest'
import { loadModule } from '../../src/kamailio/module.ts'
import { enableText, type ManagedNodes, type ShownNode, showText } from '../../src/management/text.ts'
import { ScriptedProxy } from '../media-proxy.ts'
import { readVectors } from '../vectors.ts'

/** The nodes of the recording, without sockets behind them. */
class RecordedNodes implements ManagedNodes {
  readonly nodes: { -readonly [key in keyof ShownNode]: ShownNode[key] }[] = [
    ['udp:127.0.0.1:22231', 0],
    ['udp:127.0.0.1:22232', 2],
    ['unix:/run/rtp/ng.sock', 3],
  ].map(([url, set], index) => ({
    url: String(url),
    set: Number(set),
    index,
    weight: 1,
    disabled: false,
    recheckTicks: 0,
  }))

  show(): ShownNode[] {
    return this.nodes
  }

  enable(url: string, enabled: boolean): number {
    const found = this.nodes.filter((node) => node.url === url)
    for (const node of found)
      Object.assign(node, { disabled: !enabled, recheckTicks: enabled ? 0 : 4294967295 })
    return found.length
  }
}

describe('the management commands', () => {
  it('print to the letter what the module printed', () => {
    const nodes = new RecordedNodes()
    const recorded = readVectors<{ mi?: string; out: string }[]>('management.json').filter(
      ({ mi }) => mi !== undefined,
    )
    expect(recorded.length).toBe(11)
    for (const { mi = '', out } of recorded) {
      const [command, ...args] = mi.trim().split(' ')
      expect(
        command === 'nh_show_rtpp' ? showText(nodes.show()) : enableText(nodes, args[0], args[1]),
        mi,
      ).toBe(out)
    }
  })

  it('take any 32-bit number, decimal or hexadecimal, and ignore what follows it', async () => {
    const nodes = new RecordedNodes()
    const url = 'udp:127.0.0.1:22231'
    const answer = (number: string) => enableText(nodes, url, number).trim()
    expect(['0', '0x0', '00', '4294967295', '0XFF'].map(answer)).toEqual(Array(5).fill('200 OK'))
    expect(['4294967296', '0x', '1.5', ' 1', '+1', ''].map(answer)).toEqual(
      Array(6).fill('400 Bad parameter'),
    )
  })

  it('act on the nodes of a running module', async () => {
    const proxy = new ScriptedProxy()
    const url = `udp:127.0.0.1:${await proxy.listenUdp()}`
    await using module = await loadModule({ rtpproxy_sock: `5 == ${url}=3` })
    expect(module.mi('nh_enable_rtpp', url, '0')).toBe('200 OK\n\n')
    expect(module.mi('nh_show_rtpp')).toBe(
      `200 OK\n${url}::  set=5\n\tindex:: 0\n\tdisabled:: 1\n\tweight:: 3\n\trecheck_ticks:: 4294967295\n\n`,
    )
    expect(module.mi('nh_enable_rtpp', url, '1', 'more')).toBe('200 OK\n\n')
    expect(module.mi('nh_show_rtpp')).toContain('disabled:: 0')
    expect(module.mi('nh_ping')).toMatch(/^500 /)
    await proxy.close()
  })

  it('know no media proxy when none is configured', async () => {
    await using module = await loadModule({ rtpproxy_sock: '   ' })
    expect(module.mi('nh_show_rtpp')).toBe('200 OK\n\n')
    expect(module.mi('nh_enable_rtpp')).toBe('404 RTP proxy not found\n\n')
  })
})
