import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RtpProxyNg, type RtpProxyNgOptions } from '../../src/index.ts'
import { PARAMETER_TYPES } from '../../src/kamailio/parameters.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/moving-from-kamailio.md')

describe('the page on moving from Kamailio', () => {
  it('has code that runs', () => {
    const directory = mkdtempSync(join(tmpdir(), 'moving-'))
    const file = join(directory, 'kamailio.cfg')
    writeFileSync(file, 'modparam("rtpproxy-ng", "rtpproxy_sock", "udp:127.0.0.1:9")\n')
    const code = snippetsOf(page).join('\n').replaceAll("'kamailio.cfg'", JSON.stringify(file))
    const output = run(`${code}
      const bye = 'BYE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 2 BYE\\r\\n\\r\\n'
      console.log(String(await routeMedia(Buffer.from(bye), { address: '127.0.0.1', port: 5060 })) === bye)
      await module.close()
      await better.close()`)
    expect(output).toContain('udp:127.0.0.1:9')
    expect(output).toMatch(/true\n$/)
    rmSync(directory, { recursive: true })
  })

  it('has every parameter, and options that there are', () => {
    const rows = tableOf(page, 'parameter').map((row) => row.map((cell) => /`(\w+)`/.exec(cell)?.[1] ?? ''))
    expect(rows.map(([name]) => name)).toEqual(Object.keys(PARAMETER_TYPES))
    for (const [, option = ''] of rows)
      expect(() => new RtpProxyNg({ [option]: undefined } as RtpProxyNgOptions)).not.toThrow()
  })
})
